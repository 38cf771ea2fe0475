// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection/usage.h"

namespace fairlead::daemon {
namespace {

// Each has two entries.
std::int64_t flows(const datapath::Sweeper::Pass& pass, std::uint64_t entries) {
  return pass.ended ? static_cast<std::int64_t>(entries / 2) : -1;
}

}  // namespace

std::vector<admin::UsageView> view_usage(const state::Placement& placement, const datapath::Sweeper::Pass& pass,
                                         const datapath::Sizes& sizes) {
  const auto used = placement.usage();
  const auto& limits = placement.limits();
  return {{"frontends", used.frontends, limits.frontends},
          {"addresses", used.addresses, limits.addresses},
          {"service ports", used.service_ports, limits.service_ports},
          {"backends", used.backends, limits.backends},
          {"ring slots", used.ring_slots, limits.ring_slots},
          {"ring members", used.members, limits.members},
          {"IPv4 flows", flows(pass, pass.live4), sizes.flows4},
          {"IPv6 flows", flows(pass, pass.live6), sizes.flows6}};
}

}  // namespace fairlead::daemon
