// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/sysctl.h"

#include <fstream>

namespace fairlead::host {

std::optional<int> net_sysctl(const std::string& path) {
  std::ifstream file("/proc/sys/net/" + path);
  int value = 0;
  return file >> value ? std::optional(value) : std::nullopt;
}

}  // namespace fairlead::host
