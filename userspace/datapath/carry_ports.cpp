// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/carry_ports.h"

#include <utility>

namespace fairlead::datapath {

CarryPorts::Pools CarryPorts::in_use() const {
  Pools pools(ports_.pools->size());
  mark_ports(pools, flows4_->values(), ports_.base);
  mark_ports(pools, flows6_->values(), ports_.base);
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
