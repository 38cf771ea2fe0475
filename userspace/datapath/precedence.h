// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "userspace/datapath/attachment.h"
#include "userspace/host/tc_filters.h"
#include "userspace/util/result.h"

namespace fairlead::datapath {

// What others have on a device that runs before a tc program of ours, each in words. What of it ends the chain, as
// TC_ACT_OK does, leaves ours nothing.

// Programs on tcx, which as a whole comes before the qdisc's filters.
Result<std::vector<std::string>> tcx_before(const Attachment& ours);
// Of one side's filters, in the order in which they run. Of another chain than 0 are those that a filter jumps to.
std::vector<std::string> filters_before_ours(const std::vector<host::TcFilter>& filters);

// What one of them means for ours.
std::string runs_before(const std::string& what, const Attachment& ours);

}  // namespace fairlead::datapath
