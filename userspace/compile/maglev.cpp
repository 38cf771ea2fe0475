// SPDX-License-Identifier: Apache-2.0
#include "userspace/compile/maglev.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace fairlead::compile {
namespace {

constexpr std::uint16_t kFree = 0xffff;

// splitmix64's finaliser: every bit of the identity decides about every bit of offset and step.
std::uint64_t scramble(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
  return value ^ (value >> 31);
}

// A member's walk over the slots. An odd step visits each of a power of two slots once.
struct Walk {
  std::uint16_t member;
  std::uint32_t weight;
  std::uint32_t position;
  std::uint32_t step;
  std::uint64_t credit;
};

}  // namespace

std::uint32_t ring_slots(std::size_t backends, std::uint32_t per_backend) {
  const std::uint64_t wanted = std::bit_ceil(static_cast<std::uint64_t>(backends) * per_backend);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(wanted, LB_RING_MIN_SLOTS, LB_RING_MAX_SLOTS));
}

std::vector<std::uint16_t> fill_ring(std::span<const RingMember> members, std::uint32_t slots) {
  std::vector<std::size_t> order(members.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return members[a].identity < members[b].identity; });

  std::vector<Walk> walks;
  std::uint32_t heaviest = 0;
  for (const std::size_t member : order) {
    if (!members[member].weight) continue;
    const std::uint64_t hash = scramble(members[member].identity);
    walks.push_back({static_cast<std::uint16_t>(member), members[member].weight,
                     static_cast<std::uint32_t>(hash) & (slots - 1),
                     (static_cast<std::uint32_t>(hash >> 32) | 1) & (slots - 1), 0});
    heaviest = std::max(heaviest, members[member].weight);
  }
  std::vector<std::uint16_t> ring;
  if (walks.empty()) return ring;
  ring.assign(slots, kFree);

  // Each round gives a member credit for its weight; a turn costs what the heaviest gets in a round.
  for (std::uint32_t filled = 0; filled < slots;) {
    for (Walk& walk : walks) {
      walk.credit += walk.weight;
      if (walk.credit < heaviest) continue;
      walk.credit -= heaviest;
      while (ring[walk.position] != kFree)
        walk.position = (walk.position + walk.step) & (slots - 1);
      ring[walk.position] = walk.member;
      if (++filled == slots) break;
    }
  }
  return ring;
}

}  // namespace fairlead::compile
