// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/foreign_pools.h"

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

std::atomic_ref<std::uint64_t> ForeignPools::word_of(std::size_t pool, std::size_t word) const {
  return std::atomic_ref(memory_[pool * pool_words_ + first_word_ + word]);
}

std::vector<lb_snat_pool> ForeignPools::marked() const {
  std::vector<lb_snat_pool> pools(LB_SNAT_POOLS);
  for (std::size_t pool = 0; pool < pools.size(); ++pool)
    for (std::size_t word = 0; word < LB_SNAT_POOL_WORDS; ++word)
      pools[pool].used[word] = word_of(pool, word).load();
  return pools;
}

std::uint64_t ForeignPools::take(std::size_t pool, std::size_t word, std::uint64_t wanted) const {
  return wanted & ~word_of(pool, word).fetch_or(wanted);
}

}  // namespace fairlead::datapath
