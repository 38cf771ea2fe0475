// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "userspace/admin/view.h"
#include "userspace/daemon/sync.h"
#include "userspace/model/service.h"

namespace fairlead::daemon {

// Where a service port is served, and what the maps make of new connections there.
std::vector<admin::FrontendView> view_frontends(const model::Service& service, const state::PortSpec& spec,
                                                const Sync& sync);

admin::FrontendKind frontend_kind(const model::Service& service, const lb_service_key& key);

// "NodePort 30080", "LoadBalancer 192.0.2.10:80"
std::string frontend_text(const model::Service& service, const lb_service_key& key);

}  // namespace fairlead::daemon
