// SPDX-License-Identifier: Apache-2.0
#include "userspace/host/tc_filters.h"

#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <string_view>

#include "userspace/host/attributes.h"
#include "userspace/host/netlink.h"

namespace fairlead::host {
namespace {

std::string_view kind(const Attributes& all) {
  const nlattr* kind = get(all, TCA_KIND);
  return kind ? mnl_attr_get_str(kind) : "";
}

TcFilter filter_of(const nlmsghdr* message) {
  const auto* header = static_cast<const tcmsg*>(mnl_nlmsg_get_payload(message));
  TcFilter filter{header->tcm_handle, TC_H_MAJ(header->tcm_info) >> 16, "", 0};
  const Attributes all = attributes(message, sizeof(tcmsg));
  const nlattr* options = get(all, TCA_OPTIONS);
  if (!options || kind(all) != "bpf") return filter;
  const Attributes bpf = nested(options);
  if (const nlattr* name = get(bpf, TCA_BPF_NAME)) filter.name = mnl_attr_get_str(name);
  if (const nlattr* program = get(bpf, TCA_BPF_ID)) filter.program = mnl_attr_get_u32(program);
  return filter;
}

}  // namespace

Result<std::vector<TcFilter>> tc_filters(int ifindex, TcSide side) {
  tcmsg which{};
  which.tcm_family = AF_UNSPEC;
  which.tcm_ifindex = ifindex;
  which.tcm_parent = TC_H_MAKE(TC_H_CLSACT, side == TcSide::kIngress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
  return netlink_dump(RTM_GETTFILTER, std::as_bytes(std::span(&which, 1)), std::vector<TcFilter>(),
                      [](std::vector<TcFilter>& filters, const nlmsghdr* message) {
                        // A filter chain begins with a message about itself.
                        if (const TcFilter filter = filter_of(message); filter.handle) filters.push_back(filter);
                      });
}

Result<std::set<int>> devices_with_clsact() {
  tcmsg any{};
  return netlink_dump(RTM_GETQDISC, std::as_bytes(std::span(&any, 1)), std::set<int>(),
                      [](std::set<int>& devices, const nlmsghdr* message) {
                        if (kind(attributes(message, sizeof(tcmsg))) == "clsact")
                          devices.insert(static_cast<const tcmsg*>(mnl_nlmsg_get_payload(message))->tcm_ifindex);
                      });
}

}  // namespace fairlead::host
