// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/carry_ports.h"

namespace fairlead::datapath {
namespace {

constexpr std::uint64_t kEveryOther = 0x5555555555555555u;

}  // namespace

CarryPorts::Pools CarryPorts::in_use() const {
  Pools pools(ports_.pools->size());
  const auto mark = [&](const PortBit& bit) { pools[bit.pool].used[bit.word] |= bit.mask; };
  for_each_port(flows4_->values(), ports_.base, mark);
  for_each_port(flows6_->values(), ports_.base, mark);
  return pools;
}

std::atomic_ref<__u64> CarryPorts::word_of(std::size_t pool, std::size_t word) const {
  return std::atomic_ref((*ports_.pools)[pool].used[word]);
}

void CarryPorts::carry() {
  const Pools now = in_use();
  for (std::size_t pool = 0; pool < now.size(); ++pool)
    for (std::size_t word = 0; word < LB_SNAT_POOL_WORDS; ++word)
      if (adopted_)
        word_of(pool, word).fetch_or(now[pool].used[word]);
      else
        word_of(pool, word).store(now[pool].used[word]);
}

void CarryPorts::divide(const ForeignMap* theirs) {
  const auto from = theirs ? ForeignPools::map(*theirs) : std::nullopt;
  reserved_.assign(ports_.pools->size(), {});
  for (std::size_t pool = 0; pool < reserved_.size(); ++pool)
    for (std::size_t word = 0; word < ports_.words; ++word) {
      const auto used = word_of(pool, word);
      const std::uint64_t ours = from ? from->take(pool, word, kEveryOther & ~used.load()) : 0;
      reserved_[pool].used[word] = ~ours & ~used.fetch_or(~ours);
    }
}

// What was marked by nobody else has no flow here but what was carried since.
void CarryPorts::finish() {
  const Pools now = in_use();
  for (std::size_t pool = 0; pool < now.size(); ++pool)
    for (std::size_t word = 0; word < LB_SNAT_POOL_WORDS; ++word) {
      word_of(pool, word).fetch_or(now[pool].used[word]);
      if (!reserved_.empty()) word_of(pool, word).fetch_and(~(reserved_[pool].used[word] & ~now[pool].used[word]));
    }
}

}  // namespace fairlead::datapath
