// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <set>

#include "userspace/datapath/object.h"
#include "userspace/datapath/port_audit.h"
#include "userspace/util/address.h"

namespace fairlead::datapath {

struct Tuple {
  Address src;
  Address dst;
  std::uint16_t sport = 0;
  std::uint16_t dport = 0;
};

// One entry of the flow table, as a person would call it.
struct Flow {
  std::uint8_t proto = 0;
  Tuple key;               // as the packet arrives
  Tuple to;                // as it leaves
  std::uint8_t flags = 0;  // LB_FLOW_REPLY, _SNAT, _LOCAL
  std::uint8_t state = 0;  // LB_FLOW_ANSWERED, ...
  std::uint32_t backend = 0;
  std::uint32_t generation = 0;
  std::int32_t expires_in = 0;  // seconds; negative when it counts as free
};

// Calls visit for each entry of the table. Entries that are being written at that moment are read again a few times and
// then skipped.
void for_each_flow(const Object& object, Family family, const std::function<void(const Flow&)>& visit);
// Of both families.
void for_each_flow(const Object& object, const std::function<void(const Flow&)>& visit);

// Filter buckets, out of these, whose address is in the key of a live entry: still needed for its packets to be looked
// at.
std::set<std::uint32_t> buckets_in_use(const Object& object, const std::set<std::uint32_t>& buckets);

// Slots, out of these with their generations, whose backend has an entry.
std::set<std::uint32_t> backends_in_use(const Object& object,
                                        const std::map<std::uint32_t, std::uint32_t>& generations);

// Walks the table in steps and frees what has expired, and ports that nobody has.
class Sweeper {
 public:
  explicit Sweeper(Object& object) : object_(object), audit_(object) {}

  // Sweeps this many sets on from where the last call stopped. Returns true when that completed a pass over both
  // families.
  Result<bool> step(std::uint32_t sets);

  struct Pass {
    bool ended = false;  // none has, before the first
    std::uint64_t live4 = 0, live6 = 0, freed = 0, freed_ports = 0;
  };
  // Of the last complete pass.
  const Pass& last_pass() const { return last_; }

 private:
  // A pass need not look at the ports, if the last that did was a moment ago.
  static constexpr std::chrono::seconds kAuditEvery{5};

  Result<> sweep(std::uint32_t first_set);
  void begin_audit();
  void end_audit();

  Object& object_;
  PortAudit audit_;
  bool auditing_ = false;
  PortAudit::Time audited_;
  Family family_ = Family::IPv4;
  std::uint32_t next_ = 0;
  Pass current_, last_;
};

}  // namespace fairlead::datapath
