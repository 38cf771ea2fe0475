// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "userspace/state/tables.h"

namespace fairlead::state {

using Time = std::chrono::steady_clock::time_point;

// A service port's place in the maps.
struct PlacedPort {
  struct Slot {
    std::uint32_t index = 0;
    std::optional<Time> due;  // no longer desired: leaves then
  };
  std::uint32_t id = 0;
  bool removed = false;                // waits for its last backend to leave
  bool is_in = false;                  // has had a backend: it may use what newcomers leave free
  AbiMap<lb_service_key, Slot> slots;  // by endpoint
  std::vector<lb_service> pools;       // as they are in the desired services, for every frontend of the pool
  AbiSet<lb_service_key> frontends;    // those of the desired services that have this id
};

using PlacedPorts = std::unordered_map<std::string, PlacedPort>;

}  // namespace fairlead::state
