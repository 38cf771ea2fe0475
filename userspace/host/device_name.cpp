// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/device_name.h"

#include <net/if.h>

#include <array>

namespace fairlead::host {

std::string device_name(int ifindex) {
  std::array<char, IF_NAMESIZE> name{};
  const bool known = if_indextoname(static_cast<unsigned>(ifindex), name.data());
  return known ? name.data() : "device " + std::to_string(ifindex);
}

}  // namespace fairlead::host
