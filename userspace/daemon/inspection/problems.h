// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <vector>

#include "userspace/admin/view.h"
#include "userspace/daemon/sync.h"

namespace fairlead::daemon {

// What cannot be honoured: of what the source read, and of what its services ask for.
std::vector<admin::ProblemView> view_problems(const std::set<model::Problem>& source, const Sync& sync);
// Of one service.
std::vector<admin::ProblemView> view_problems(const model::Name& service, const Sync& sync);

}  // namespace fairlead::daemon
