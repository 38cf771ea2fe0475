// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "userspace/host/host.h"

namespace fairlead::daemon {

// The devices that the programs belong on.
struct DeviceChoice {
  std::map<std::string, int> ifindices;  // by the name that chose them
  std::vector<std::string> missing;      // names that no device has, each as a sentence
};

// Those that have one of the names. A name chooses one device, which stays chosen under another name as long as no
// other has the one that chose it: what lbd is on is not lost to a rename.
DeviceChoice choose_devices(const std::vector<std::string>& names, const std::map<int, host::Device>& devices,
                            const DeviceChoice& before);

}  // namespace fairlead::daemon
