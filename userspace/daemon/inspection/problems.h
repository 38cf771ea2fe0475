// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "userspace/admin/view.h"
#include "userspace/daemon/sync.h"

namespace fairlead::daemon {

// What cannot be honoured: of what the source read, and of what its services ask for.
std::vector<admin::ProblemView> view_problems(const std::set<model::Problem>& source, const Sync& sync);
// Of one service.
std::vector<admin::ProblemView> view_problems(const model::Name& service, const Sync& sync);
// That nothing has this node's name, if that is certain: all Nodes are known, or endpoints have it in other letters. A
// node that has no endpoints is not told from one with a wrong name by them alone.
std::optional<admin::ProblemView> unknown_node(const std::string& name, const model::Store& store, bool knows_nodes);

}  // namespace fairlead::daemon
