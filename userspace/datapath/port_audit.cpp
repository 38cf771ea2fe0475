// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/port_audit.h"

#include <algorithm>
#include <atomic>
#include <bit>

#include "userspace/datapath/carry_flows.h"

namespace fairlead::datapath {

void PortAudit::begin() {
  if (looks_++ == 0) suspects_.assign(LB_SNAT_POOLS, everything());
  keep_used();
}

lb_snat_pool PortAudit::everything() {
  lb_snat_pool pool{};
  std::ranges::fill(pool.used, ~0ull);
  return pool;
}

void PortAudit::keep_used() {
  for (std::size_t pool = 0; pool < suspects_.size(); ++pool)
    for (std::size_t word = 0; word < LB_SNAT_POOL_WORDS; ++word)
      suspects_[pool].used[word] &= std::atomic_ref(object_.snat_pools[pool].used[word]).load();
}

template <class Set>
void PortAudit::see(const MappedArray<Set>& table, std::uint32_t first_set, std::uint32_t sets) {
  const std::size_t first = std::min<std::size_t>(table.size(), first_set);
  const std::size_t count = std::min<std::size_t>(table.size() - first, sets);
  for_each_port(table.values().subspan(first, count), object_.config().snat_port_base,
                [&](const PortBit& bit) { suspects_[bit.pool].used[bit.word] &= ~bit.mask; });
}

void PortAudit::see(Family family, std::uint32_t first_set, std::uint32_t sets) {
  if (family == Family::IPv4)
    see(object_.flows4, first_set, sets);
  else
    see(object_.flows6, first_set, sets);
}

std::size_t PortAudit::end(Time now) {
  keep_used();
  if (looks_ == 1) since_ = now;
  if (looks_ < kLooks || now - since_ < kPatience) return 0;
  looks_ = 0;
  return free_suspects();
}

std::size_t PortAudit::free_suspects() {
  std::size_t freed = 0;
  for (std::size_t pool = 0; pool < suspects_.size(); ++pool)
    for (std::size_t word = 0; word < LB_SNAT_POOL_WORDS; ++word) {
      const std::uint64_t lost = suspects_[pool].used[word];
      if (!lost) continue;
      const std::uint64_t before = std::atomic_ref(object_.snat_pools[pool].used[word]).fetch_and(~lost);
      freed += static_cast<std::size_t>(std::popcount(before & lost));
    }
  return freed;
}

}  // namespace fairlead::datapath
