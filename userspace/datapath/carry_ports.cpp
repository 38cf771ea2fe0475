// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/carry_ports.h"

#include <utility>

namespace fairlead::datapath {
namespace {

template <class Set>
void mark(std::vector<lb_snat_pool>& pools, const MappedArray<Set>& sets, std::uint16_t base) {
  constexpr std::uint8_t kBoth = LB_FLOW_REPLY | LB_FLOW_SNAT;
  for (const Set& set : sets.values())
    for (const auto& entry : set.way) {
      if (!entry.head.proto || (entry.head.flags & kBoth) != kBoth) continue;
      const PortBit bit = port_bit(entry.head, entry.addr[LB_FLOW_SRC], FlowTable<Set>::kWords, base);
      pools[bit.pool].used[bit.word] |= bit.mask;
    }
}

}  // namespace

CarryPorts::Pools CarryPorts::in_use() const {
  Pools pools(ports_.pools->size());
  mark(pools, *flows4_, ports_.base);
  mark(pools, *flows6_, ports_.base);
  return pools;
}

// What was in use before and still is stays as it is: its flow may have ended by now, and its port with it.
void CarryPorts::carry() {
  Pools now = in_use();
  carried_.resize(now.size());
  for (std::size_t pool = 0; pool < now.size(); ++pool)
    for (std::size_t word = 0; word < LB_SNAT_POOL_WORDS; ++word) {
      const std::uint64_t before = carried_[pool].used[word], after = now[pool].used[word];
      const std::atomic_ref used((*ports_.pools)[pool].used[word]);
      if (const std::uint64_t begun = after & ~before) used.fetch_or(begun);
      if (const std::uint64_t ended = before & ~after) used.fetch_and(~ended);
    }
  carried_ = std::move(now);
}

}  // namespace fairlead::datapath
