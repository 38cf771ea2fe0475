// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/default_routes.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "userspace/host/next_hops.h"

namespace fairlead::host {

bool DefaultRoutes::handle(const nlmsghdr* message) {
  const auto* route = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
  if (route->rtm_dst_len != 0 || route->rtm_type != RTN_UNICAST) return false;
  const std::set<int> devices = next_hop_devices(attributes(message, sizeof(rtmsg)));
  const std::size_t before = devices_.size() + ipv4_devices_.size();
  devices_.insert(devices.begin(), devices.end());
  if (route->rtm_family == AF_INET) ipv4_devices_.insert(devices.begin(), devices.end());
  return devices_.size() + ipv4_devices_.size() != before;
}

}  // namespace fairlead::host
