// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection/verdicts.h"

namespace fairlead::daemon {
namespace {

admin::VerdictKind kind_of(lb_verdict verdict) {
  if (verdict >= LB_VERDICT_FIRST_DROP) return admin::VerdictKind::kDrop;
  return verdict >= LB_VERDICT_FIRST_SEND ? admin::VerdictKind::kSend : admin::VerdictKind::kPass;
}

}  // namespace

std::vector<admin::HookView> view_verdicts(const datapath::Verdicts& counts) {
  std::vector<admin::HookView> views;
  for (const datapath::HookInfo& hook : datapath::hook_infos()) {
    admin::HookView& view = views.emplace_back(admin::HookView{hook.name, {}});
    for (const datapath::VerdictInfo& info : datapath::verdict_infos())
      view.verdicts.push_back({info.name, kind_of(info.verdict), info.meaning, counts[hook.hook][info.verdict]});
  }
  return views;
}

}  // namespace fairlead::daemon
