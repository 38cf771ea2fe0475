// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/default_routes.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "userspace/host/attributes.h"

namespace fairlead::host {
namespace {

// Of a route with several next hops, those of a group of next hop objects among them.
void add_devices(const nlattr* multipath, std::set<int>& devices) {
  const auto* hop = static_cast<const rtnexthop*>(mnl_attr_get_payload(multipath));
  int left = mnl_attr_get_payload_len(multipath);
  while (RTNH_OK(hop, left)) {
    devices.insert(hop->rtnh_ifindex);
    left -= RTNH_ALIGN(hop->rtnh_len);
    hop = RTNH_NEXT(hop);
  }
}

}  // namespace

void DefaultRoutes::handle(const nlmsghdr* message) {
  const auto* route = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
  if (route->rtm_dst_len != 0 || route->rtm_table != RT_TABLE_MAIN || route->rtm_type != RTN_UNICAST) return;
  const Attributes all = attributes(message, sizeof(rtmsg));
  std::set<int> devices;
  if (const nlattr* device = get(all, RTA_OIF)) devices.insert(static_cast<int>(mnl_attr_get_u32(device)));
  if (const nlattr* multipath = get(all, RTA_MULTIPATH)) add_devices(multipath, devices);
  devices_.insert(devices.begin(), devices.end());
  if (route->rtm_family == AF_INET) ipv4_devices_.insert(devices.begin(), devices.end());
}

}  // namespace fairlead::host
