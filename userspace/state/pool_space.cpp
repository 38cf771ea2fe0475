// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/pool_space.h"

namespace fairlead::state {
namespace {

constexpr std::uint32_t kSmallestMemberBlock = 4;

Error no_block(const PortSpec& spec, const std::string& what, std::uint32_t units, const BuddyAllocator& arena) {
  return {"service port " + spec.name + ": no room for " + what + ": a block of " +
              std::to_string(arena.block_size(units)) + " needed, " + std::to_string(arena.used()) + " of " +
              std::to_string(arena.capacity()) + " taken",
          ENOSPC};
}

}  // namespace

PoolSpace::PoolSpace(Desired& desired, const Limits& limits)
    : desired_(desired), rings_(limits.ring_slots, LB_RING_MIN_SLOTS), members_(limits.members, kSmallestMemberBlock) {
}

Result<lb_service> PoolSpace::place(const PortSpec& spec, const PoolSpec& pool, std::uint32_t id, Members members) {
  lb_service value{};
  value.id = id;
  value.flags = pool.flags;
  if (pool.members.empty()) return value;

  value.ring_slots = static_cast<std::uint32_t>(pool.ring->size());
  value.member_count = static_cast<std::uint32_t>(members->size());
  const auto ring = rings_.allocate(value.ring_slots);
  if (!ring) return no_block(spec, "ring slots", value.ring_slots, rings_);
  const auto list = members_.allocate(value.member_count);
  if (!list) {
    rings_.release(*ring, value.ring_slots);
    return no_block(spec, "ring members", value.member_count, members_);
  }
  value.ring_offset = *ring;
  value.member_offset = *list;
  desired_.tables.rings[*ring] = pool.ring;
  desired_.tables.members[*list] = std::move(members);
  desired_.touched.rings.insert(*ring);
  desired_.touched.members.insert(*list);
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
}

bool PoolSpace::adopt(const lb_service& value, Ring ring, Members members) {
  if (!rings_.reserve(value.ring_offset, value.ring_slots)) return false;
  if (!members_.reserve(value.member_offset, value.member_count)) {
    rings_.release(value.ring_offset, value.ring_slots);
    return false;
  }
  desired_.tables.rings[value.ring_offset] = std::move(ring);
  desired_.tables.members[value.member_offset] = std::move(members);
  return true;
}

}  // namespace fairlead::state
