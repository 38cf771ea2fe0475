// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "userspace/admin/view.h"

namespace fairlead::cli {

// What lbd tells, as people read it.
std::string render_status(const admin::StatusView& status);
std::string render_problems(const std::vector<admin::ProblemView>& problems);
std::string render_services(const std::vector<admin::ServiceView>& services);
std::string render_service(const admin::ServiceView& service);
std::string render_backends(const std::vector<admin::ServiceView>& services);
std::string render_flows(const std::vector<admin::FlowView>& flows);
std::string render_rings(const std::vector<admin::RingView>& rings);
// nonzero: without verdicts that no hook has counted.
std::string render_verdicts(const std::vector<admin::HookView>& hooks, bool nonzero);

}  // namespace fairlead::cli
