// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/state/buddy.h"
#include "userspace/state/desired.h"
#include "userspace/state/limits.h"
#include "userspace/state/port_spec.h"
#include "userspace/util/result.h"

namespace fairlead::state {

// Ring slots are u16, and one value is left for "no member yet" while a ring is filled.
constexpr std::uint32_t kLongestMemberList = 65535;

// Space for the rings and member lists of pools. What is placed is never changed in place.
class PoolSpace {
 public:
  PoolSpace(Desired& desired, const Limits& limits);

  // The entry of a service port with this id that leads to the pool. The error names the port of the spec.
  Result<lb_service> place(const PortSpec& spec, const PoolSpec& pool, std::uint32_t id, Members members);
  // Whether a placed pool is this one.
  bool holds(const lb_service& placed, const PoolSpec& pool, const Members& members) const;
  // Nobody desires it any more; release its space when nobody can read it any more.
  void remove(const lb_service& pool);
  void release_ring(std::uint32_t offset, std::uint32_t slots) { rings_.release(offset, slots); }
  void release_members(std::uint32_t offset, std::uint32_t count) { members_.release(offset, count); }

  std::uint32_t ring_slots_used() const { return rings_.used(); }
  std::uint32_t members_used() const { return members_.used(); }

  // Takes the space that an entry of an earlier daemon leads to. False, and nothing taken, where it can't be.
  bool adopt(const lb_service& value, Ring ring, Members members);

 private:
  Desired& desired_;
  BuddyAllocator rings_, members_;
};

}  // namespace fairlead::state
