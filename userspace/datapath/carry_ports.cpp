// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/carry_ports.h"

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

void CarryPorts::carry() {
  carried_ = in_use();
  for (std::size_t pool = 0; pool < carried_.size(); ++pool)
    for (std::size_t word = 0; word < LB_SNAT_POOL_WORDS; ++word)
      if (const std::uint64_t used = carried_[pool].used[word])
        std::atomic_ref((*ports_.pools)[pool].used[word]).fetch_or(used);
}

void CarryPorts::finish() {
  const Pools before = std::exchange(carried_, {});
  carry();
  for (std::size_t pool = 0; pool < before.size(); ++pool)
    for (std::size_t word = 0; word < LB_SNAT_POOL_WORDS; ++word)
      if (const std::uint64_t ended = before[pool].used[word] & ~carried_[pool].used[word])
        std::atomic_ref((*ports_.pools)[pool].used[word]).fetch_and(~ended);
}

}  // namespace fairlead::datapath
