// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/state/backend_slots.h"
#include "userspace/state/placed_port.h"
#include "userspace/state/pool_space.h"

namespace fairlead::state {

// Reads back what an earlier daemon left in the maps, as far as it is consistent, into the parts of a fresh Placement.
class Adoption {
 public:
  struct Into {
    const Limits& limits;
    Desired& desired;
    PlacedPorts& ports;
    Numbers& ids;
    AddressBook& addresses;
    BackendSlots& backends;
    PoolSpace& pools;
  };
  Adoption(const Tables& actual, Into into) : actual_(actual), into_(into) {}

  void take_over();

 private:
  void take_names();
  void take_backend(std::uint32_t slot, const lb_backend& backend);
  void take_frontend(const lb_service_key& key, const lb_service& value);
  bool take_pool(PlacedPort& port, const lb_service& value);
  bool is_whole(const lb_service& value, const std::vector<std::uint16_t>& ring,
                const std::vector<std::uint32_t>& members, const PlacedPort& port) const;

  const Tables& actual_;
  Into into_;
};

}  // namespace fairlead::state
