// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/next_hops.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

namespace fairlead::host {
namespace {

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

std::set<int> next_hop_devices(const Attributes& route) {
  std::set<int> devices;
  if (const nlattr* device = get(route, RTA_OIF)) devices.insert(static_cast<int>(mnl_attr_get_u32(device)));
  if (const nlattr* multipath = get(route, RTA_MULTIPATH)) add_devices(multipath, devices);
  return devices;
}

}  // namespace fairlead::host
