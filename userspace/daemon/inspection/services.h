// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "userspace/admin/inspector.h"
#include "userspace/daemon/inspection/backends.h"
#include "userspace/daemon/sync.h"

namespace fairlead::daemon {

// A service and the ports of it that are served.
admin::ServiceView view_service(const model::Service& service, const Sync& sync, const BackendStats& stats);
std::vector<admin::PortSummary> summarize_ports(const model::Service& service, const Sync& sync);

// Specs of a service's ports that are served.
std::vector<const state::PortSpec*> served_ports(const model::Name& service, const Sync& sync);

}  // namespace fairlead::daemon
