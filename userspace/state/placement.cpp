// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/placement.h"

#include <algorithm>

namespace fairlead::state {
namespace {

constexpr std::array<std::uint8_t, 3> kClasses{LB_CLASS_VIP, LB_CLASS_NODE, LB_CLASS_BACKEND};
constexpr std::uint32_t kSmallestMemberBlock = 4;

bool is_nodeport(const lb_service_key& frontend) {
  return from_abi(frontend.addr, frontend.family).is_unspecified();
}

lb_address_key address_key(const lb_addr& addr, std::uint8_t family) {
  return {addr, family};
}

Error no_room(const PortSpec& spec, const std::string& what, std::uint32_t wanted, std::uint32_t limit) {
  return {"service port " + spec.name + ": no room for " + what + ": " + std::to_string(wanted) +
              " needed, the map holds " + std::to_string(limit),
          ENOSPC};
}

std::uint32_t take(std::set<std::uint32_t>& free, std::uint32_t& end) {
  if (free.empty()) return end++;
  const std::uint32_t lowest = *free.begin();
  free.erase(free.begin());
  return lowest;
}

}  // namespace

Placement::Placement(const Limits& limits, std::uint32_t first_generation)
    : limits_(limits),
      next_generation_(std::max(first_generation, 1u)),
      rings_(limits.ring_slots, LB_RING_MIN_SLOTS),
      members_(limits.members, kSmallestMemberBlock) {
}

Result<> Placement::put(const PortSpec& spec, Time now) {
  const auto [it, is_new] = ports_.try_emplace(spec.name);
  Port& port = it->second;
  const auto fail = [&](Error error) -> Result<> {
    if (is_new) ports_.erase(it);
    return error;
  };
  if (auto admitted = admit(spec, port); !admitted) return fail(admitted.error());

  if (is_new) {
    port.id = take(free_ids_, ids_end_);
    wanted_.names[port.id] = spec.name;
    touched_.names.insert(port.id);
  }
  const Endpoints added = place_backends(spec, port);
  if (auto placed = place_pools(spec, port, now); !placed) {
    forget_backends(added, port);
    if (is_new) {
      wanted_.names.erase(port.id);
      free_ids_.insert(port.id);
    }
    return fail(placed.error());
  }
  port.removed = false;
  place_frontends(spec, port);
  retire_backends(spec, port, now);
  return {};
}

void Placement::remove(const std::string& name, Time now) {
  const auto it = ports_.find(name);
  if (it == ports_.end() || it->second.removed) return;
  Port& port = it->second;
  PortSpec nothing;
  nothing.name = name;
  place_frontends(nothing, port);
  retire_backends(nothing, port, now);
  for (const lb_service& pool : port.pools)
    free_pool(pool, now);
  port.pools.clear();
  port.removed = true;
  if (!port.slots.empty()) return;
  leaving_.push_back({now + kRetireAfter, name, {}});
}

// Counts against the limits before anything is changed, so that a refusal leaves no trace. Ring and member space is not
// counted but tried, because a free block of the right size is what matters.
Result<> Placement::admit(const PortSpec& spec, const Port& port) const {
  const std::size_t frontends = wanted_.services.size() - port.frontends.size() + spec.frontends.size();
  if (frontends > limits_.frontends) return no_room(spec, "frontends", frontends, limits_.frontends);
  if (ports_.size() > limits_.service_ports)
    return no_room(spec, "service ports", ports_.size(), limits_.service_ports);

  AbiSet<lb_address_key> addresses;
  for (const FrontendSpec& frontend : spec.frontends)
    if (const auto key = address_key(frontend.key.addr, frontend.key.family);
        !is_nodeport(frontend.key) && !wanted_.addresses.contains(key))
      addresses.insert(key);
  if (const auto wanted = wanted_.addresses.size() + addresses.size(); wanted > limits_.addresses)
    return no_room(spec, "addresses", wanted, limits_.addresses);

  const auto added = std::count_if(spec.backends.begin(), spec.backends.end(),
                                   [&](const BackendSpec& backend) { return !port.slots.contains(backend.endpoint); });
  const std::size_t available = limits_.backends - slots_end_ + free_slots_.size();
  if (static_cast<std::size_t>(added) > available)
    return no_room(spec, "backends", slots_end_ - free_slots_.size() + added, limits_.backends);
  return {};
}

// Returns the endpoints that have a slot only since now.
Placement::Endpoints Placement::place_backends(const PortSpec& spec, Port& port) {
  Endpoints added;
  for (const BackendSpec& backend : spec.backends) {
    const auto [it, is_new] = port.slots.try_emplace(backend.endpoint);
    Slot& slot = it->second;
    if (is_new) slot.index = take(free_slots_, slots_end_);
    slot.left.reset();
    lb_backend& value = wanted_.backends[slot.index];
    if (is_new) {
      added.push_back(backend.endpoint);
      value = {};
      value.addr = backend.endpoint.addr;
      value.port = backend.endpoint.port;
      value.proto = backend.endpoint.proto;
      value.family = backend.endpoint.family;
      value.generation = next_generation_++;
      value.service_id = port.id;
    }
    set_backend_flags(value, backend.flags);
    touched_.backends.insert(slot.index);
  }
  return added;
}

// Replies of backends on this node are looked for where they leave.
void Placement::set_backend_flags(lb_backend& backend, std::uint32_t flags) {
  const bool was_local = backend.flags & LB_BACKEND_LOCAL, is_local = flags & LB_BACKEND_LOCAL;
  backend.flags = flags;
  if (was_local != is_local) count_class(backend.addr, backend.family, LB_CLASS_BACKEND, is_local ? +1 : -1);
}

// Undoes place_backends() for slots that nothing has been told of.
void Placement::forget_backends(const Endpoints& endpoints, Port& port) {
  for (const lb_service_key& endpoint : endpoints) {
    const auto it = port.slots.find(endpoint);
    set_backend_flags(wanted_.backends[it->second.index], 0);
    wanted_.backends.erase(it->second.index);
    free_slots_.insert(it->second.index);
    port.slots.erase(it);
  }
}

bool Placement::holds(const lb_service& placed, const PoolSpec& pool, const Members& members) const {
  if (pool.members.empty()) return false;
  const auto ring = wanted_.rings.find(placed.ring_offset);
  const auto list = wanted_.members.find(placed.member_offset);
  return placed.member_count == members->size() && ring != wanted_.rings.end() && list != wanted_.members.end() &&
         (ring->second == pool.ring || *ring->second == *pool.ring) && *list->second == *members;
}

// Nothing when there is no space left.
std::optional<lb_service> Placement::place_pool(const PoolSpec& pool, const Port& port, Members members) {
  lb_service value{};
  value.id = port.id;
  value.flags = pool.flags;
  if (pool.members.empty()) return value;

  const auto ring = rings_.allocate(static_cast<std::uint32_t>(pool.ring->size()));
  if (!ring) return std::nullopt;
  const auto list = members_.allocate(static_cast<std::uint32_t>(members->size()));
  if (!list) {
    rings_.release(*ring, static_cast<std::uint32_t>(pool.ring->size()));
    return std::nullopt;
  }
  value.ring_offset = *ring;
  value.ring_slots = static_cast<std::uint32_t>(pool.ring->size());
  value.member_offset = *list;
  value.member_count = static_cast<std::uint32_t>(members->size());
  wanted_.rings[*ring] = pool.ring;
  wanted_.members[*list] = std::move(members);
  touched_.rings.insert(*ring);
  touched_.members.insert(*list);
  return value;
}

// Pools that are the same as before stay where they are; the others get new space before the old is given up, because
// the datapath reads the old until the last frontend is rewritten.
Result<> Placement::place_pools(const PortSpec& spec, Port& port, Time now) {
  std::vector<lb_service> old = std::move(port.pools), pools, added;
  for (const PoolSpec& pool : spec.pools) {
    std::vector<std::uint32_t> slots;
    for (const std::uint32_t member : pool.members)
      slots.push_back(port.slots.at(spec.backends[member].endpoint).index);
    const Members members = std::make_shared<const std::vector<std::uint32_t>>(std::move(slots));
    const auto same =
        std::find_if(old.begin(), old.end(), [&](const lb_service& placed) { return holds(placed, pool, members); });
    if (same != old.end()) {
      same->flags = pool.flags;
      pools.push_back(*same);
      old.erase(same);
      continue;
    }
    const auto placed = place_pool(pool, port, members);
    if (!placed) {
      for (const lb_service& unpublished : added)
        free_pool(unpublished, std::nullopt);
      for (const lb_service& kept : pools)
        if (std::none_of(added.begin(), added.end(), [&](const lb_service& value) { return AbiEqual{}(value, kept); }))
          old.push_back(kept);
      port.pools = std::move(old);
      return no_room(spec, "a ring of " + std::to_string(pool.ring->size()) + " slots",
                     rings_.used() + pool.ring->size(), rings_.capacity());
    }
    pools.push_back(*placed);
    added.push_back(*placed);
  }
  for (const lb_service& pool : old)
    free_pool(pool, now);
  port.pools = std::move(pools);
  return {};
}

// Space that the datapath may have read rests before it is used again; what was never published does not have to.
void Placement::free_pool(const lb_service& pool, std::optional<Time> published_until) {
  if (!pool.ring_slots) return;
  wanted_.rings.erase(pool.ring_offset);
  wanted_.members.erase(pool.member_offset);
  touched_.rings.insert(pool.ring_offset);
  touched_.members.insert(pool.member_offset);
  if (published_until) {
    rest(Space::kRing, pool.ring_offset, pool.ring_slots, *published_until);
    rest(Space::kMembers, pool.member_offset, pool.member_count, *published_until);
  } else {
    rings_.release(pool.ring_offset, pool.ring_slots);
    members_.release(pool.member_offset, pool.member_count);
  }
}

void Placement::place_frontends(const PortSpec& spec, Port& port) {
  std::map<std::string, FrontendSpec> frontends;
  for (const FrontendSpec& frontend : spec.frontends)
    frontends.emplace(describe(frontend.key), frontend);
  for (const auto& [text, frontend] : port.frontends)
    if (!frontends.contains(text)) remove_frontend(frontend);
  for (const auto& [text, frontend] : frontends) {
    wanted_.services[frontend.key] = port.pools[frontend.pool];
    touched_.services.insert(frontend.key);
    if (!port.frontends.contains(text)) count_vip(frontend.key, +1);
  }
  port.frontends = std::move(frontends);
}

void Placement::remove_frontend(const FrontendSpec& frontend) {
  wanted_.services.erase(frontend.key);
  touched_.services.insert(frontend.key);
  count_vip(frontend.key, -1);
}

void Placement::retire_backends(const PortSpec& spec, Port& port, Time now) {
  AbiSet<lb_service_key> wanted;
  for (const BackendSpec& backend : spec.backends)
    wanted.insert(backend.endpoint);
  for (auto& [endpoint, slot] : port.slots) {
    if (wanted.contains(endpoint) || slot.left) continue;
    slot.left = now;
    leaving_.push_back({now + kRetireAfter, spec.name, endpoint});
  }
}

// One endpoint's time is up, unless it came back meanwhile. The last one of a removed port takes the port with it.
void Placement::retire(const Leaving& leaving, Time now) {
  const auto it = ports_.find(leaving.port);
  if (it == ports_.end()) return;
  Port& port = it->second;
  if (const auto slot = port.slots.find(leaving.endpoint);
      slot != port.slots.end() && slot->second.left && *slot->second.left + kRetireAfter <= now) {
    const std::uint32_t index = slot->second.index;
    set_backend_flags(wanted_.backends[index], 0);
    wanted_.backends.erase(index);
    touched_.backends.insert(index);
    rest(Space::kBackend, index, 1, now);
    port.slots.erase(slot);
  }
  if (!port.removed || !port.slots.empty()) return;
  wanted_.names.erase(port.id);
  touched_.names.insert(port.id);
  free_ids_.insert(port.id);
  ports_.erase(it);
}

void Placement::rest(Space space, std::uint32_t offset, std::uint32_t units, Time now) {
  resting_.push_back({now + kQuarantine, space, offset, units});
}

void Placement::tick(Time now) {
  while (!leaving_.empty() && leaving_.front().due <= now) {
    const Leaving leaving = leaving_.front();
    leaving_.pop_front();
    retire(leaving, now);
  }
  while (!resting_.empty() && resting_.front().due <= now) {
    const Resting rested = resting_.front();
    resting_.pop_front();
    switch (rested.space) {
      case Space::kBackend:
        free_slots_.insert(rested.offset);
        break;
      case Space::kRing:
        rings_.release(rested.offset, rested.units);
        break;
      case Space::kMembers:
        members_.release(rested.offset, rested.units);
        break;
    }
  }
}

std::optional<Placement::Time> Placement::next_tick() const {
  std::optional<Time> next;
  if (!leaving_.empty()) next = leaving_.front().due;
  if (!resting_.empty() && (!next || resting_.front().due < *next)) next = resting_.front().due;
  return next;
}

void Placement::count_class(const lb_addr& addr, std::uint8_t family, std::uint8_t class_bit, int change) {
  const std::uint32_t bucket = filter_bucket(addr, family);
  for (std::size_t i = 0; i < kClasses.size(); ++i)
    if (kClasses[i] == class_bit) classes_[bucket][i] += change;
  // A flow that is under way still comes through the filter, whatever becomes of its service.
  if (change < 0 && class_bit != LB_CLASS_NODE) lingering_[bucket] |= class_bit;
  update_filter(bucket);
}

void Placement::update_filter(std::uint32_t bucket) {
  std::uint8_t needed = 0;
  if (const auto counts = classes_.find(bucket); counts != classes_.end()) {
    for (std::size_t i = 0; i < kClasses.size(); ++i)
      if (counts->second[i]) needed |= kClasses[i];
    if (!needed) classes_.erase(counts);
  }
  if (const auto held = lingering_.find(bucket); held != lingering_.end()) {
    held->second &= ~needed;
    needed |= held->second;
    if (!held->second) lingering_.erase(held);
  }
  if (needed)
    wanted_.filter[bucket] = needed;
  else
    wanted_.filter.erase(bucket);
  touched_.filter.insert(bucket);
}

std::vector<std::uint32_t> Placement::lingering() const {
  std::vector<std::uint32_t> buckets;
  for (const auto& [bucket, classes] : lingering_)
    buckets.push_back(bucket);
  return buckets;
}

void Placement::release(const std::set<std::uint32_t>& buckets) {
  for (const std::uint32_t bucket : buckets) {
    lingering_.erase(bucket);
    update_filter(bucket);
  }
}

void Placement::count_vip(const lb_service_key& key, int change) {
  if (is_nodeport(key)) return;
  const lb_address_key address = address_key(key.addr, key.family);
  if ((vips_[address] += change) == 0) vips_.erase(address);
  count_class(key.addr, key.family, LB_CLASS_VIP, change);
  update_address(address);
}

// An address of this node is never owned, even when a service has it too: its other ports are the host's.
void Placement::update_address(const lb_address_key& key) {
  const auto node = node_addresses_.find(key);
  std::uint32_t flags = 0;
  if (vips_.contains(key) && node == node_addresses_.end()) flags |= LB_ADDRESS_VIP;
  if (node != node_addresses_.end() && node->second) flags |= LB_ADDRESS_NODEPORT;
  if (flags)
    wanted_.addresses[key] = flags;
  else
    wanted_.addresses.erase(key);
  touched_.addresses.insert(key);
}

void Placement::set_node_addresses(const std::vector<NodeAddress>& addresses) {
  if (addresses == node_list_) return;
  AbiSet<lb_address_key> changed;
  for (const NodeAddress& old : node_list_) {
    changed.insert(address_key(old.addr, old.family));
    count_class(old.addr, old.family, LB_CLASS_NODE, -1);
  }
  node_addresses_.clear();
  for (const NodeAddress& address : addresses) {
    const lb_address_key key = address_key(address.addr, address.family);
    changed.insert(key);
    node_addresses_[key] = address.nodeports;
    count_class(address.addr, address.family, LB_CLASS_NODE, +1);
  }
  node_list_ = addresses;
  for (const lb_address_key& key : changed)
    update_address(key);
}

std::vector<std::string> Placement::names() const {
  std::vector<std::string> names;
  for (const auto& [name, port] : ports_)
    if (!port.removed) names.push_back(name);
  return names;
}

Placement::Usage Placement::usage() const {
  return {static_cast<std::uint32_t>(wanted_.services.size()),
          static_cast<std::uint32_t>(wanted_.addresses.size()),
          static_cast<std::uint32_t>(ports_.size()),
          static_cast<std::uint32_t>(slots_end_ - free_slots_.size()),
          rings_.used(),
          members_.used()};
}

void Placement::adopt(const Tables& actual) {
  for (const auto& [id, name] : actual.names) {
    ids_end_ = std::max(ids_end_, id + 1);
    if (!ports_.try_emplace(name).second) continue;
    ports_[name].id = id;
    wanted_.names[id] = name;
  }
  for (std::uint32_t id = 0; id < ids_end_; ++id)
    if (!wanted_.names.contains(id)) free_ids_.insert(id);

  for (const auto& [slot, backend] : actual.backends) {
    slots_end_ = std::max(slots_end_, slot + 1);
    adopt_backend(slot, backend);
  }
  for (std::uint32_t slot = 0; slot < slots_end_; ++slot)
    if (!wanted_.backends.contains(slot)) free_slots_.insert(slot);

  for (const auto& [key, value] : actual.services)
    adopt_frontend(actual, key, value);
  for (const auto& [bucket, classes] : actual.filter) {
    lingering_[bucket] |= classes;
    update_filter(bucket);
  }
}

void Placement::adopt_backend(std::uint32_t slot, const lb_backend& backend) {
  next_generation_ = std::max(next_generation_, backend.generation + 1);
  const auto name = wanted_.names.find(backend.service_id);
  if (name == wanted_.names.end()) return;
  const lb_service_key endpoint{backend.addr, backend.port, backend.proto, backend.family};
  if (!ports_[name->second].slots.try_emplace(endpoint, Slot{slot, std::nullopt}).second) return;
  wanted_.backends[slot] = backend;
  wanted_.backends[slot].flags = 0;
  set_backend_flags(wanted_.backends[slot], backend.flags);
}

void Placement::adopt_frontend(const Tables& actual, const lb_service_key& key, const lb_service& value) {
  const auto name = wanted_.names.find(value.id);
  if (name == wanted_.names.end()) return;
  Port& port = ports_[name->second];
  if (!adopt_pool(actual, port, value)) return;
  const auto same = [&](const lb_service& placed) { return AbiEqual{}(placed, value); };
  const auto pool = std::find_if(port.pools.begin(), port.pools.end(), same) - port.pools.begin();
  port.frontends.emplace(describe(key), FrontendSpec{key, static_cast<std::uint32_t>(pool)});
  wanted_.services[key] = value;
  count_vip(key, +1);
}

// Whether the entry's ring and members are whole, its own, and this port's.
bool Placement::adopt_pool(const Tables& actual, Port& port, const lb_service& value) {
  if (std::any_of(port.pools.begin(), port.pools.end(), [&](auto& placed) { return AbiEqual{}(placed, value); }))
    return true;
  if (value.ring_slots) {
    const auto ring = actual.rings.find(value.ring_offset);
    const auto list = actual.members.find(value.member_offset);
    if (ring == actual.rings.end() || list == actual.members.end() || ring->second->size() != value.ring_slots ||
        list->second->size() != value.member_count)
      return false;
    const bool known = std::all_of(list->second->begin(), list->second->end(), [&](std::uint32_t slot) {
      const auto backend = wanted_.backends.find(slot);
      return backend != wanted_.backends.end() && backend->second.service_id == port.id;
    });
    if (!known || !rings_.reserve(value.ring_offset, value.ring_slots)) return false;
    if (!members_.reserve(value.member_offset, value.member_count)) {
      rings_.release(value.ring_offset, value.ring_slots);
      return false;
    }
    wanted_.rings[value.ring_offset] = ring->second;
    wanted_.members[value.member_offset] = list->second;
  }
  port.pools.push_back(value);
  return true;
}

}  // namespace fairlead::state
