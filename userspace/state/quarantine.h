// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>

#include "userspace/state/backend_slots.h"
#include "userspace/state/held.h"
#include "userspace/state/placed_port.h"
#include "userspace/state/pool_space.h"

namespace fairlead::state {

// Slots and space that were given up, and that the datapath may still follow: they rest before they are used again.
class Quarantine {
 public:
  static constexpr std::chrono::seconds kTime{5};

  Quarantine(BackendSlots& backends, PoolSpace& pools) : backends_(backends), pools_(pools) {}

  void add_backend(std::uint32_t slot, Time now) { rest({now + kTime, Space::kBackend, slot, 1}); }
  void add_pool(const lb_service& pool, Time now);
  // What has rested is given back, what is held goes on resting. Whether any was given back.
  bool tick(Time now, const Held& held);
  std::optional<Time> next_tick() const;

 private:
  enum class Space { kBackend, kRing, kMembers };
  struct Resting {
    Time due;
    Space space;
    std::uint32_t offset;
    std::uint32_t units;
  };

  void rest(const Resting& resting) { resting_.push_back(resting); }
  static bool is_held(const Resting& resting, const Held& held);
  void reuse(const Resting& rested);

  BackendSlots& backends_;
  PoolSpace& pools_;
  std::deque<Resting> resting_;
};

}  // namespace fairlead::state
