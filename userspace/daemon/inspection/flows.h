// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "userspace/admin/inspector.h"
#include "userspace/datapath/object.h"

namespace fairlead::daemon {

// Flows of the table that match, one for each forward entry. names: service id -> service port id.
Result<std::vector<admin::FlowView>> query_flows(const datapath::Object& object,
                                                 const std::unordered_map<std::uint32_t, std::string>& names,
                                                 const admin::FlowFilter& filter);

}  // namespace fairlead::daemon
