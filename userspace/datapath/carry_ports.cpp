// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/carry_ports.h"

namespace fairlead::datapath {

CarryPorts::Pools CarryPorts::in_use() const {
  Pools pools(ports_.pools->size());
  mark_ports(pools, flows4_->values(), ports_.base);
  mark_ports(pools, flows6_->values(), ports_.base);
  return pools;
}

void CarryPorts::carry() {
  for_each_word([](auto used, std::uint64_t in_use) { used.store(in_use); });
}

void CarryPorts::add() {
  for_each_word([](auto used, std::uint64_t in_use) { used.fetch_or(in_use); });
}

void CarryPorts::for_each_word(const Visit& visit) const {
  const Pools now = in_use();
  for (std::size_t pool = 0; pool < now.size(); ++pool)
    for (std::size_t word = 0; word < LB_SNAT_POOL_WORDS; ++word)
      visit(std::atomic_ref((*ports_.pools)[pool].used[word]), now[pool].used[word]);
}

}  // namespace fairlead::datapath
