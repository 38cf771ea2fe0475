// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/adoption.h"

#include <algorithm>
#include <bit>

namespace fairlead::state {
namespace {

// Whether the entry is one that PoolSpace could have made.
bool is_well_formed(const lb_service& value) {
  if (!value.ring_slots)
    return (value.flags == LB_SERVICE_REJECT || value.flags == LB_SERVICE_DROP) && !value.ring_offset &&
           !value.member_offset && !value.member_count;
  return !value.flags && std::has_single_bit(value.ring_slots) && value.ring_slots >= LB_RING_MIN_SLOTS &&
         value.ring_slots <= LB_RING_MAX_SLOTS && value.member_count && value.member_count <= kLongestMemberList;
}

}  // namespace

void Adoption::take_over() {
  into_.desired.tables.devices = actual_.devices;
  take_names();
  for (const auto& [slot, backend] : actual_.backends)
    take_backend(slot, backend);
  into_.backends.finish_adoption();
  for (const auto& [key, value] : actual_.services)
    take_frontend(key, value);
  for (const auto& [bucket, classes] : actual_.filter)
    into_.addresses.adopt(bucket, classes);
}

void Adoption::take_names() {
  for (const auto& [id, name] : actual_.names) {
    if (id >= into_.limits.service_ports || !into_.ports.try_emplace(name).second) continue;
    into_.ports[name].id = id;
    into_.desired.tables.names[id] = name;
  }
  into_.ids.adopt(into_.desired.tables.names);
}

void Adoption::take_backend(std::uint32_t slot, const lb_backend& backend) {
  into_.backends.skip_generation(backend.generation);
  const auto name = into_.desired.tables.names.find(backend.service_id);
  if (name == into_.desired.tables.names.end() || slot >= into_.limits.backends || !backend.generation ||
      !is_family(backend.family))
    return;
  const lb_service_key endpoint{backend.addr, backend.port, backend.proto, backend.family};
  if (!into_.ports.at(name->second).slots.try_emplace(endpoint, PlacedPort::Slot{slot, std::nullopt}).second) return;
  into_.ports.at(name->second).is_in = true;
  into_.backends.adopt(slot, backend);
}

void Adoption::take_frontend(const lb_service_key& key, const lb_service& value) {
  const auto name = into_.desired.tables.names.find(value.id);
  if (name == into_.desired.tables.names.end() || !is_family(key.family)) return;
  PlacedPort& port = into_.ports.at(name->second);
  if (!take_pool(port, value)) return;
  port.frontends.insert(key);
  into_.desired.tables.services[key] = value;
  into_.addresses.add_frontend(key);
}

bool Adoption::take_pool(PlacedPort& port, const lb_service& value) {
  if (std::any_of(port.pools.begin(), port.pools.end(), [&](auto& placed) { return AbiEqual{}(placed, value); }))
    return true;
  if (!is_well_formed(value)) return false;
  if (value.ring_slots) {
    const auto ring = actual_.rings.find(value.ring_offset);
    const auto list = actual_.members.find(value.member_offset);
    if (ring == actual_.rings.end() || list == actual_.members.end()) return false;
    if (!is_whole(value, *ring->second, *list->second, port) || !into_.pools.adopt(value, ring->second, list->second))
      return false;
  }
  port.pools.push_back(value);
  return true;
}

// Whether ring and members are of the size that the entry says, and lead to backends of this port only.
bool Adoption::is_whole(const lb_service& value, const std::vector<std::uint16_t>& ring,
                        const std::vector<std::uint32_t>& members, const PlacedPort& port) const {
  if (ring.size() != value.ring_slots || members.size() != value.member_count) return false;
  return std::all_of(ring.begin(), ring.end(), [&](std::uint16_t member) { return member < members.size(); }) &&
         std::all_of(members.begin(), members.end(), [&](std::uint32_t slot) {
           const auto backend = into_.desired.tables.backends.find(slot);
           return backend != into_.desired.tables.backends.end() && backend->second.service_id == port.id;
         });
}

}  // namespace fairlead::state
