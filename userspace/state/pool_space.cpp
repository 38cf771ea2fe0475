// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/pool_space.h"

#include <algorithm>

namespace fairlead::state {
namespace {

constexpr std::uint32_t kSmallestMemberBlock = 4;

constexpr const char* kRingSlots = "ring slots";
constexpr const char* kRingMembers = "ring members";

Error no_block(const PortSpec& spec, const std::string& what, std::uint32_t units, const BuddyAllocator& arena,
               int code) {
  return {"service port " + spec.name + ": no room for " + what + ": a block of " +
              std::to_string(arena.block_size(units)) + " needed, " + std::to_string(arena.used()) + " of " +
              std::to_string(arena.capacity()) + " taken",
          code};
}

// Eighths of an arena: what newcomers may fill it to.
constexpr std::uint32_t kMost = 7;
static_assert(reserve(8) == 8 - kMost);

std::uint64_t room(const BuddyAllocator& arena, std::uint32_t share) {
  return std::uint64_t{arena.capacity()} * share / 8;
}

Error beyond_share(const PortSpec& spec, const std::string& what, std::uint64_t needed, const BuddyAllocator& arena,
                   std::uint32_t share, int code) {
  return {"service port " + spec.name + ": no room for " + what + ": " + std::to_string(needed) +
              " needed, the map has " + std::to_string(room(arena, share)) + " of " + std::to_string(arena.capacity()) +
              " for those that come or grow",
          code};
}

}  // namespace

std::uint32_t ring_share(std::size_t slots, std::size_t members) {
  if (slots <= LB_RING_MIN_SLOTS || slots < members * LB_RING_SLOTS_PER_BACKEND / 2) return kMost;
  return slots < members * LB_RING_SLOTS_PER_BACKEND ? 6 : 4;
}

PoolSpace::PoolSpace(Desired& desired, const Limits& limits)
    : desired_(desired), rings_(limits.ring_slots, LB_RING_MIN_SLOTS), members_(limits.members, kSmallestMemberBlock) {
}

Result<> PoolSpace::admit(const PortSpec& spec, const PlacedPort& port) const {
  std::uint64_t before = 0, slots = 0, smallest = 0, members = desired_members_;
  std::uint32_t share = kMost;
  for (const lb_service& pool : port.pools)
    before += pool.ring_slots;
  for (const PoolSpec& pool : spec.pools) {
    if (pool.members.empty()) continue;
    slots += pool.ring->size();
    share = std::min(share, ring_share(pool.ring->size(), pool.members.size()));
    smallest += LB_RING_MIN_SLOTS;
    members += members_.block_size(static_cast<std::uint32_t>(pool.members.size()));
  }
  const bool grows = slots > (port.is_in ? std::max(before, smallest) : before);
  if (const std::uint64_t all = desired_ring_slots_ - before + slots; grows && all > room(rings_, share))
    return beyond_share(spec, kRingSlots, all, rings_, share, kNoRing);
  if (!port.is_in && slots && members > room(members_, kMost))
    return beyond_share(spec, kRingMembers, members, members_, kMost, ENOSPC);
  return {};
}

bool PoolSpace::has_ring_room(std::uint32_t slots, std::uint32_t share) const {
  return std::uint64_t{desired_ring_slots_} + slots <= room(rings_, share);
}

Result<lb_service> PoolSpace::place(const PortSpec& spec, const PoolSpec& pool, std::uint32_t id, Members members) {
  lb_service value{};
  value.id = id;
  value.flags = pool.flags;
  if (pool.members.empty()) return value;

  value.ring_slots = static_cast<std::uint32_t>(pool.ring->size());
  value.member_count = static_cast<std::uint32_t>(members->size());
  const auto ring = rings_.allocate(value.ring_slots);
  if (!ring) return no_block(spec, kRingSlots, value.ring_slots, rings_, kNoRing);
  const auto list = members_.allocate(value.member_count);
  if (!list) {
    rings_.release(*ring, value.ring_slots);
    return no_block(spec, kRingMembers, value.member_count, members_, ENOSPC);
  }
  value.ring_offset = *ring;
  value.member_offset = *list;
  desired_.tables.rings[*ring] = pool.ring;
  desired_.tables.members[*list] = std::move(members);
  desired_.touched.rings.insert(*ring);
  desired_.touched.members.insert(*list);
  count(value, 1);
  return value;
}

bool PoolSpace::holds(const lb_service& placed, const PoolSpec& pool, const Members& members) const {
  if (pool.members.empty() || placed.flags != pool.flags) return false;
  const auto& [rings, lists] = std::tie(desired_.tables.rings, desired_.tables.members);
  const auto ring = rings.find(placed.ring_offset);
  const auto list = lists.find(placed.member_offset);
  return placed.member_count == members->size() && ring != rings.end() && list != lists.end() &&
         (ring->second == pool.ring || *ring->second == *pool.ring) && *list->second == *members;
}

void PoolSpace::remove(const lb_service& pool) {
  desired_.tables.rings.erase(pool.ring_offset);
  desired_.tables.members.erase(pool.member_offset);
  desired_.touched.rings.insert(pool.ring_offset);
  desired_.touched.members.insert(pool.member_offset);
  count(pool, -1);
}

void PoolSpace::count(const lb_service& pool, int change) {
  desired_ring_slots_ += change * rings_.block_size(pool.ring_slots);
  desired_members_ += change * members_.block_size(pool.member_count);
}

bool PoolSpace::adopt(const lb_service& value, Ring ring, Members members) {
  if (!rings_.reserve(value.ring_offset, value.ring_slots)) return false;
  if (!members_.reserve(value.member_offset, value.member_count)) {
    rings_.release(value.ring_offset, value.ring_slots);
    return false;
  }
  desired_.tables.rings[value.ring_offset] = std::move(ring);
  desired_.tables.members[value.member_offset] = std::move(members);
  count(value, 1);
  return true;
}

}  // namespace fairlead::state
