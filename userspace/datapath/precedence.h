// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "userspace/datapath/attachment.h"
#include "userspace/util/result.h"

namespace fairlead::datapath {

// What others have on the device that runs before this tc program of ours, each in words. What of it ends the chain, as
// TC_ACT_OK does, leaves ours nothing.
Result<std::vector<std::string>> preceding(const Attachment& ours);

}  // namespace fairlead::datapath
