// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "userspace/state/delta.h"
#include "userspace/state/port_spec.h"

// What must be true of the maps' content, said without the code that makes it.
namespace fairlead::test {

template <class T>
bool same_value(const T& a, const T& b) {
  return state::AbiEqual{}(a, b);
}
inline bool same_value(const std::string& a, const std::string& b) {
  return a == b;
}
template <class T>
bool same_value(const std::shared_ptr<const std::vector<T>>& a, const std::shared_ptr<const std::vector<T>>& b) {
  return *a == *b;
}

template <class Content>
bool same_content(const Content& a, const Content& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& entry) {
           const auto other = b.find(entry.first);
           return other != b.end() && same_value(entry.second, other->second);
         });
}

// Says in which table two differ.
inline testing::AssertionResult same_tables(const state::Tables& a, const state::Tables& b) {
  if (!same_content(a.services, b.services)) return testing::AssertionFailure() << "services differ";
  if (!same_content(a.addresses, b.addresses)) return testing::AssertionFailure() << "addresses differ";
  if (!same_content(a.names, b.names)) return testing::AssertionFailure() << "names differ";
  if (!same_content(a.backends, b.backends)) return testing::AssertionFailure() << "backends differ";
  if (!same_content(a.rings, b.rings)) return testing::AssertionFailure() << "rings differ";
  if (!same_content(a.members, b.members)) return testing::AssertionFailure() << "members differ";
  if (!same_content(a.filter, b.filter)) return testing::AssertionFailure() << "filter differs";
  if (!same_content(a.devices, b.devices)) return testing::AssertionFailure() << "devices differ";
  return testing::AssertionSuccess();
}

inline bool overlap(std::uint32_t a, std::uint32_t a_size, std::uint32_t b, std::uint32_t b_size) {
  return a < b + b_size && b < a + a_size;
}

// Whether the datapath can follow this entry to backends of this service, whatever hash a packet has.
inline testing::AssertionResult is_followable(const state::Tables& tables, const lb_service& service) {
  const auto broken = [](const auto& what) { return testing::AssertionFailure() << what; };
  if (!tables.names.contains(service.id)) return broken("no name");
  if (!service.ring_slots) {
    const bool says_what = service.flags == LB_SERVICE_REJECT || service.flags == LB_SERVICE_DROP;
    return says_what ? testing::AssertionSuccess() : broken("no ring, and nothing that says what to do then");
  }
  if (service.flags || !std::has_single_bit(service.ring_slots) || service.ring_slots < LB_RING_MIN_SLOTS)
    return broken("malformed entry");
  const auto ring = tables.rings.find(service.ring_offset);
  if (ring == tables.rings.end() || ring->second->size() != service.ring_slots) return broken("no ring");
  const auto members = tables.members.find(service.member_offset);
  if (members == tables.members.end() || members->second->size() != service.member_count) return broken("no members");
  for (const std::uint16_t member : *ring->second)
    if (member >= service.member_count) return broken("the ring leads beyond the members");
  for (const std::uint32_t slot : *members->second) {
    const auto backend = tables.backends.find(slot);
    if (backend == tables.backends.end() || !backend->second.generation) return broken("no backend");
    if (backend->second.service_id != service.id) return broken("another service's backend");
  }
  return testing::AssertionSuccess();
}

inline testing::AssertionResult all_followable(const state::Tables& tables) {
  for (const auto& [key, service] : tables.services)
    if (const auto followable = is_followable(tables, service); !followable)
      return testing::AssertionFailure() << state::describe(key) << ": " << followable.message();
  return testing::AssertionSuccess();
}

// Of rings or member lists: where each begins and how long it is.
template <class Content>
testing::AssertionResult none_overlap(const Content& content) {
  std::map<std::uint32_t, std::uint32_t> sorted;
  for (const auto& [offset, list] : content)
    sorted[offset] = static_cast<std::uint32_t>(list->size());
  std::uint32_t end = 0;
  for (const auto& [offset, size] : sorted) {
    if (offset < end) return testing::AssertionFailure() << "overlap at " << offset;
    end = offset + size;
  }
  return testing::AssertionSuccess();
}

inline lb_service_key endpoint_of(const lb_backend& backend) {
  return {backend.addr, backend.port, backend.proto, backend.family};
}

// Whether the tables serve this port as its spec says: every frontend leads through its own ring to the spec's
// backends.
inline testing::AssertionResult serves(const state::Tables& tables, const state::PortSpec& spec) {
  const auto broken = [&](const auto& what) { return testing::AssertionFailure() << spec.name << ": " << what; };
  for (const auto& [key, index] : spec.frontends) {
    const auto service = tables.services.find(key);
    if (service == tables.services.end()) return broken("frontend is missing");
    if (const auto followable = is_followable(tables, service->second); !followable)
      return broken(followable.message());
    if (tables.names.at(service->second.id) != spec.name) return broken("frontend is another's");
    const state::PoolSpec& pool = spec.pools[index];
    if (service->second.flags != pool.flags || service->second.member_count != pool.members.size())
      return broken("other flags or members");
    if (pool.members.empty()) continue;
    if (*tables.rings.at(service->second.ring_offset) != *pool.ring) return broken("another ring");
    const auto& slots = *tables.members.at(service->second.member_offset);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const state::BackendSpec& desired = spec.backends[pool.members[i]];
      const lb_backend& backend = tables.backends.at(slots[i]);
      if (!same_value(endpoint_of(backend), desired.endpoint)) return broken("another backend");
      if (backend.flags != desired.flags) return broken("other backend flags");
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace fairlead::test
