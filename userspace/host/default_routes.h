// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

struct nlmsghdr;

namespace fairlead::host {

// The devices that a default route of any table leaves through, by any of its next hops. Only ever added to between two
// dumps.
class DefaultRoutes {
 public:
  // RTM_NEWROUTE, of any route; true: there are more.
  bool handle(const nlmsghdr* message);

  const std::set<int>& devices() const { return devices_; }
  const std::set<int>& ipv4_devices() const { return ipv4_devices_; }

 private:
  std::set<int> devices_;
  std::set<int> ipv4_devices_;
};

}  // namespace fairlead::host
