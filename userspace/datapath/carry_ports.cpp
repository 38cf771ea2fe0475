// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/carry_ports.h"

namespace fairlead::datapath {
namespace {

constexpr std::uint64_t kEveryOther = 0x5555555555555555u;

}  // namespace

void UnownedPorts::narrow(std::vector<lb_snat_pool> marked, const std::vector<lb_snat_pool>& owned) {
  const bool first = pools_.empty();
  for (std::size_t pool = 0; pool < marked.size(); ++pool)
    for (std::size_t word = 0; word < LB_SNAT_POOL_WORDS; ++word)
      marked[pool].used[word] &= ~owned[pool].used[word] & (first ? ~0ull : of(pool, word));
  pools_ = std::move(marked);
}

void CarryPorts::know(const ForeignMap& theirs, bool alone) {
  theirs_ = ForeignPools::map(theirs);
  alone_ = alone;
}

CarryPorts::Pools CarryPorts::in_use() const {
  Pools pools(ports_.pools->size());
  const auto mark = [&](const PortBit& bit) { pools[bit.pool].used[bit.word] |= bit.mask; };
  for_each_port(flows4_->values(), ports_.base, mark);
  for_each_port(flows6_->values(), ports_.base, mark);
  return pools;
}

CarryPorts::Pools CarryPorts::marked() const {
  Pools pools(ports_.pools->size());
  for (std::size_t pool = 0; pool < pools.size(); ++pool)
    for (std::size_t word = 0; word < LB_SNAT_POOL_WORDS; ++word)
      pools[pool].used[word] = word_of(pool, word).load();
  return pools;
}

CarryPorts::Pools CarryPorts::look() {
  if (!adopted_) return in_use();
  Pools here = marked(), there = theirs_ && alone_ ? theirs_->marked() : Pools(ports_.pools->size());
  Pools now = in_use();
  unowned_here_.narrow(std::move(here), now);
  unowned_there_.narrow(std::move(there), now);
  return now;
}

std::atomic_ref<__u64> CarryPorts::word_of(std::size_t pool, std::size_t word) const {
  return std::atomic_ref((*ports_.pools)[pool].used[word]);
}

void CarryPorts::carry() {
  const Pools now = look();
  for (std::size_t pool = 0; pool < now.size(); ++pool)
    for (std::size_t word = 0; word < LB_SNAT_POOL_WORDS; ++word)
      if (adopted_)
        word_of(pool, word).fetch_or(now[pool].used[word]);
      else
        word_of(pool, word).store(now[pool].used[word]);
}

std::uint64_t CarryPorts::take_from_them(std::size_t pool, std::size_t word, std::uint64_t free) const {
  if (!theirs_) return 0;
  return (free & unowned_there_.of(pool, word)) | theirs_->take(pool, word, kEveryOther & free);
}

void CarryPorts::divide() {
  reserved_.assign(ports_.pools->size(), {});
  for (std::size_t pool = 0; pool < reserved_.size(); ++pool)
    for (std::size_t word = 0; word < ports_.words; ++word) {
      const auto used = word_of(pool, word);
      const std::uint64_t ours = take_from_them(pool, word, ~used.load());
      reserved_[pool].used[word] = ~ours & ~used.fetch_or(~ours);
    }
}

// What was marked by nobody else has no flow here but what was carried since.
void CarryPorts::finish() {
  const Pools now = look();
  for (std::size_t pool = 0; pool < now.size(); ++pool)
    for (std::size_t word = 0; word < LB_SNAT_POOL_WORDS; ++word) {
      word_of(pool, word).fetch_or(now[pool].used[word]);
      const std::uint64_t reserved = reserved_.empty() ? 0 : reserved_[pool].used[word];
      word_of(pool, word).fetch_and(~((reserved | unowned_here_.of(pool, word)) & ~now[pool].used[word]));
    }
}

}  // namespace fairlead::datapath
