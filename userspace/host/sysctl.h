// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace fairlead::host {

// A number below net of this network namespace, by its path: "ipv4/conf/eth0/rp_filter". Nothing where there is none.
std::optional<int> net_sysctl(const std::string& path);

}  // namespace fairlead::host
