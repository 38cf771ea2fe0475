// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/attachment.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "userspace/host/device_name.h"

namespace fairlead::datapath {
namespace {

// Of two in one place, as two tcx links of different builds can be, the first is kept.
bool is_kept(const std::vector<Attachment>& desired, const std::vector<Attachment>& actual,
             std::vector<Attachment>::const_iterator one) {
  return contains_place(desired, *one) && !contains_place({actual.begin(), one}, *one);
}

const char* name_of(const Attachment& attachment) {
  if (attachment.hook == Hook::kXdp) return attachment.means == Means::kXdpGeneric ? "XDP (generic)" : "XDP (native)";
  const bool ingress = attachment.hook == Hook::kTcIngress;
  if (attachment.means == Means::kTcx) return ingress ? "tc ingress (tcx)" : "tc egress (tcx)";
  return ingress ? "tc ingress" : "tc egress";
}

}  // namespace

bool same_place(const Attachment& a, const Attachment& b) {
  return a.ifindex == b.ifindex && a.hook == b.hook && a.means == b.means;
}

bool contains_place(const std::vector<Attachment>& all, const Attachment& attachment) {
  return std::any_of(all.begin(), all.end(), [&](const Attachment& one) { return same_place(one, attachment); });
}

std::vector<Step> diff(const std::vector<Attachment>& desired, const std::vector<Attachment>& actual) {
  std::vector<Step> without_device, tc, detach, xdp;
  for (auto one = actual.begin(); one != actual.end(); ++one)
    if (!is_kept(desired, actual, one)) (one->ifindex ? detach : without_device).push_back({Step::kDetach, *one});
  for (const Attachment& want : desired) {
    std::vector<Step>& steps = want.hook == Hook::kXdp ? xdp : tc;
    const auto have =
        std::find_if(actual.begin(), actual.end(), [&](const Attachment& one) { return same_place(one, want); });
    if (have == actual.end())
      steps.push_back({Step::kAttach, want});
    else if (have->program != want.program)
      steps.push_back({Step::kReplace, {want.ifindex, want.hook, want.means, want.program, have->link}});
  }
  std::vector<Step> all;
  for (const auto* some : {&without_device, &tc, &detach, &xdp})
    all.insert(all.end(), some->begin(), some->end());
  return all;
}

std::string why(int code) {
  const bool has_gone = code == ENODEV || code == ENXIO || code == ENOLINK;
  return has_gone ? "the device has gone meanwhile" : std::generic_category().message(code);
}

Error step_error(const std::string& operation, const Attachment& attachment, int code) {
  return {operation + " " + describe(attachment) + ": " + why(code), code};
}

std::string describe(const Attachment& attachment) {
  if (!attachment.ifindex) return "the link " + attachment.link;
  return std::string(name_of(attachment)) + " on " + host::device_name(attachment.ifindex);
}

}  // namespace fairlead::datapath
