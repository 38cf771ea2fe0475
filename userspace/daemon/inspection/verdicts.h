// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "userspace/admin/view.h"
#include "userspace/datapath/counters.h"

namespace fairlead::daemon {

// What became of packets, by verdict and hook.
std::vector<admin::VerdictView> view_verdicts(const datapath::Verdicts& counts);

}  // namespace fairlead::daemon
