// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/tc_qdiscs.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <string_view>

#include "userspace/host/attributes.h"
#include "userspace/host/netlink.h"

namespace fairlead::host {
namespace {

void add_qdisc(std::map<int, std::string>& qdiscs, const nlmsghdr* message) {
  const Attributes all = attributes(message, sizeof(tcmsg));
  const nlattr* attribute = get(all, TCA_KIND);
  const std::string_view kind = attribute ? mnl_attr_get_str(attribute) : "";
  if (kind == "clsact" || kind == "ingress")
    qdiscs[static_cast<const tcmsg*>(mnl_nlmsg_get_payload(message))->tcm_ifindex] = kind;
}

}  // namespace

Result<std::map<int, std::string>> tc_filter_qdiscs() {
  tcmsg any{};
  return netlink_dump(RTM_GETQDISC, std::as_bytes(std::span(&any, 1)), std::map<int, std::string>(), add_qdisc);
}

}  // namespace fairlead::host
