// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/placement.h"

#include <algorithm>
#include <bit>

namespace fairlead::state {
namespace {

constexpr std::array<std::uint8_t, 3> kClasses{LB_CLASS_VIP, LB_CLASS_NODE, LB_CLASS_BACKEND};
constexpr std::uint8_t kAllClasses = LB_CLASS_VIP | LB_CLASS_NODE | LB_CLASS_BACKEND;
constexpr std::uint32_t kSmallestMemberBlock = 4;
// Ring slots are u16, and one value is left for "no member yet" while a ring is filled.
constexpr std::uint32_t kLongestMemberList = 65535;
// A name that was cut off would not be found again by the next daemon.
constexpr std::uint32_t kLongestName = LB_SERVICE_NAME_LEN - 1;

bool is_nodeport(const lb_service_key& frontend) {
  return from_abi(frontend.addr, frontend.family).is_unspecified();
}

lb_address_key address_key(const lb_addr& addr, std::uint8_t family) {
  return {addr, family};
}

Error no_room(const PortSpec& spec, const std::string& what, std::uint32_t needed, std::uint32_t limit) {
  return {"service port " + spec.name + ": no room for " + what + ": " + std::to_string(needed) +
              " needed, the map holds " + std::to_string(limit),
          ENOSPC};
}

Error no_block(const PortSpec& spec, const std::string& what, std::uint32_t units, const BuddyAllocator& arena) {
  return {"service port " + spec.name + ": no room for " + what + ": a block of " +
              std::to_string(arena.block_size(units)) + " needed, " + std::to_string(arena.used()) + " of " +
              std::to_string(arena.capacity()) + " taken",
          ENOSPC};
}

bool is_family(std::uint8_t family) {
  return family == LB_AF_INET || family == LB_AF_INET6;
}

// Whether the entry is one that place_pool() could have made.
bool is_well_formed(const lb_service& value) {
  if (!value.ring_slots)
    return (value.flags == LB_SERVICE_REJECT || value.flags == LB_SERVICE_DROP) && !value.ring_offset &&
           !value.member_offset && !value.member_count;
  return !value.flags && std::has_single_bit(value.ring_slots) && value.ring_slots >= LB_RING_MIN_SLOTS &&
         value.ring_slots <= LB_RING_MAX_SLOTS && value.member_count && value.member_count <= kLongestMemberList;
}

// Whether what left then may be retired. What came back has no such time.
bool is_due(const std::optional<Placement::Time>& left, Placement::Time now) {
  return left && *left + Placement::kRetireAfter <= now;
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
  if (const auto admitted = admit(spec, port); !admitted) return fail(admitted.error());

  if (is_new) {
    port.id = take(free_ids_, ids_end_);
    desired_.names[port.id] = spec.name;
    touched_.names.insert(port.id);
  }
  const Endpoints added = place_backends(spec, port);
  if (const auto placed = place_pools(spec, port, now); !placed) {
    forget_backends(added, port);
    if (is_new) {
      desired_.names.erase(port.id);
      free_ids_.insert(port.id);
    }
    return fail(placed.error());
  }
  port.removed = false;
  keep_backends(spec, port);
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
  if (spec.name.size() > kLongestName) return no_room(spec, "characters of its name", spec.name.size(), kLongestName);
  if (ports_.size() > limits_.service_ports)
    return no_room(spec, "service ports", ports_.size(), limits_.service_ports);
  for (const PoolSpec& pool : spec.pools)
    if (pool.members.size() > kLongestMemberList)
      return no_room(spec, "members of one ring", pool.members.size(), kLongestMemberList);
  if (auto admitted = admit_frontends(spec, port); !admitted) return admitted;
  return admit_backends(spec, port);
}

Result<> Placement::admit_frontends(const PortSpec& spec, const Port& port) const {
  AbiSet<lb_service_key> frontends, added;
  AbiSet<lb_address_key> addresses;
  for (const FrontendSpec& frontend : spec.frontends) {
    frontends.insert(frontend.key);
    if (!desired_.services.contains(frontend.key)) added.insert(frontend.key);
    if (const auto key = address_key(frontend.key.addr, frontend.key.family);
        !is_nodeport(frontend.key) && !desired_.addresses.contains(key))
      addresses.insert(key);
  }
  const auto removed = std::count_if(port.frontends.begin(), port.frontends.end(),
                                     [&](const lb_service_key& key) { return !frontends.contains(key); });
  if (const auto needed = desired_.services.size() + added.size() - removed; needed > limits_.frontends)
    return no_room(spec, "frontends", needed, limits_.frontends);
  if (const auto needed = desired_.addresses.size() + addresses.size(); needed > limits_.addresses)
    return no_room(spec, "addresses", needed, limits_.addresses);
  return {};
}

Result<> Placement::admit_backends(const PortSpec& spec, const Port& port) const {
  AbiSet<lb_service_key> added;
  for (const BackendSpec& backend : spec.backends)
    if (!port.slots.contains(backend.endpoint)) added.insert(backend.endpoint);
  const std::size_t needed = slots_end_ - free_slots_.size() + added.size();
  if (needed > limits_.backends) return no_room(spec, "backends", needed, limits_.backends);
  return {};
}

// Gives a slot to every endpoint that has none. They are as good as unused until keep_backends(), so that they can be
// forgotten again without a trace. Returns these endpoints.
Placement::Endpoints Placement::place_backends(const PortSpec& spec, Port& port) {
  Endpoints added;
  for (const auto& [endpoint, flags] : spec.backends) {
    const auto [it, is_new] = port.slots.try_emplace(endpoint);
    if (!is_new) continue;
    it->second.index = take(free_slots_, slots_end_);
    lb_backend& value = desired_.backends[it->second.index];
    value = {};
    value.addr = endpoint.addr;
    value.port = endpoint.port;
    value.proto = endpoint.proto;
    value.family = endpoint.family;
    value.generation = new_generation();
    value.service_id = port.id;
    added.push_back(endpoint);
  }
  return added;
}

// Undoes place_backends().
void Placement::forget_backends(const Endpoints& endpoints, Port& port) {
  for (const lb_service_key& endpoint : endpoints) {
    const auto it = port.slots.find(endpoint);
    desired_.backends.erase(it->second.index);
    free_slots_.insert(it->second.index);
    port.slots.erase(it);
  }
}

// The backends are to be what the spec says, also those that were about to leave.
void Placement::keep_backends(const PortSpec& spec, Port& port) {
  for (const BackendSpec& backend : spec.backends) {
    Slot& slot = port.slots.at(backend.endpoint);
    slot.left.reset();
    set_backend_flags(desired_.backends[slot.index], backend.flags);
    touched_.backends.insert(slot.index);
  }
}

// Replies of backends on this node are looked for where they leave.
void Placement::set_backend_flags(lb_backend& backend, std::uint32_t flags) {
  const bool was_local = backend.flags & LB_BACKEND_LOCAL, is_local = flags & LB_BACKEND_LOCAL;
  backend.flags = flags;
  if (was_local != is_local) count_class(backend.addr, backend.family, LB_CLASS_BACKEND, is_local ? +1 : -1);
}

// 0 means a free slot, so it is left out when the numbers start anew.
std::uint32_t Placement::new_generation() {
  const std::uint32_t generation = next_generation_++;
  if (next_generation_ == 0) next_generation_ = 1;
  return generation;
}

bool Placement::holds(const lb_service& placed, const PoolSpec& pool, const Members& members) const {
  if (pool.members.empty()) return false;
  const auto ring = desired_.rings.find(placed.ring_offset);
  const auto list = desired_.members.find(placed.member_offset);
  return placed.member_count == members->size() && ring != desired_.rings.end() && list != desired_.members.end() &&
         (ring->second == pool.ring || *ring->second == *pool.ring) && *list->second == *members;
}

Result<lb_service> Placement::place_pool(const PortSpec& spec, const PoolSpec& pool, const Port& port,
                                         Members members) {
  lb_service value{};
  value.id = port.id;
  value.flags = pool.flags;
  if (pool.members.empty()) return value;

  value.ring_slots = static_cast<std::uint32_t>(pool.ring->size());
  value.member_count = static_cast<std::uint32_t>(members->size());
  const auto ring = rings_.allocate(value.ring_slots);
  if (!ring) return no_block(spec, "ring slots", value.ring_slots, rings_);
  const auto list = members_.allocate(value.member_count);
  if (!list) {
    rings_.release(*ring, value.ring_slots);
    return no_block(spec, "ring members", value.member_count, members_);
  }
  value.ring_offset = *ring;
  value.member_offset = *list;
  desired_.rings[*ring] = pool.ring;
  desired_.members[*list] = std::move(members);
  touched_.rings.insert(*ring);
  touched_.members.insert(*list);
  return value;
}

// Pools that are the same as before stay where they are; the others get new space before the old is given up, because
// the datapath reads the old until the last frontend is rewritten.
Result<> Placement::place_pools(const PortSpec& spec, Port& port, Time now) {
  std::vector<lb_service> old = port.pools, pools, added;
  for (const PoolSpec& pool : spec.pools) {
    std::vector<std::uint32_t> slots;
    slots.reserve(pool.members.size());
    for (const std::uint32_t member : pool.members)
      slots.push_back(port.slots.at(spec.backends[member].endpoint).index);
    const Members members = std::make_shared<const std::vector<std::uint32_t>>(std::move(slots));
    const auto same =
        std::find_if(old.begin(), old.end(), [&](const lb_service& placed) { return holds(placed, pool, members); });
    if (same != old.end()) {
      pools.push_back(*same);
      old.erase(same);
      continue;
    }
    const auto placed = place_pool(spec, pool, port, members);
    if (!placed) {
      for (const lb_service& unpublished : added)
        free_pool(unpublished, std::nullopt);
      return placed.error();
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
  desired_.rings.erase(pool.ring_offset);
  desired_.members.erase(pool.member_offset);
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
  AbiSet<lb_service_key> frontends;
  for (const auto& [key, pool] : spec.frontends) {
    if (!frontends.insert(key).second) continue;
    if (!port.frontends.contains(key)) take_frontend(key);
    desired_.services[key] = port.pools[pool];
    touched_.services.insert(key);
  }
  for (const lb_service_key& key : port.frontends)
    if (!frontends.contains(key)) remove_frontend(key);
  port.frontends = std::move(frontends);
}

// A frontend that moves from one port to another is the newcomer's at once; that the other is put or removed only
// afterwards must not take it away again.
void Placement::take_frontend(const lb_service_key& key) {
  const auto placed = desired_.services.find(key);
  if (placed == desired_.services.end())
    count_vip(key, +1);
  else
    ports_.at(desired_.names.at(placed->second.id)).frontends.erase(key);
}

void Placement::remove_frontend(const lb_service_key& key) {
  desired_.services.erase(key);
  touched_.services.insert(key);
  count_vip(key, -1);
}

void Placement::retire_backends(const PortSpec& spec, Port& port, Time now) {
  AbiSet<lb_service_key> kept;
  for (const BackendSpec& backend : spec.backends)
    kept.insert(backend.endpoint);
  for (auto& [endpoint, slot] : port.slots) {
    if (kept.contains(endpoint) || slot.left) continue;
    slot.left = now;
    leaving_.push_back({now + kRetireAfter, spec.name, endpoint});
  }
}

// One endpoint's time is up, unless it came back meanwhile. The last one of a removed port takes the port with it.
void Placement::retire(const Leaving& leaving, Time now) {
  const auto it = ports_.find(leaving.port);
  if (it == ports_.end()) return;
  Port& port = it->second;
  if (const auto slot = port.slots.find(leaving.endpoint); slot != port.slots.end() && is_due(slot->second.left, now)) {
    const std::uint32_t index = slot->second.index;
    set_backend_flags(desired_.backends[index], 0);
    desired_.backends.erase(index);
    touched_.backends.insert(index);
    rest(Space::kBackend, index, 1, now);
    port.slots.erase(slot);
  }
  if (!port.removed || !port.slots.empty()) return;
  desired_.names.erase(port.id);
  touched_.names.insert(port.id);
  free_ids_.insert(port.id);
  ports_.erase(it);
}

void Placement::rest(Space space, std::uint32_t offset, std::uint32_t units, Time now) {
  resting_.push_back({now + kQuarantine, space, offset, units});
}

void Placement::tick(Time now, const Held& held) {
  while (!leaving_.empty() && leaving_.front().due <= now) {
    const Leaving leaving = leaving_.front();
    leaving_.pop_front();
    retire(leaving, now);
  }
  while (!resting_.empty() && resting_.front().due <= now) {
    const Resting rested = resting_.front();
    resting_.pop_front();
    if (is_held(rested, held))
      rest(rested.space, rested.offset, rested.units, now);
    else
      reuse(rested);
  }
}

bool Placement::is_held(const Resting& resting, const Held& held) {
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

void Placement::reuse(const Resting& rested) {
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
    desired_.filter[bucket] = needed;
  else
    desired_.filter.erase(bucket);
  touched_.filter.insert(bucket);
}

std::vector<std::uint32_t> Placement::lingering() const {
  std::vector<std::uint32_t> buckets;
  buckets.reserve(lingering_.size());
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
  std::uint32_t& holders = vips_[address];
  holders += change;
  if (!holders) vips_.erase(address);
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
    desired_.addresses[key] = flags;
  else
    desired_.addresses.erase(key);
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

void Placement::set_devices(Devices::Content devices) {
  for (const auto* content : {&desired_.devices, &devices})
    for (const auto& [ifindex, device] : *content)
      touched_.devices.insert(ifindex);
  desired_.devices = std::move(devices);
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

Placement::Usage Placement::usage() const {
  return {static_cast<std::uint32_t>(desired_.services.size()),
          static_cast<std::uint32_t>(desired_.addresses.size()),
          static_cast<std::uint32_t>(ports_.size()),
          static_cast<std::uint32_t>(slots_end_ - free_slots_.size()),
          rings_.used(),
          members_.used()};
}

void Placement::adopt(const Tables& actual) {
  desired_.devices = actual.devices;
  for (const auto& [id, name] : actual.names) {
    if (id >= limits_.service_ports || !ports_.try_emplace(name).second) continue;
    ids_end_ = std::max(ids_end_, id + 1);
    ports_[name].id = id;
    desired_.names[id] = name;
  }
  for (std::uint32_t id = 0; id < ids_end_; ++id)
    if (!desired_.names.contains(id)) free_ids_.insert(id);

  for (const auto& [slot, backend] : actual.backends)
    adopt_backend(slot, backend);
  for (std::uint32_t slot = 0; slot < slots_end_; ++slot)
    if (!desired_.backends.contains(slot)) free_slots_.insert(slot);

  for (const auto& [key, value] : actual.services)
    adopt_frontend(actual, key, value);
  for (const auto& [bucket, classes] : actual.filter) {
    lingering_[bucket] |= classes & kAllClasses;
    update_filter(bucket);
  }
}

void Placement::adopt_backend(std::uint32_t slot, const lb_backend& backend) {
  next_generation_ = std::max(next_generation_, backend.generation + 1);
  const auto name = desired_.names.find(backend.service_id);
  if (name == desired_.names.end() || slot >= limits_.backends || !backend.generation || !is_family(backend.family))
    return;
  const lb_service_key endpoint{backend.addr, backend.port, backend.proto, backend.family};
  if (!ports_.at(name->second).slots.try_emplace(endpoint, Slot{slot, std::nullopt}).second) return;
  slots_end_ = std::max(slots_end_, slot + 1);
  lb_backend& value = desired_.backends[slot] = backend;
  value.flags = 0;
  set_backend_flags(value, backend.flags);
}

void Placement::adopt_frontend(const Tables& actual, const lb_service_key& key, const lb_service& value) {
  const auto name = desired_.names.find(value.id);
  if (name == desired_.names.end() || !is_family(key.family)) return;
  Port& port = ports_.at(name->second);
  if (!adopt_pool(actual, port, value)) return;
  port.frontends.insert(key);
  desired_.services[key] = value;
  count_vip(key, +1);
}

bool Placement::adopt_pool(const Tables& actual, Port& port, const lb_service& value) {
  if (std::any_of(port.pools.begin(), port.pools.end(), [&](auto& placed) { return AbiEqual{}(placed, value); }))
    return true;
  if (!is_well_formed(value)) return false;
  if (value.ring_slots) {
    const auto ring = actual.rings.find(value.ring_offset);
    const auto list = actual.members.find(value.member_offset);
    if (ring == actual.rings.end() || list == actual.members.end()) return false;
    if (!is_whole(value, *ring->second, *list->second, port) || !reserve(value)) return false;
    desired_.rings[value.ring_offset] = ring->second;
    desired_.members[value.member_offset] = list->second;
  }
  port.pools.push_back(value);
  return true;
}

// Whether ring and members are of the size that the entry says, and lead to backends of this port only.
bool Placement::is_whole(const lb_service& value, const std::vector<std::uint16_t>& ring,
                         const std::vector<std::uint32_t>& members, const Port& port) const {
  if (ring.size() != value.ring_slots || members.size() != value.member_count) return false;
  return std::all_of(ring.begin(), ring.end(), [&](std::uint16_t member) { return member < members.size(); }) &&
         std::all_of(members.begin(), members.end(), [&](std::uint32_t slot) {
           const auto backend = desired_.backends.find(slot);
           return backend != desired_.backends.end() && backend->second.service_id == port.id;
         });
}

// Takes the entry's ring and member space, both or neither.
bool Placement::reserve(const lb_service& value) {
  if (!rings_.reserve(value.ring_offset, value.ring_slots)) return false;
  if (members_.reserve(value.member_offset, value.member_count)) return true;
  rings_.release(value.ring_offset, value.ring_slots);
  return false;
}

}  // namespace fairlead::state
