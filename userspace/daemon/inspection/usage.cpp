// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection/usage.h"

namespace fairlead::daemon {

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
          // Each has two entries.
          {"IPv4 flows", pass.live4 / 2, sizes.flows4},
          {"IPv6 flows", pass.live6 / 2, sizes.flows6}};
}

}  // namespace fairlead::daemon
