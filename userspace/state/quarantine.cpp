// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/quarantine.h"

namespace fairlead::state {

void Quarantine::add_pool(const lb_service& pool, Time now) {
  rest({now + kTime, Space::kRing, pool.ring_offset, pool.ring_slots});
  rest({now + kTime, Space::kMembers, pool.member_offset, pool.member_count});
}

bool Quarantine::tick(Time now, const Held& held) {
  bool has_freed = false;
  while (!resting_.empty() && resting_.front().due <= now) {
    Resting rested = resting_.front();
    resting_.pop_front();
    if (is_held(rested, held)) {
      rested.due = now + kTime;
      rest(rested);
    } else {
      reuse(rested);
      has_freed = true;
    }
  }
  return has_freed;
}

std::optional<Time> Quarantine::next_tick() const {
  return resting_.empty() ? std::nullopt : std::optional(resting_.front().due);
}

bool Quarantine::is_held(const Resting& resting, const Held& held) {
  switch (resting.space) {
    case Space::kBackend:
      return held.has_backend(resting.offset);
    case Space::kRing:
      return held.has_ring(resting.offset, resting.units);
    case Space::kMembers:
      return held.has_members(resting.offset, resting.units);
  }
  return false;
}

void Quarantine::reuse(const Resting& rested) {
  switch (rested.space) {
    case Space::kBackend:
      backends_.reuse(rested.offset);
      break;
    case Space::kRing:
      pools_.release_ring(rested.offset, rested.units);
      break;
    case Space::kMembers:
      pools_.release_members(rested.offset, rested.units);
      break;
  }
}

}  // namespace fairlead::state
