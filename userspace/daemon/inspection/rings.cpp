// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection/rings.h"

#include <arpa/inet.h>

#include <algorithm>

#include "userspace/daemon/inspection/frontends.h"

namespace fairlead::daemon {
namespace {

std::vector<std::uint64_t> slots_by_member(const state::PoolSpec& pool) {
  std::vector<std::uint64_t> slots(pool.members.size());
  if (pool.ring)
    for (const std::uint16_t member : *pool.ring)
      ++slots[member];
  return slots;
}

admin::RingMemberView view_member(const lb_service_key& endpoint, std::uint64_t slots) {
  return {state::from_abi(endpoint.addr, endpoint.family).to_string(), ntohs(endpoint.port), slots};
}

admin::RingView view_ring(const model::Service& service, const state::PortSpec& spec, std::uint32_t index) {
  const state::PoolSpec& pool = spec.pools[index];
  admin::RingView view;
  view.service = spec.name;
  view.slots = pool.ring ? pool.ring->size() : 0;
  for (const state::FrontendSpec& frontend : spec.frontends)
    if (frontend.pool == index) view.frontends.push_back(frontend_text(service, frontend.key));
  const std::vector<std::uint64_t> slots = slots_by_member(pool);
  for (std::size_t i = 0; i < slots.size(); ++i)
    view.members.push_back(view_member(spec.backends[pool.members[i]].endpoint, slots[i]));
  if (view.slots)
    view.imbalance = static_cast<double>(std::ranges::max(slots) * slots.size()) / static_cast<double>(view.slots);
  return view;
}

}  // namespace

std::vector<admin::RingView> view_rings(const model::Service& service, const state::PortSpec& spec) {
  std::vector<admin::RingView> views;
  views.reserve(spec.pools.size());
  for (std::uint32_t pool = 0; pool < spec.pools.size(); ++pool)
    views.push_back(view_ring(service, spec, pool));
  return views;
}

}  // namespace fairlead::daemon
