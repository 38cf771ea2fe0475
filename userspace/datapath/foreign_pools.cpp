// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/foreign_pools.h"

#include <atomic>

#include "maps/abi.h"

namespace fairlead::datapath {

std::optional<ForeignPools> ForeignPools::map(const ForeignMap& from) {
  const Field* used = from.layout.value.find("used");
  if (!used || used->size != 8 || used->offset % 8 || used->count != LB_SNAT_POOL_WORDS ||
      from.info.max_entries != LB_SNAT_POOLS)
    return std::nullopt;
  ForeignPools pools;
  pools.pool_words_ = (from.layout.value.size + 7) / 8;
  pools.first_word_ = used->offset / 8;
  auto memory = MappedArray<std::uint64_t>::map(
      from.fd.get(), static_cast<std::uint32_t>(pools.pool_words_ * LB_SNAT_POOLS), from.label());
  if (!memory) return std::nullopt;
  pools.memory_ = std::move(*memory);
  return pools;
}

std::uint64_t ForeignPools::take(std::size_t pool, std::size_t word, std::uint64_t wanted) const {
  const std::atomic_ref used(memory_[pool * pool_words_ + first_word_ + word]);
  return wanted & ~used.fetch_or(wanted);
}

}  // namespace fairlead::datapath
