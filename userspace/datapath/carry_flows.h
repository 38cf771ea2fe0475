// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/datapath/carry_entries.h"
#include "userspace/datapath/flow_table.h"
#include "userspace/datapath/layout_plan.h"
#include "userspace/datapath/ticks.h"

namespace fairlead::datapath {

// Where a reply entry's source port, at this node, stands in the pools.
struct PortBit {
  std::uint32_t pool = 0;
  std::uint32_t word = 0;
  std::uint64_t mask = 0;
};
PortBit port_bit(const lb_flow& reply, const __be32* backend, int words, std::uint16_t base);

// Whether it is a reply entry that has one.
template <class Entry>
bool has_port(const Entry& entry) {
  constexpr std::uint8_t kBoth = LB_FLOW_REPLY | LB_FLOW_SNAT;
  return entry.head.proto && (entry.head.flags & kBoth) == kBoth;
}

// The ports that entries of these sets have.
template <class Set, class Visit>
void for_each_port(std::span<Set> sets, std::uint16_t base, const Visit& visit) {
  for (const Set& set : sets)
    for (const auto& entry : set.way)
      if (has_port(entry)) visit(port_bit(entry.head, entry.addr[LB_FLOW_SRC], FlowTable<Set>::kWords, base));
}

struct SnatPorts {
  const MappedArray<lb_snat_pool>* pools;
  std::uint16_t base = 0;
  std::uint16_t words = 0;  // of each pool, in use
  bool shared = false;      // with the other build's programs
};

// Brings the flows of a table of another layout into this build's, while programs forward by both: may be done as often
// as one likes, and each time does what is missing. What a program of this build has written is not touched, but for
// state that it has not seen. finish_rest() also takes out the copies of flows that have ended over there.
//
// Each time has two steps. Replies come first: a backend that speaks before its flow is here is what breaks a
// connection. A forward entry is only put in with its reply entry, so that its answers are understood.
//
// Both builds' programs can give one tuple to two flows: a client's port is used again, a SNAT port is taken over. Of
// two the one that is worth more stays, whole, and of equals the one that a program of this build has written; of the
// other nothing does.
template <class Set>
class CarryFlows {
 public:
  using Table = FlowTable<Set>;
  using Entry = typename Table::Entry;

  // An error says why its entries cannot be read.
  static Result<CarryFlows> make(const ForeignMap& from, const Record& value, Table table, SnatPorts ports,
                                 const ExpiryOf& expiry);

  void carry_replies();
  void carry_rest();
  // The last time. Alone: no other map's flows are carried into this table. Otherwise what this one has not may be
  // another's, and stays.
  void finish_replies();
  void finish_rest(bool alone);
  // What became of the entries the last time, where more are lost than this has said before.
  std::optional<Carried> news();
  const ForeignMap& from() const { return *from_; }
  // Entries that a process was killed over would be held for ever.
  void release_orphans();
  // The other map was made of one that counts still. What no program has written there since is that one's word of
  // then: what that one has not any more has ended.
  void pass_copies_by() { passes_copies_by_ = true; }

 private:
  using At = typename Table::At;
  using Place = std::optional<typename Table::Found>;
  enum class Stored { YES, AGAIN, NO_ROOM };
  static constexpr At kAnywhere{~0u, ~0u};

  CarryFlows(const ForeignMap& from, const Record& value, Table table, SnatPorts ports, const ExpiryOf& expiry);
  Result<> open();
  void pass(bool replies);
  // Nothing where the entry is free, or being written.
  std::optional<Entry> read(std::size_t index);
  void understand(Entry& entry) const;
  void put(const Entry& entry, const At& before);
  Stored try_put(const Entry& entry, const At& before);
  Stored bring_reply(const Entry& reply, const Place& at);
  Stored drop_reply(const Entry& reply);
  Stored store(const Entry& entry, const Place& at, const At& before);
  Stored update(const Entry& entry, const typename Table::Found& found);
  Stored displace(const Entry& entry, const typename Table::Found& found);
  bool is_contested(const Entry& entry, const Place& at) const;
  Stored give_up(const Entry& entry, const Place& at);
  void free_port(const Entry& entry) const;
  bool take_out(Entry& entry, std::uint32_t seq) const;
  PortBit bit_of(const Entry& reply) const;
  std::atomic_ref<__u64> word_of(const Entry& reply) const;
  void remove_unseen();

  const ForeignMap* from_;
  Plan plan_;
  Table table_;
  SnatPorts ports_;
  ExpiryOf expiry_;
  bool knows_confirmed_ = false;  // its build told confirmed flows from answered ones
  MappedArray<std::uint64_t> memory_;
  std::uint32_t ways_ = 0, way_size_ = 0, set_size_ = 0, seq_ = 0, proto_ = 0;
  std::vector<bool> seen_;  // entries of table_ that stand for one over there
  Carried carried_;
  std::uint64_t told_ = 0;
  bool finishing_ = false;
  bool passes_copies_by_ = false;
  bool all_read_ = true;
};

}  // namespace fairlead::datapath
