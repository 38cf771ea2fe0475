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
  const Attributes all = attributes(message, sizeof(tcmsg));
  TcFilter filter;
  filter.handle = header->tcm_handle;
  filter.priority = TC_H_MAJ(header->tcm_info) >> 16;
  filter.protocol = static_cast<std::uint16_t>(TC_H_MIN(header->tcm_info));
  filter.kind = kind(all);
  if (const nlattr* chain = get(all, TCA_CHAIN)) filter.chain = mnl_attr_get_u32(chain);
  const nlattr* options = get(all, TCA_OPTIONS);
  if (!options || filter.kind != "bpf") return filter;
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

}  // namespace fairlead::host
