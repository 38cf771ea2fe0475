// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/port_audit.h"

#include <algorithm>
#include <bit>

#include "userspace/datapath/carry_flows.h"

namespace fairlead::datapath {

void PortAudit::begin() {
  const auto pools = object_.snat_pools.values();
  before_.assign(pools.begin(), pools.end());
  owned_.assign(pools.size(), {});
}

template <class Set>
void PortAudit::see(const MappedArray<Set>& table, std::uint32_t first_set, std::uint32_t sets) {
  const std::size_t first = std::min<std::size_t>(table.size(), first_set);
  const std::size_t count = std::min<std::size_t>(table.size() - first, sets);
  mark_ports(owned_, table.values().subspan(first, count), object_.config().snat_port_base);
}

void PortAudit::see(Family family, std::uint32_t first_set, std::uint32_t sets) {
  if (family == Family::IPv4)
    see(object_.flows4, first_set, sets);
  else
    see(object_.flows6, first_set, sets);
}

bool PortAudit::is_lost(std::size_t bit, Time now, std::map<std::size_t, Suspect>& still) {
  const auto before = suspects_.find(bit);
  Suspect suspect = before == suspects_.end() ? Suspect{now, 0} : before->second;
  if (++suspect.looks >= kLooks && now - suspect.since >= kPatience) return true;
  still[bit] = suspect;
  return false;
}

std::size_t PortAudit::end(Time now) {
  std::map<std::size_t, Suspect> still;
  std::size_t freed = 0;
  for (std::size_t pool = 0; pool < before_.size(); ++pool)
    for (std::size_t word = 0; word < LB_SNAT_POOL_WORDS; ++word) {
      if (!before_[pool].used[word]) continue;
      std::atomic_ref used(object_.snat_pools[pool].used[word]);
      std::uint64_t left = before_[pool].used[word] & used.load() & ~owned_[pool].used[word];
      for (; left; left &= left - 1) {
        const auto bit = static_cast<std::size_t>(std::countr_zero(left));
        if (!is_lost((pool * LB_SNAT_POOL_WORDS + word) * 64 + bit, now, still)) continue;
        used.fetch_and(~(1ull << bit));
        ++freed;
      }
    }
  suspects_ = std::move(still);
  return freed;
}

}  // namespace fairlead::datapath
