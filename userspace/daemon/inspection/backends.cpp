// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection/backends.h"

#include <arpa/inet.h>

#include <algorithm>

namespace fairlead::daemon {
namespace {

bool is_used(const state::PortSpec& spec, std::uint32_t backend) {
  return std::any_of(spec.pools.begin(), spec.pools.end(), [&](const state::PoolSpec& pool) {
    return std::find(pool.members.begin(), pool.members.end(), backend) != pool.members.end();
  });
}

void set_counts(admin::BackendView& view, const lb_backend_stats& counted) {
  view.connections = counted.flows;
  view.packets_in = counted.packets[0];
  view.bytes_in = counted.bytes[0];
  view.packets_out = counted.packets[1];
  view.bytes_out = counted.bytes[1];
}

}  // namespace

admin::BackendState state_of(const state::PortSpec& spec, std::uint32_t backend) {
  if (spec.backends[backend].flags & LB_BACKEND_DRAINING) return admin::BackendState::kDraining;
  return is_used(spec, backend) ? admin::BackendState::kActive : admin::BackendState::kUnused;
}

std::vector<admin::BackendView> view_backends(const state::PortSpec& spec, const state::Placement& placement,
                                              const BackendStats& stats) {
  std::vector<admin::BackendView> views;
  for (std::uint32_t i = 0; i < spec.backends.size(); ++i) {
    const state::BackendSpec& backend = spec.backends[i];
    admin::BackendView& view = views.emplace_back();
    view.address = state::from_abi(backend.endpoint.addr, backend.endpoint.family).to_string();
    view.port = ntohs(backend.endpoint.port);
    view.state = state_of(spec, i);
    view.local = backend.flags & LB_BACKEND_LOCAL;
    if (const auto slot = placement.slot(spec.name, backend.endpoint)) {
      view.slot = *slot;
      set_counts(view, stats(*slot));
    }
  }
  return views;
}

}  // namespace fairlead::daemon
