// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/device_choice.h"

#include <algorithm>

namespace fairlead::daemon {

DeviceChoice choose_devices(const std::vector<std::string>& names, const std::map<int, host::Device>& devices,
                            const DeviceChoice& before) {
  DeviceChoice choice;
  for (const std::string& name : names) {
    const auto named =
        std::find_if(devices.begin(), devices.end(), [&](const auto& entry) { return entry.second.name == name; });
    if (named != devices.end()) {
      choice.ifindices[name] = named->first;
      continue;
    }
    const auto earlier = before.ifindices.find(name);
    const auto renamed = earlier == before.ifindices.end() ? devices.end() : devices.find(earlier->second);
    if (renamed == devices.end()) {
      choice.missing.push_back("attach to device " + name + ": No such device");
      continue;
    }
    choice.ifindices[name] = renamed->first;
    choice.missing.push_back("no device is called " + name + " any more: " + renamed->second.name +
                             ", which was, keeps its programs");
  }
  return choice;
}

}  // namespace fairlead::daemon
