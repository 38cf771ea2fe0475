// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "userspace/admin/view.h"
#include "userspace/datapath/counters.h"

namespace fairlead::daemon {

// What became of packets: of every hook, every verdict.
std::vector<admin::HookView> view_verdicts(const datapath::Verdicts& counts);

}  // namespace fairlead::daemon
