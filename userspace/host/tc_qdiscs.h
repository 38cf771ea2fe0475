// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "userspace/util/result.h"

namespace fairlead::host {

// The kind of the qdisc that has a device's filters, by ifindex. A device has one of either kind: "clsact", or
// "ingress", which has one side and takes filters for egress for such of that one.
Result<std::map<int, std::string>> tc_filter_qdiscs();

}  // namespace fairlead::host
