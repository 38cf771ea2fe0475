// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/carry_out.h"

#include "userspace/datapath/patience.h"

namespace fairlead::datapath {
namespace {

using Take = std::function<Result<>(const Step&)>;

// The first error is the one that tells why.
Result<> replace(const Step& step, const Take& take, CarriedOut& out) {
  auto replaced = patiently([&] { return take(step); });
  if (replaced || step.attachment.hook != Hook::kXdp) return replaced;
  if (!take({Step::kDetach, step.attachment}) || !take({Step::kAttach, step.attachment})) return replaced;
  out.anew.push_back({step, replaced.error()});
  return {};
}

// Whether the device is of no use without what the step does.
bool is_needed(const Step& step) {
  return step.action != Step::kDetach && step.attachment.hook != Hook::kXdp;
}

}  // namespace

CarriedOut carry_out(const std::vector<Step>& steps, const Take& take) {
  CarriedOut out;
  std::set<int> stopped;
  for (const Step& step : steps) {
    if (stopped.contains(step.attachment.ifindex)) {
      out.left.push_back(step);
      continue;
    }
    const auto taken = step.action == Step::kReplace ? replace(step, take, out) : take(step);
    if (taken) {
      out.done.push_back(step);
      continue;
    }
    out.failed.push_back({step, taken.error()});
    if (!is_needed(step)) continue;
    stopped.insert(step.attachment.ifindex);
    if (step.action == Step::kAttach) out.half_attached.insert(step.attachment.ifindex);
  }
  return out;
}

}  // namespace fairlead::datapath
