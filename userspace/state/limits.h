// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace fairlead::state {

// How much fits. Every number is a property of the maps as they were created.
struct Limits {
  std::uint32_t frontends = 0;
  std::uint32_t addresses = 0;
  std::uint32_t service_ports = 0;
  std::uint32_t backends = 0;
  std::uint32_t ring_slots = 0;  // a power of two
  std::uint32_t members = 0;     // a power of two
};

constexpr Limits kNoLimits{~0u, ~0u, ~0u, ~0u, ~0u, ~0u};

// What newcomers leave free of backends, ring slots and members: a service port that is in the maps needs room for its
// new endpoints beside that of the old ones, which is only given up afterwards.
constexpr std::uint32_t reserve(std::uint32_t limit) {
  return limit / 8;
}

// How much of that is taken, what rests included.
struct Usage {
  std::uint32_t frontends, addresses, service_ports, backends, ring_slots, members;
};

}  // namespace fairlead::state
