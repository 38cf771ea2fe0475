// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "maps/abi.h"

namespace fairlead::datapath {

// The kernel's HZ, by the resolution of its coarse clocks.
std::uint32_t jiffies_per_second();

// As many as a life may have at most.
inline std::uint32_t ticks_of(std::uint64_t seconds, std::uint32_t jiffies_per_second) {
  const std::uint64_t ticks = (std::min<std::uint64_t>(seconds, LB_TICKS_MAX) * jiffies_per_second) >> LB_TICK_SHIFT;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(ticks, LB_TICKS_MAX));
}

inline std::int32_t seconds_of(std::int32_t ticks, std::uint32_t jiffies_per_second) {
  return static_cast<std::int32_t>(std::int64_t{ticks} * (1 << LB_TICK_SHIFT) / jiffies_per_second);
}

// How entries that another build has left say when they expire, and what this build makes of it. Before layout 2 of
// lb_clock that was in seconds that a daemon had counted in lb_clock.now.
struct ExpiryOf {
  bool in_seconds = false;
  std::uint32_t theirs = 0;  // now
  std::uint32_t ours = 0;    // now, in ticks
  std::uint32_t jiffies_per_second = 0;

  std::uint32_t convert(std::uint32_t expires) const {
    if (!in_seconds) return expires;
    const auto left = static_cast<std::int32_t>(expires - theirs);
    return left < 0 ? ours - 1 : ours + ticks_of(static_cast<std::uint32_t>(left), jiffies_per_second);
  }
};

}  // namespace fairlead::datapath
