// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>

#include "userspace/state/buddy.h"
#include "userspace/state/desired.h"
#include "userspace/state/limits.h"
#include "userspace/state/placed_port.h"
#include "userspace/state/port_spec.h"
#include "userspace/util/result.h"

namespace fairlead::state {

// Ring slots are u16, and one value is left for "no member yet" while a ring is filled.
constexpr std::uint32_t kLongestMemberList = 65535;

// Of an error: there is no room for rings of this size.
constexpr int kNoRing = ENOBUFS;

// The part of the arena, in eighths, that may be in use where such a ring comes in, or grows: rings get smaller before
// the last ones find no room at all.
std::uint32_t ring_share(std::size_t slots, std::size_t members);

// Space for the rings and member lists of pools. What is placed is never changed in place.
class PoolSpace {
 public:
  PoolSpace(Desired& desired, const Limits& limits);

  // Whether the pools of the spec may take the place of those that the port has: newcomers, and rings that grow, stay
  // within their share, and leave the reserve free. A smallest ring for each pool is no growth. Of rings the error has
  // the code kNoRing.
  Result<> admit(const PortSpec& spec, const PlacedPort& port) const;
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
  // Whether rings of this share of the arena may grow by so much.
  bool has_ring_room(std::uint32_t slots, std::uint32_t share) const;
  // Whether ring slots that were given up will be free soon.
  bool has_resting_rings() const { return rings_.used() > desired_ring_slots_; }

  // Takes the space that an entry of an earlier daemon leads to. False, and nothing taken, where it can't be.
  bool adopt(const lb_service& value, Ring ring, Members members);

 private:
  void count(const lb_service& pool, int change);

  Desired& desired_;
  BuddyAllocator rings_, members_;
  std::uint32_t desired_ring_slots_ = 0, desired_members_ = 0;  // what rests is used too, but not desired any more
};

}  // namespace fairlead::state
