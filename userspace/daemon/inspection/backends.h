// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "userspace/admin/view.h"
#include "userspace/state/placement.h"

namespace fairlead::daemon {

// Counters of a backend slot.
using BackendStats = std::function<lb_backend_stats(std::uint32_t slot)>;

admin::BackendState state_of(const state::PortSpec& spec, std::uint32_t backend);

// A service port's endpoints, one view each.
std::vector<admin::BackendView> view_backends(const state::PortSpec& spec, const state::Placement& placement,
                                              const BackendStats& stats);

}  // namespace fairlead::daemon
