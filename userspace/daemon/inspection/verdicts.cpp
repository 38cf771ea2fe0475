// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection/verdicts.h"

namespace fairlead::daemon {

std::vector<admin::VerdictView> view_verdicts(const datapath::Verdicts& counts) {
  std::vector<admin::VerdictView> views;
  for (const datapath::VerdictInfo& info : datapath::verdict_infos())
    views.push_back({info.name, info.kind, info.meaning, counts[LB_HOOK_XDP][info.verdict],
                     counts[LB_HOOK_TC_INGRESS][info.verdict], counts[LB_HOOK_TC_EGRESS][info.verdict]});
  return views;
}

}  // namespace fairlead::daemon
