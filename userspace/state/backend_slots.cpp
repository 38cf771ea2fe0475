// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/backend_slots.h"

namespace fairlead::state {

BackendSlots::BackendSlots(Desired& desired, AddressBook& addresses, std::uint32_t first_generation)
    : desired_(desired), addresses_(addresses), next_generation_(std::max(first_generation, 1u)) {
}

std::uint32_t BackendSlots::take(const lb_service_key& endpoint, std::uint32_t service_id) {
  const std::uint32_t slot = slots_.take();
  lb_backend& value = desired_.tables.backends[slot];
  value = {};
  value.addr = endpoint.addr;
  value.port = endpoint.port;
  value.proto = endpoint.proto;
  value.family = endpoint.family;
  value.generation = new_generation();
  value.service_id = service_id;
  return slot;
}

void BackendSlots::forget(std::uint32_t slot) {
  desired_.tables.backends.erase(slot);
  slots_.give_back(slot);
}

void BackendSlots::keep(std::uint32_t slot, std::uint32_t flags) {
  set_flags(desired_.tables.backends[slot], flags);
  desired_.touched.backends.insert(slot);
}

void BackendSlots::leave(std::uint32_t slot) {
  const lb_backend& backend = desired_.tables.backends.at(slot);
  if (!lb_flow_has_end(backend.proto) || backend.flags & LB_BACKEND_DRAINING) return;
  keep(slot, backend.flags | LB_BACKEND_DRAINING | LB_BACKEND_LEFT);
}

void BackendSlots::retire(std::uint32_t slot) {
  set_flags(desired_.tables.backends[slot], 0);
  desired_.tables.backends.erase(slot);
  desired_.touched.backends.insert(slot);
}

void BackendSlots::set_flags(lb_backend& backend, std::uint32_t flags) {
  const bool was_local = backend.flags & LB_BACKEND_LOCAL, is_local = flags & LB_BACKEND_LOCAL;
  backend.flags = flags;
  if (is_local && !was_local) addresses_.add_local(backend);
  if (was_local && !is_local) addresses_.remove_local(backend);
}

// 0 means a free slot, so it is left out when the numbers start anew.
std::uint32_t BackendSlots::new_generation() {
  const std::uint32_t generation = next_generation_++;
  if (next_generation_ == 0) next_generation_ = 1;
  return generation;
}

void BackendSlots::skip_generation(std::uint32_t generation) {
  next_generation_ = std::max(next_generation_, generation + 1);
}

void BackendSlots::adopt(std::uint32_t slot, const lb_backend& backend) {
  lb_backend& value = desired_.tables.backends[slot] = backend;
  value.flags = 0;
  set_flags(value, backend.flags);
}

}  // namespace fairlead::state
