// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/tables_io.h"

#include <algorithm>
#include <atomic>

#include "userspace/datapath/counters.h"

namespace fairlead::datapath {
namespace {

// The programs may read the word at any time.
template <class T>
void store(T& word, T value) {
  std::atomic_ref<T>(word).store(value, std::memory_order_release);
}

template <class T>
T load(T& word) {
  return std::atomic_ref<T>(word).load(std::memory_order_acquire);
}

class Writer {
 public:
  explicit Writer(Object& object) : object_(object) {}

  Result<> operator()(const state::Write<state::ToServices>& write) const {
    return write.value ? object_.services.put(write.key, *write.value) : object_.services.remove(write.key);
  }

  Result<> operator()(const state::Write<state::ToAddresses>& write) const {
    return write.value ? object_.addresses.put(write.key, *write.value) : object_.addresses.remove(write.key);
  }

  Result<> operator()(const state::Write<state::ToNames>& write) const {
    return write.value ? object_.names.put(write.key, state::to_abi(*write.value)) : object_.names.remove(write.key);
  }

  // The generation is what makes a slot valid: it is stored last, and taken away first.
  Result<> operator()(const state::Write<state::ToBackends>& write) const {
    lb_backend& slot = object_.backends[write.key];
    if (!write.value) {
      retire(write.key, slot);
      return {};
    }
    if (slot.generation != write.value->generation) {
      retire(write.key, slot);
      slot.addr = write.value->addr;
      slot.port = write.value->port;
      slot.proto = write.value->proto;
      slot.family = write.value->family;
      slot.service_id = write.value->service_id;
      store(slot.hop.stamp, LB_HOP_NONE);
      reset_backend_stats(object_, write.key);
    }
    store(slot.flags, write.value->flags);
    store(slot.generation, write.value->generation);
    lb_clock& clock = object_.clock[0];
    clock.next_generation = std::max(clock.next_generation, write.value->generation + 1);
    return {};
  }

  Result<> operator()(const state::Write<state::ToRings>& write) const {
    if (!write.value) return {};
    for (std::uint32_t slot = write.key; const std::uint16_t member : **write.value) {
      object_.rings[slot / LB_RING_CHUNK_SLOTS].member[slot % LB_RING_CHUNK_SLOTS] = member;
      ++slot;
    }
    std::atomic_thread_fence(std::memory_order_release);
    return {};
  }

  Result<> operator()(const state::Write<state::ToMembers>& write) const {
    if (!write.value) return {};
    for (std::uint32_t index = write.key; const std::uint32_t slot : **write.value) {
      object_.members[index / LB_MEMBER_CHUNK_SLOTS].slot[index % LB_MEMBER_CHUNK_SLOTS] = slot;
      ++index;
    }
    std::atomic_thread_fence(std::memory_order_release);
    return {};
  }

  Result<> operator()(const state::Write<state::ToFilter>& write) const {
    store(object_.filter[0].classes[write.key], write.value.value_or(0));
    return {};
  }

  Result<> operator()(const state::Write<state::ToDevices>& write) const {
    return write.value ? object_.devices.put(write.key, *write.value) : object_.devices.remove(write.key);
  }

 private:
  // What it has counted stays with its service port.
  void retire(std::uint32_t index, lb_backend& slot) const {
    if (!slot.generation) return;
    ++object_.moved_counts;
    store(slot.generation, 0u);
    if (auto name = object_.names.get(slot.service_id)) {
      add(name->left, read_backend_stats(object_, index));
      // Of what cannot be written only a count is lost.
      (void)object_.names.put(slot.service_id, *name);
    }
    ++object_.moved_counts;
  }

  Object& object_;
};

void follow_ring(const Object& object, const lb_service& service, state::Tables& tables) {
  if (!service.ring_slots) return;
  const auto beyond = [](std::uint32_t offset, std::uint32_t count, std::size_t end) {
    return offset > end || count > end - offset;
  };
  if (beyond(service.ring_offset, service.ring_slots, object.sizes().ring_slots) ||
      beyond(service.member_offset, service.member_count, object.sizes().members))
    return;
  if (!tables.rings.contains(service.ring_offset)) {
    std::vector<std::uint16_t> ring(service.ring_slots);
    for (std::uint32_t i = 0, slot = service.ring_offset; i < ring.size(); ++i, ++slot)
      ring[i] = object.rings[slot / LB_RING_CHUNK_SLOTS].member[slot % LB_RING_CHUNK_SLOTS];
    tables.rings[service.ring_offset] = std::make_shared<const std::vector<std::uint16_t>>(std::move(ring));
  }
  if (!tables.members.contains(service.member_offset)) {
    std::vector<std::uint32_t> members(service.member_count);
    for (std::uint32_t i = 0, index = service.member_offset; i < members.size(); ++i, ++index)
      members[i] = object.members[index / LB_MEMBER_CHUNK_SLOTS].slot[index % LB_MEMBER_CHUNK_SLOTS];
    tables.members[service.member_offset] = std::make_shared<const std::vector<std::uint32_t>>(std::move(members));
  }
}

}  // namespace

Result<> write(Object& object, const state::Operation& operation) {
  return std::visit(Writer(object), operation);
}

state::Tables read_back(const Object& object) {
  state::Tables tables;
  object.names.for_each(
      [&](std::uint32_t id, const lb_service_name& name) { tables.names[id] = state::from_abi(name); });
  for (std::uint32_t slot = 0; slot < object.backends.size(); ++slot) {
    if (!load(object.backends[slot].generation)) continue;
    lb_backend backend = object.backends[slot];
    backend.hop = {};
    backend.mtu = 0;
    backend.source = 0;
    tables.backends[slot] = backend;
  }
  object.services.for_each([&](const lb_service_key& key, const lb_service& service) {
    follow_ring(object, service, tables);
    tables.services[key] = service;
  });
  object.addresses.for_each([&](const lb_address_key& key, std::uint32_t flags) { tables.addresses[key] = flags; });
  for (std::uint32_t bucket = 0; bucket < LB_FILTER_BUCKETS; ++bucket)
    if (const std::uint8_t classes = load(object.filter[0].classes[bucket])) tables.filter[bucket] = classes;
  object.devices.for_each([&](std::uint32_t ifindex, const lb_device& device) { tables.devices[ifindex] = device; });
  return tables;
}

}  // namespace fairlead::datapath
