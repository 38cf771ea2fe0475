// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "userspace/admin/view.h"
#include "userspace/model/service.h"
#include "userspace/state/port_spec.h"

namespace fairlead::daemon {

// How each pool of a service port spreads new connections over its members.
std::vector<admin::RingView> view_rings(const model::Service& service, const state::PortSpec& spec);

}  // namespace fairlead::daemon
