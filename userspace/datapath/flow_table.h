// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <optional>

#include "maps/abi.h"
#include "userspace/datapath/map.h"

namespace fairlead::datapath {

// The flow table of one family, for putting in what another layout's table held, while programs may be using it: by the
// rules of maps/flow.h. An entry that came this way and that no program has written since is known by its seq.
template <class Set>
class FlowTable {
 public:
  using Entry = std::remove_reference_t<decltype(std::declval<Set&>().way[0])>;
  struct At {
    std::uint32_t set = 0;
    std::uint32_t way = 0;
  };
  static constexpr int kWords = sizeof(Entry::addr[0]) / sizeof(__be32);

  FlowTable(const MappedArray<Set>& sets, const struct lb_flow_keys* keys) : sets_(&sets), keys_(keys) {}

  std::size_t entries() const { return sets_->size() * LB_FLOW_WAYS; }
  std::size_t index(const At& at) const { return std::size_t{at.set} * LB_FLOW_WAYS + at.way; }
  Entry& operator[](std::size_t index) const { return (*sets_)[index / LB_FLOW_WAYS].way[index % LB_FLOW_WAYS]; }
  Entry& operator[](const At& at) const { return (*sets_)[at.set].way[at.way]; }

  // The seq is of before the key was looked at: a write that claims with it lands in this entry or nowhere.
  struct Found {
    At at;
    std::uint32_t seq = 0;
  };
  std::optional<Found> find(const Entry& key) const {
    for (const std::uint32_t set : place(key).set)
      for (std::uint32_t way = 0; way < LB_FLOW_WAYS; ++way) {
        Entry& entry = (*this)[At{set, way}];
        const std::uint32_t seq = seq_of(entry);
        if (same_key(entry, key)) return Found{{set, way}, seq};
      }
    return std::nullopt;
  }

  // Where it stood before if that may be its place, so that a full table with the same hash fits; else where a program
  // would put it. Nothing where there is no free way.
  std::optional<At> insert(const Entry& entry, const At& before) const {
    const struct lb_flow_place sets = place(entry);
    if (before.way < LB_FLOW_WAYS && (before.set == sets.set[0] || before.set == sets.set[1]) && take(before, entry))
      return before;
    const bool second = free_ways(sets.set[0]) < 2 && free_ways(sets.set[1]) > free_ways(sets.set[0]);
    for (const std::uint32_t set : {sets.set[second], sets.set[!second]})
      for (std::uint32_t way = 0; way < LB_FLOW_WAYS; ++way)
        if (take({set, way}, entry)) return At{set, way};
    return std::nullopt;
  }

  // Fails where a program wrote it meanwhile.
  bool overwrite(Entry& entry, std::uint32_t seq, const Entry& with) const {
    if (!claim(entry, seq)) return false;
    write(entry, with);
    publish(entry, next_copy(seq));
    return true;
  }

  bool add_state(Entry& entry, std::uint32_t seq, const Entry& from) const {
    if (!claim(entry, seq)) return false;
    entry.head.state |= from.head.state;
    entry.head.timeout = lb_flow_timeout(entry.head.proto, entry.head.state);
    entry.head.expires = from.head.expires;
    publish(entry, seq + 2);
    return true;
  }

  bool remove(Entry& entry, std::uint32_t seq) const {
    if (!claim(entry, seq)) return false;
    entry.head.proto = 0;
    publish(entry, seq + 2);
    return true;
  }

  // Who claimed this one has died over it: programs hold an entry for less than a microsecond.
  void release(Entry& entry, std::uint32_t odd_seq) const {
    entry.head.proto = 0;
    std::atomic_ref(entry.head.seq).compare_exchange_strong(odd_seq, odd_seq + 1);
  }

  static std::uint32_t seq_of(Entry& entry) { return std::atomic_ref(entry.head.seq).load(); }
  static bool is_copy(std::uint32_t seq) { return (seq & ~kCopyCount) == kCopy; }

  static bool same_key(const Entry& a, const Entry& b) {
    return a.head.proto == b.head.proto && a.head.sport == b.head.sport && a.head.dport == b.head.dport &&
           !std::memcmp(a.addr, b.addr, 2 * sizeof(a.addr[0]));
  }

  // Whether both say the same of their packets.
  static bool same_flow(const Entry& a, const Entry& b) {
    return same_key(a, b) && a.head.new_sport == b.head.new_sport && a.head.new_dport == b.head.new_dport &&
           a.head.backend == b.head.backend && a.head.generation == b.head.generation &&
           !std::memcmp(a.addr, b.addr, sizeof(a.addr));
  }

  // The other direction's entry: what undoes this one.
  static Entry pair_of(const Entry& entry) {
    Entry pair{};
    pair.head.proto = entry.head.proto;
    pair.head.flags = entry.head.flags ^ LB_FLOW_REPLY;
    pair.head.state = entry.head.state;
    pair.head.timeout = entry.head.timeout;
    pair.head.expires = entry.head.expires;
    pair.head.sport = entry.head.new_dport;
    pair.head.dport = entry.head.new_sport;
    pair.head.new_sport = entry.head.dport;
    pair.head.new_dport = entry.head.sport;
    std::memcpy(pair.addr[LB_FLOW_SRC], entry.addr[LB_FLOW_NEW_DST], sizeof(pair.addr[0]));
    std::memcpy(pair.addr[LB_FLOW_DST], entry.addr[LB_FLOW_NEW_SRC], sizeof(pair.addr[0]));
    std::memcpy(pair.addr[LB_FLOW_NEW_SRC], entry.addr[LB_FLOW_DST], sizeof(pair.addr[0]));
    std::memcpy(pair.addr[LB_FLOW_NEW_DST], entry.addr[LB_FLOW_SRC], sizeof(pair.addr[0]));
    pair.head.backend = entry.head.backend;
    pair.head.generation = entry.head.generation;
    return pair;
  }

 private:
  // Programs add 2 to a seq. The copies' seqs are far away from where they begin, and far apart, so that a reader never
  // takes one copy for another.
  static constexpr std::uint32_t kCopy = 0x80000000u, kCopyStep = 0x00100000u, kCopyCount = 0x7ff00000u;

  static std::uint32_t next_copy(std::uint32_t seq) { return kCopy | ((seq + kCopyStep) & kCopyCount); }

  struct lb_flow_place place(const Entry& entry) const {
    const std::uint64_t hash = lb_flow_hash(keys_, entry.addr[LB_FLOW_SRC], entry.addr[LB_FLOW_DST], kWords,
                                            entry.head.sport, entry.head.dport, entry.head.proto);
    return lb_flow_place(hash, static_cast<std::uint32_t>(sets_->size() - 1));
  }

  int free_ways(std::uint32_t set) const {
    int free = 0;
    for (const Entry& entry : (*sets_)[set].way)
      free += !entry.head.proto;
    return free;
  }

  bool take(const At& at, const Entry& with) const {
    Entry& entry = (*this)[at];
    const std::uint32_t seq = seq_of(entry);
    return !std::atomic_ref(entry.head.proto).load() && overwrite(entry, seq, with);
  }

  static bool claim(Entry& entry, std::uint32_t seq) {
    return !(seq & 1) && std::atomic_ref(entry.head.seq).compare_exchange_strong(seq, seq + 1);
  }

  static void publish(Entry& entry, std::uint32_t seq) {
    std::atomic_ref(entry.head.seq).store(seq, std::memory_order_release);
  }

  // All but seq, which stands first.
  static void write(Entry& entry, const Entry& with) {
    static_assert(offsetof(lb_flow, seq) == 0);
    constexpr std::size_t kSeq = sizeof(lb_flow::seq);
    std::memcpy(reinterpret_cast<std::byte*>(&entry) + kSeq, reinterpret_cast<const std::byte*>(&with) + kSeq,
                sizeof(Entry) - kSeq);
  }

  const MappedArray<Set>* sets_;
  const struct lb_flow_keys* keys_;
};

}  // namespace fairlead::datapath
