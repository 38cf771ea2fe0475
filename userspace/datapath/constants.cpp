// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/constants.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>

namespace fairlead::datapath {
namespace {

lb_constants as_configured(const Config& config) {
  lb_constants wanted{};
  wanted.snat_port_base = config.snat_ports.first;
  wanted.snat_port_words = static_cast<std::uint16_t>(
      std::min<std::uint32_t>((config.snat_ports.last - config.snat_ports.first + 1) / 64, LB_SNAT_POOL_WORDS));
  return wanted;
}

}  // namespace

Result<lb_constants> choose_constants(const std::optional<lb_constants>& pinned, const Config& config,
                                      std::vector<std::string>& kept) {
  lb_constants wanted = as_configured(config);
  if (pinned && pinned->flow_seed[0]) {
    const int last = pinned->snat_port_base + pinned->snat_port_words * 64 - 1;
    const std::string range = std::to_string(pinned->snat_port_base) + "-" + std::to_string(last);
    if (pinned->snat_port_base <= config.nodeports.last && config.nodeports.first <= last)
      return Error{
          "the pinned maps keep --snat-port-range at " + range + ", which overlaps the NodePorts: lbd --cleanup first",
          EINVAL};
    if (pinned->snat_port_base != wanted.snat_port_base || pinned->snat_port_words != wanted.snat_port_words)
      kept.push_back("--snat-port-range at " + range);
    return *pinned;
  }
  if (getrandom(wanted.flow_seed, sizeof(wanted.flow_seed), 0) != sizeof(wanted.flow_seed))
    return make_error("read", "random numbers", errno);
  return wanted;
}

}  // namespace fairlead::datapath
