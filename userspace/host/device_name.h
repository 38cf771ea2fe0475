// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace fairlead::host {

// "eth0", for messages; "device 7" where it is gone.
std::string device_name(int ifindex);

}  // namespace fairlead::host
