// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "userspace/state/buddy.h"
#include "userspace/state/delta.h"
#include "userspace/state/held.h"
#include "userspace/state/port_spec.h"
#include "userspace/util/result.h"

namespace fairlead::state {

// How much fits. Every number is a property of the maps as they were created.
struct Limits {
  std::uint32_t frontends = 0;
  std::uint32_t addresses = 0;
  std::uint32_t service_ports = 0;
  std::uint32_t backends = 0;
  std::uint32_t ring_slots = 0;  // a power of two
  std::uint32_t members = 0;     // a power of two
};

// Gives service ports a place in the maps: ids, backend slots with generations, ring and member space. The result is
// desired(); what has changed since the last look is touched().
//
// Nothing that the datapath may still follow is given away at once: a backend that leaves keeps its slot for
// kRetireAfter, so that packets in flight through an old ring still find it and an endpoint that moves from one
// EndpointSlice to another, gone in between, keeps its flows; and slots and space rest for kQuarantine
// before they are used again. Time is passed in; tick() does what has become due. Not thread safe.
class Placement {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds kRetireAfter{1000};
  static constexpr std::chrono::seconds kQuarantine{5};

  // first_generation is larger than any that a flow may remember.
  Placement(const Limits& limits, std::uint32_t first_generation);

  // Takes over what an earlier daemon left, as far as it is consistent. Only on a fresh Placement. What is not taken
  // over is not in desired(); filter bits are kept as lingering ones.
  void adopt(const Tables& actual);

  // All or nothing: on an error, which names the limit, the port stays as it was. A frontend that another port has
  // becomes this one's.
  Result<> put(const PortSpec& spec, Time now);
  void remove(const std::string& name, Time now);
  void set_node_addresses(const std::vector<NodeAddress>& addresses);
  // All that the programs are on. Until the first call those that were adopted are desired.
  void set_devices(Devices::Content devices);
  // What is held goes on resting.
  void tick(Time now, const Held& held = {});
  // When tick() has something to do next.
  std::optional<Time> next_tick() const;

  // Buckets of the filter that stay open only because flows may still need them. release() closes those that none
  // needs.
  std::vector<std::uint32_t> lingering() const;
  void release(const std::set<std::uint32_t>& buckets);

  const Tables& desired() const { return desired_; }
  Touched take_touched() { return std::exchange(touched_, {}); }
  std::vector<std::string> names() const;
  // The slot of a port's endpoint, if it has one.
  std::optional<std::uint32_t> slot(const std::string& name, const lb_service_key& endpoint) const;
  std::uint32_t next_generation() const { return next_generation_; }
  const Limits& limits() const { return limits_; }

  struct Usage {
    std::uint32_t frontends, addresses, service_ports, backends, ring_slots, members;

    // Whether there is more room of some kind than before.
    bool frees(const Usage& before) const {
      return frontends < before.frontends || addresses < before.addresses || service_ports < before.service_ports ||
             backends < before.backends || ring_slots < before.ring_slots || members < before.members;
    }
  };
  Usage usage() const;

 private:
  struct Slot {
    std::uint32_t index = 0;
    std::optional<Time> left;  // no longer desired since then
  };
  struct Port {
    std::uint32_t id = 0;
    bool removed = false;                // waits for its last backend to leave
    AbiMap<lb_service_key, Slot> slots;  // by endpoint
    std::vector<lb_service> pools;       // as they are in desired_.services, for every frontend of the pool
    AbiSet<lb_service_key> frontends;    // those of desired_.services that have this id
  };
  struct Leaving {
    Time due;
    std::string port;
    lb_service_key endpoint;
  };
  enum class Space { kBackend, kRing, kMembers };
  struct Resting {
    Time due;
    Space space;
    std::uint32_t offset;
    std::uint32_t units;
  };
  // Counts what needs a bucket's classes: one for each bit of LB_CLASS_*.
  using ClassCounts = std::array<std::uint32_t, 3>;

  using Endpoints = std::vector<lb_service_key>;

  Result<> admit(const PortSpec& spec, const Port& port) const;
  Result<> admit_frontends(const PortSpec& spec, const Port& port) const;
  Result<> admit_backends(const PortSpec& spec, const Port& port) const;
  Endpoints place_backends(const PortSpec& spec, Port& port);
  void forget_backends(const Endpoints& endpoints, Port& port);
  void keep_backends(const PortSpec& spec, Port& port);
  std::uint32_t new_generation();
  Result<> place_pools(const PortSpec& spec, Port& port, Time now);
  Result<lb_service> place_pool(const PortSpec& spec, const PoolSpec& pool, const Port& port, Members members);
  bool holds(const lb_service& placed, const PoolSpec& pool, const Members& members) const;
  void set_backend_flags(lb_backend& backend, std::uint32_t flags);
  void place_frontends(const PortSpec& spec, Port& port);
  void retire_backends(const PortSpec& spec, Port& port, Time now);
  void take_frontend(const lb_service_key& key);
  void remove_frontend(const lb_service_key& key);
  void free_pool(const lb_service& pool, std::optional<Time> published_until);
  void rest(Space space, std::uint32_t offset, std::uint32_t units, Time now);
  static bool is_held(const Resting& resting, const Held& held);
  void reuse(const Resting& rested);
  void retire(const Leaving& leaving, Time now);
  void count_class(const lb_addr& addr, std::uint8_t family, std::uint8_t class_bit, int change);
  void update_filter(std::uint32_t bucket);
  void count_vip(const lb_service_key& key, int change);
  void update_address(const lb_address_key& key);
  void adopt_backend(std::uint32_t slot, const lb_backend& backend);
  void adopt_frontend(const Tables& actual, const lb_service_key& key, const lb_service& value);
  bool adopt_pool(const Tables& actual, Port& port, const lb_service& value);
  bool is_whole(const lb_service& value, const std::vector<std::uint16_t>& ring,
                const std::vector<std::uint32_t>& members, const Port& port) const;
  bool reserve(const lb_service& value);

  Limits limits_;
  std::uint32_t next_generation_;
  Tables desired_;
  Touched touched_;

  std::unordered_map<std::string, Port> ports_;
  std::set<std::uint32_t> free_slots_, free_ids_;  // below the high-water marks
  std::uint32_t slots_end_ = 0, ids_end_ = 0;
  BuddyAllocator rings_, members_;

  std::deque<Leaving> leaving_;
  std::deque<Resting> resting_;

  AbiMap<lb_address_key, std::uint32_t> vips_;  // frontends on the address
  AbiMap<lb_address_key, bool> node_addresses_;
  std::vector<NodeAddress> node_list_;
  std::unordered_map<std::uint32_t, ClassCounts> classes_;
  std::unordered_map<std::uint32_t, std::uint8_t> lingering_;
};

}  // namespace fairlead::state
