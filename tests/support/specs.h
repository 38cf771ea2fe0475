// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/state/port_spec.h"

// Service ports in a line or two, for tests of userspace/state.
namespace fairlead::test {

using Keys = std::vector<lb_service_key>;

inline lb_service_key tcp(std::string_view address, std::uint16_t port) {
  const Address parsed = Address::literal(address);
  return {state::to_abi(parsed), htons(port), LB_IPPROTO_TCP, static_cast<std::uint8_t>(parsed.family)};
}

inline lb_service_key nodeport(std::uint16_t port) {
  return tcp("0.0.0.0", port);
}

inline lb_address_key address(std::string_view text) {
  const Address parsed = Address::literal(text);
  return {state::to_abi(parsed), static_cast<std::uint32_t>(parsed.family)};
}

inline state::NodeAddress node_address(std::string_view text, bool nodeports) {
  const Address parsed = Address::literal(text);
  return {state::to_abi(parsed), static_cast<std::uint8_t>(parsed.family), nodeports};
}

inline std::uint32_t bucket(std::string_view text) {
  const Address parsed = Address::literal(text);
  return state::filter_bucket(state::to_abi(parsed), static_cast<std::uint8_t>(parsed.family));
}

// The members in turn: what a ring says is not the placement's business.
inline state::Ring round_robin(std::size_t members, std::size_t slots = LB_RING_MIN_SLOTS) {
  std::vector<std::uint16_t> ring(slots);
  for (std::size_t i = 0; i < slots; ++i)
    ring[i] = static_cast<std::uint16_t>(i % members);
  return std::make_shared<const std::vector<std::uint16_t>>(std::move(ring));
}

// Of the backends with these indices; of none: refuses.
inline state::PoolSpec pool(const std::vector<std::uint32_t>& members, std::size_t slots = LB_RING_MIN_SLOTS) {
  if (members.empty()) return {{}, nullptr, LB_SERVICE_REJECT};
  return {members, round_robin(members.size(), slots), 0};
}

// All frontends lead to one pool of all backends.
inline state::PortSpec port_spec(std::string_view name, const Keys& frontends, const Keys& backends,
                                 std::size_t slots = LB_RING_MIN_SLOTS) {
  state::PortSpec spec;
  spec.name = name;
  std::vector<std::uint32_t> members;
  for (const lb_service_key& backend : backends) {
    members.push_back(static_cast<std::uint32_t>(spec.backends.size()));
    spec.backends.push_back({backend, 0});
  }
  spec.pools.push_back(pool(members, slots));
  for (const lb_service_key& frontend : frontends)
    spec.frontends.push_back({frontend, 0});
  return spec;
}

inline state::PortSpec with_flags(state::PortSpec spec, std::size_t backend, std::uint32_t flags) {
  spec.backends[backend].flags = flags;
  return spec;
}

}  // namespace fairlead::test
