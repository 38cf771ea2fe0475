// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/filter_place.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>

#include "userspace/host/device_name.h"

namespace fairlead::datapath {
namespace {

constexpr std::string_view kNames = "lb_";

// The kernel keeps filters of one priority apart from all others: they are of one kind and protocol.
// What runs before ours is another question: see precedence.h.
bool is_in_the_way(const host::TcFilter& filter) {
  if (is_ours(filter) || filter.priority != kFilterPriority || filter.chain != 0) return false;
  return filter.kind != "bpf" || filter.protocol != htons(ETH_P_ALL) || filter.handle == kFilterHandle;
}

std::string place_of(const host::TcFilter& filter) {
  const std::string priority = "priority " + std::to_string(kFilterPriority);
  return filter.kind == "bpf" && filter.handle == kFilterHandle ? priority + ", handle 0xfa1," : priority;
}

}  // namespace

bool is_ours(const host::TcFilter& filter) {
  return filter.handle == kFilterHandle && filter.priority == kFilterPriority && filter.protocol == htons(ETH_P_ALL) &&
         filter.name.starts_with(kNames);
}

host::TcSide side_of(Hook hook) {
  return hook == Hook::kTcIngress ? host::TcSide::kIngress : host::TcSide::kEgress;
}

std::optional<Error> obstacle(int ifindex, const std::string& qdisc, Hook hook,
                              const std::vector<host::TcFilter>& filters) {
  const std::string device = host::device_name(ifindex);
  if (qdisc != "clsact")
    return Error{device + " has a qdisc of kind " + qdisc + ", which has no egress: it must be of kind clsact",
                 EOPNOTSUPP};
  const auto filter = std::find_if(filters.begin(), filters.end(), is_in_the_way);
  if (filter == filters.end()) return std::nullopt;
  const std::string side = hook == Hook::kTcIngress ? "tc ingress" : "tc egress";
  return Error{
      device + " cannot have " + side + ": " + place_of(*filter) + " is taken by a " + filter->kind + " filter",
      EEXIST};
}

}  // namespace fairlead::datapath
