// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "userspace/admin/view.h"
#include "userspace/datapath/flows.h"
#include "userspace/state/placement.h"

namespace fairlead::daemon {

// How full the maps are; of flows as of the last pass over their table.
std::vector<admin::UsageView> view_usage(const state::Placement& placement, const datapath::Sweeper::Pass& pass,
                                         const datapath::Sizes& sizes);

}  // namespace fairlead::daemon
