// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "maps/limits.h"

namespace fairlead::compile {

// One backend as the ring sees it: who it is, the same on every node, and how much of the ring it shall have.
struct RingMember {
  std::uint64_t identity = 0;  // a hash of address, port and protocol
  std::uint32_t weight = 1;
};

// How many slots a ring for this many backends has: about as many as these for each, a power of two within the ABI's
// bounds.
std::uint32_t ring_slots(std::size_t backends, std::uint32_t per_backend = LB_RING_SLOTS_PER_BACKEND);

// Fills a Maglev ring (Eisenbud et al., NSDI 2016, section 3.4): backends take turns to claim the next free slot of
// their own permutation, and one with twice the weight has twice the turns. Slots hold indices into members.
//
// The result depends on identities and weights alone, not on the order of members: equal sets give equal rings on every
// node. Members with weight 0 get no slot. slots is a power of two; there are at most 65535 members, and without a
// member that has weight the result is empty.
std::vector<std::uint16_t> fill_ring(std::span<const RingMember> members, std::uint32_t slots);

}  // namespace fairlead::compile
