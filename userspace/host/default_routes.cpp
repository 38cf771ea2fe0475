// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/default_routes.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "userspace/host/attributes.h"

namespace fairlead::host {

void DefaultRoutes::handle(const nlmsghdr* message) {
  const auto* route = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
  if (route->rtm_dst_len != 0 || route->rtm_table != RT_TABLE_MAIN || route->rtm_type != RTN_UNICAST) return;
  const Attributes all = attributes(message, sizeof(rtmsg));
  if (const nlattr* device = get(all, RTA_OIF)) devices_.insert(static_cast<int>(mnl_attr_get_u32(device)));
}

}  // namespace fairlead::host
