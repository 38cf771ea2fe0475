// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/placement.h"

#include <algorithm>

#include "userspace/state/admission.h"
#include "userspace/state/adoption.h"

namespace fairlead::state {
Placement::Placement(const Limits& limits, std::uint32_t first_generation)
    : limits_(limits), backends_(desired_, addresses_, first_generation), pools_(desired_, limits) {
}

void Placement::adopt(const Tables& actual) {
  Adoption(actual, {limits_, desired_, ports_, ids_, addresses_, backends_, pools_}).take_over();
}

Result<> Placement::put(const PortSpec& spec, Time now) {
  const auto [it, is_new] = ports_.try_emplace(spec.name);
  PlacedPort& port = it->second;
  const auto fail = [&](Error error) -> Result<> {
    if (is_new) ports_.erase(it);
    return error;
  };
  if (const auto admitted = Admission(limits_, usage(), desired_.tables, addresses_).admit(spec, port); !admitted) {
    if (may_lack_room(spec)) room_wanted_ = now;
    return fail(admitted.error());
  }

  if (is_new) {
    port.id = ids_.take();
    desired_.tables.names[port.id] = spec.name;
    desired_.touched.names.insert(port.id);
  }
  const Endpoints added = place_backends(spec, port);
  if (const auto placed = place_pools(spec, port, now); !placed) {
    forget_backends(added, port);
    if (is_new) {
      desired_.tables.names.erase(port.id);
      ids_.give_back(port.id);
    }
    return fail(placed.error());
  }
  port.removed = false;
  port.is_in |= !port.slots.empty();
  keep_backends(spec, port);
  place_frontends(spec, port);
  retire_backends(spec, port, now);
  return {};
}

void Placement::remove(const std::string& name, Time now) {
  const auto it = ports_.find(name);
  if (it == ports_.end() || it->second.removed) return;
  PlacedPort& port = it->second;
  PortSpec nothing;
  nothing.name = name;
  place_frontends(nothing, port);
  retire_backends(nothing, port, now);
  for (const lb_service& pool : port.pools)
    give_up(pool, now);
  port.pools.clear();
  port.removed = true;
  port.is_in = false;
  if (port.slots.empty()) leaving_.insert({now + kRetireAfter, {name, {}}});
}

// Gives a slot to every endpoint that is to have one and has none, and returns these endpoints.
Placement::Endpoints Placement::place_backends(const PortSpec& spec, PlacedPort& port) {
  Endpoints added;
  for (const BackendSpec& backend : spec.backends) {
    if (!backend.keeps_flows) continue;
    const auto [it, is_new] = port.slots.try_emplace(backend.endpoint);
    if (!is_new) continue;
    it->second.index = backends_.take(backend.endpoint, port.id);
    added.push_back(backend.endpoint);
  }
  return added;
}

// Undoes place_backends().
void Placement::forget_backends(const Endpoints& endpoints, PlacedPort& port) {
  for (const lb_service_key& endpoint : endpoints) {
    const auto it = port.slots.find(endpoint);
    backends_.forget(it->second.index);
    port.slots.erase(it);
  }
}

// The backends are to be what the spec says, also those that were about to leave.
void Placement::keep_backends(const PortSpec& spec, PlacedPort& port) {
  for (const BackendSpec& backend : spec.backends) {
    if (!backend.keeps_flows) continue;
    PlacedPort::Slot& slot = port.slots.at(backend.endpoint);
    slot.due.reset();
    lingering_.erase(slot.index);
    backends_.keep(slot.index, backend.flags);
  }
}

// Pools that are the same as before stay where they are; the others get new space before the old is given up, because
// the datapath reads the old until the last frontend is rewritten.
Result<> Placement::place_pools(const PortSpec& spec, PlacedPort& port, Time now) {
  if (auto admitted = pools_.admit(spec, port); !admitted) return admitted;
  std::vector<lb_service> old = port.pools, pools, added;
  for (const PoolSpec& pool : spec.pools) {
    const Members members = members_of(spec, pool, port);
    const auto same = std::find_if(old.begin(), old.end(),
                                   [&](const lb_service& placed) { return pools_.holds(placed, pool, members); });
    if (same != old.end()) {
      pools.push_back(*same);
      old.erase(same);
      continue;
    }
    const auto placed = pools_.place(spec, pool, port.id, members);
    if (!placed) {
      for (const lb_service& unpublished : added)
        forget(unpublished);
      return placed.error();
    }
    pools.push_back(*placed);
    added.push_back(*placed);
  }
  for (const lb_service& pool : old)
    give_up(pool, now);
  port.pools = std::move(pools);
  return {};
}

// The slots of the pool's members.
Members Placement::members_of(const PortSpec& spec, const PoolSpec& pool, const PlacedPort& port) const {
  std::vector<std::uint32_t> slots;
  slots.reserve(pool.members.size());
  for (const std::uint32_t member : pool.members)
    slots.push_back(port.slots.at(spec.backends[member].endpoint).index);
  return std::make_shared<const std::vector<std::uint32_t>>(std::move(slots));
}

// The datapath may have read the pool's space, so it rests before it is used again.
void Placement::give_up(const lb_service& pool, Time now) {
  if (!pool.ring_slots) return;
  pools_.remove(pool);
  quarantine_.add_pool(pool, now);
}

// What was never published does not have to rest.
void Placement::forget(const lb_service& pool) {
  if (!pool.ring_slots) return;
  pools_.remove(pool);
  pools_.release_ring(pool.ring_offset, pool.ring_slots);
  pools_.release_members(pool.member_offset, pool.member_count);
}

void Placement::place_frontends(const PortSpec& spec, PlacedPort& port) {
  AbiSet<lb_service_key> frontends;
  for (const auto& [key, pool] : spec.frontends) {
    if (!frontends.insert(key).second) continue;
    if (!port.frontends.contains(key)) take_frontend(key);
    desired_.tables.services[key] = port.pools[pool];
    desired_.touched.services.insert(key);
  }
  for (const lb_service_key& key : port.frontends)
    if (!frontends.contains(key)) remove_frontend(key);
  port.frontends = std::move(frontends);
}

// A frontend that moves from one port to another is the newcomer's at once; that the other is put or removed only
// afterwards must not take it away again.
void Placement::take_frontend(const lb_service_key& key) {
  const auto placed = desired_.tables.services.find(key);
  if (placed == desired_.tables.services.end())
    addresses_.add_frontend(key);
  else
    ports_.at(desired_.tables.names.at(placed->second.id)).frontends.erase(key);
}

void Placement::remove_frontend(const lb_service_key& key) {
  desired_.tables.services.erase(key);
  desired_.touched.services.insert(key);
  addresses_.remove_frontend(key);
  has_freed_ = true;
}

void Placement::retire_backends(const PortSpec& spec, PlacedPort& port, Time now) {
  AbiMap<lb_service_key, bool> there;  // and whether it keeps its flows
  for (const BackendSpec& backend : spec.backends)
    there[backend.endpoint] = backend.keeps_flows;
  for (auto& [endpoint, slot] : port.slots) {
    const auto it = there.find(endpoint);
    if (it == there.end() ? slot.due.has_value() : it->second) continue;
    if (it == there.end()) backends_.leave(slot.index);
    leave({spec.name, endpoint}, slot, it == there.end() ? now + kRetireAfter : now);
  }
}

void Placement::leave(const Leaving& leaving, PlacedPort::Slot& slot, Time due) {
  if (slot.due && *slot.due <= due) return;
  slot.due = due;
  leaving_.insert({due, leaving});
}

// One endpoint's time is up, unless it came back meanwhile.
void Placement::retire(const Leaving& leaving, Time now) {
  const auto it = ports_.find(leaving.port);
  if (it == ports_.end()) return;
  const auto slot = it->second.slots.find(leaving.endpoint);
  const std::optional<Time> due = slot != it->second.slots.end() ? slot->second.due : std::nullopt;
  if (due && *due <= now) {
    if (backends_.has_left_alive(slot->second.index))
      linger(slot->second.index, leaving);
    else
      retire_backend(it->second, leaving.endpoint, now);
  }
  retire_port(leaving.port);
}

// Who is refused may ask for its place from now on.
void Placement::linger(std::uint32_t slot, const Leaving& leaving) {
  lingering_.insert({slot, leaving});
  has_freed_ = true;
}

void Placement::retire_backend(PlacedPort& port, const lb_service_key& endpoint, Time now) {
  const auto slot = port.slots.find(endpoint);
  backends_.retire(slot->second.index);
  quarantine_.add_backend(slot->second.index, now);
  port.slots.erase(slot);
}

// A removed port goes with the last of its backends.
void Placement::retire_port(const std::string& name) {
  const auto it = ports_.find(name);
  if (!it->second.removed || !it->second.slots.empty()) return;
  desired_.tables.names.erase(it->second.id);
  desired_.touched.names.insert(it->second.id);
  ids_.give_back(it->second.id);
  ports_.erase(it);
  has_freed_ = true;
}

// Room for who wants an address that has gone, or one that has come: the node's are had whether they fit or not.
void Placement::set_node_addresses(const std::vector<NodeAddress>& addresses) {
  if (addresses_.set_node_addresses(addresses)) has_freed_ = true;
}

std::map<std::uint32_t, std::uint32_t> Placement::lingering_backends() const {
  std::map<std::uint32_t, std::uint32_t> generations;
  for (const auto& [slot, leaving] : lingering_)
    generations[slot] = backends_.generation(slot);
  return generations;
}

void Placement::release_backends(const std::set<std::uint32_t>& slots, Time now) {
  for (const std::uint32_t slot : slots) {
    const auto it = lingering_.find(slot);
    if (it == lingering_.end()) continue;
    const Leaving leaving = lingering_.extract(it).mapped();
    retire_backend(ports_.at(leaving.port), leaving.endpoint, now);
    retire_port(leaving.port);
  }
}

// Whether who is nobody's endpoint any more may be in the way of others.
bool Placement::may_lack_room(const PortSpec& spec) const {
  return !lingering_.empty() &&
         (backends_.used() + spec.backends.size() > limits_.backends - reserve(limits_.backends) ||
          ports_.size() > limits_.service_ports);
}

// For what was refused, and is tried again when room is given up.
void Placement::make_room(Time now) {
  std::set<std::uint32_t> slots;
  for (const auto& [slot, leaving] : lingering_)
    slots.insert(slot);
  release_backends(slots, now);
}

void Placement::tick(Time now, const Held& held) {
  if (std::exchange(room_wanted_, std::nullopt)) make_room(now);
  while (!leaving_.empty() && leaving_.begin()->first <= now)
    retire(leaving_.extract(leaving_.begin()).mapped(), now);
  if (quarantine_.tick(now, held)) has_freed_ = true;
}

std::optional<Time> Placement::next_tick() const {
  std::optional<Time> next = quarantine_.next_tick();
  const auto also = [&next](Time due) { next = next ? std::min(*next, due) : due; };
  if (!leaving_.empty()) also(leaving_.begin()->first);
  if (room_wanted_) also(*room_wanted_);
  return next;
}

void Placement::set_devices(Devices::Content devices) {
  for (const auto* content : {&desired_.tables.devices, &devices})
    for (const auto& [ifindex, device] : *content)
      desired_.touched.devices.insert(ifindex);
  desired_.tables.devices = std::move(devices);
}

std::vector<std::string> Placement::names() const {
  std::vector<std::string> names;
  for (const auto& [name, port] : ports_)
    if (!port.removed) names.push_back(name);
  return names;
}

std::optional<std::uint32_t> Placement::slot(const std::string& name, const lb_service_key& endpoint) const {
  const auto port = ports_.find(name);
  if (port == ports_.end()) return std::nullopt;
  const auto slot = port->second.slots.find(endpoint);
  return slot == port->second.slots.end() ? std::nullopt : std::optional(slot->second.index);
}

bool Placement::has_port(const std::string& name) const {
  const auto port = ports_.find(name);
  return port != ports_.end() && !port->second.removed;
}

std::optional<std::uint32_t> Placement::id(const std::string& name) const {
  const auto port = ports_.find(name);
  return port == ports_.end() ? std::nullopt : std::optional(port->second.id);
}

AbiSet<lb_service_key> Placement::ring_members(const std::string& name) const {
  AbiSet<lb_service_key> endpoints;
  const auto port = ports_.find(name);
  if (port == ports_.end()) return endpoints;
  for (const lb_service& pool : port->second.pools) {
    if (!pool.ring_slots) continue;
    for (const std::uint32_t slot : *desired_.tables.members.at(pool.member_offset)) {
      const lb_backend& backend = desired_.tables.backends.at(slot);
      endpoints.insert({backend.addr, backend.port, backend.proto, backend.family});
    }
  }
  return endpoints;
}

bool Placement::has_frontend(const std::string& name, const lb_service_key& frontend) const {
  const auto port = ports_.find(name);
  return port != ports_.end() && port->second.frontends.contains(frontend);
}

Usage Placement::usage() const {
  return {static_cast<std::uint32_t>(desired_.tables.services.size()),
          static_cast<std::uint32_t>(desired_.tables.addresses.size()),
          static_cast<std::uint32_t>(ports_.size()),
          backends_.used(),
          pools_.ring_slots_used(),
          pools_.members_used()};
}

}  // namespace fairlead::state
