// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/attacher.h"

#include <bpf/bpf.h>

#include <algorithm>

#include "userspace/datapath/patience.h"
#include "userspace/datapath/precedence.h"
#include "userspace/host/device_name.h"

namespace fairlead::datapath {
namespace {

std::uint32_t id_of(int program) {
  bpf_prog_info info{};
  __u32 length = sizeof(info);
  return bpf_obj_get_info_by_fd(program, &info, &length) ? 0 : info.id;
}

// Whether our program is there: no step was needed, or it was taken, and is not undone.
bool is_in_place(const Attachment& one, const std::vector<Step>& steps, const CarriedOut& out) {
  const auto concerns = [&](const Step& step) {
    return step.action != Step::kDetach && same_place(step.attachment, one);
  };
  const auto step = std::ranges::find_if(steps, concerns);
  if (step == steps.end()) return true;
  if (step->action == Step::kAttach && out.half_attached.contains(one.ifindex)) return false;
  return std::ranges::any_of(out.done, concerns);
}

}  // namespace

Attacher::Attacher(const Object& object, const std::string& pin_directory)
    : tc_(tc_means(pin_directory)), attachments_(pin_directory) {
  for (const auto& [hook, fd] : {std::pair{Hook::kXdp, object.xdp_program()},
                                 {Hook::kTcIngress, object.tc_ingress_program()},
                                 {Hook::kTcEgress, object.tc_egress_program()}})
    programs_[hook] = {fd, id_of(fd)};
}

// Egress first: what it sees alone is of no service yet, and requests that ingress alone sends on get no answers.
std::vector<Attachment> Attacher::desired(const std::vector<DeviceSpec>& devices) const {
  std::vector<Attachment> all;
  const auto add = [&](int ifindex, Hook hook, Means means) {
    all.push_back({ifindex, hook, means, program(hook).id, ""});
  };
  for (const DeviceSpec& device : devices) {
    add(device.ifindex, Hook::kTcEgress, tc_);
    add(device.ifindex, Hook::kTcIngress, tc_);
    if (device.xdp == XdpMode::kNative) add(device.ifindex, Hook::kXdp, Means::kXdpNative);
    if (device.xdp == XdpMode::kGeneric) add(device.ifindex, Hook::kXdp, Means::kXdpGeneric);
  }
  return all;
}

Result<Attacher::Outcome> Attacher::reconcile(const std::vector<DeviceSpec>& devices) {
  // A device that cannot be asked is not one without our program, which would be attached again, and refused.
  if (auto asked = patiently([&] { return ask_for_xdp(devices); }); !asked) return asked.error();
  const auto actual = patiently([&] { return attachments_.read(); });
  if (!actual) return actual.error();
  Outcome outcome;
  outcome.unknown = actual->unknown;
  std::vector<Attachment> in_place = desired(devices);
  refuse(*actual, in_place, outcome);
  const std::vector<Step> steps = diff(in_place, actual->attachments);
  const CarriedOut out = carry_out(steps, [&](const Step& step) { return take(step); });
  outcome.done = out.done;
  outcome.failed.insert(outcome.failed.end(), out.failed.begin(), out.failed.end());
  outcome.anew = out.anew;
  undo(out.half_attached, *actual, outcome);
  note_earlier(*actual, out);
  std::erase_if(in_place, [&](const Attachment& one) { return !is_in_place(one, steps, out); });
  finish(devices, *actual, std::move(in_place), outcome);
  return outcome;
}

void Attacher::finish(const std::vector<DeviceSpec>& devices, const Actual& actual, std::vector<Attachment> in_place,
                      Outcome& outcome) {
  remove_unused(actual.unused_qdiscs, in_place, outcome);
  look_before(actual, in_place, outcome);
  for (const auto& [action, one] : outcome.done)
    if (action == Step::kAttach && contains_place(in_place_, one) && contains_place(in_place, one))
      outcome.lost.push_back(one);
  in_place_ = std::move(in_place);
  if (const auto asked = ask_for_xdp(devices); !asked) outcome.unknown.push_back(asked.error());
}

Result<> Attacher::ask_for_xdp(const std::vector<DeviceSpec>& devices) {
  const std::uint32_t ours = program(Hook::kXdp).id;
  std::map<int, Xdp> found;
  for (const DeviceSpec& device : devices) {
    const auto programs = xdp_programs(device.ifindex);
    if (!programs) return programs.error();
    found[device.ifindex] = {programs->mode_of(ours), programs->other_than(ours)};
  }
  xdp_ = std::move(found);
  return {};
}

// Nothing belongs on a device that cannot have tc's programs.
void Attacher::refuse(const Actual& actual, std::vector<Attachment>& desired, Outcome& outcome) const {
  if (tc_ != Means::kClsact) return;
  std::set<int> refused;
  for (const Attachment& one : desired) {
    const auto why = actual.no_filters.find(one.ifindex);
    if (why == actual.no_filters.end() || !refused.insert(one.ifindex).second) continue;
    const Step step{Step::kAttach, one};
    outcome.failed.push_back({step, why->second});
  }
  std::erase_if(desired, [&](const Attachment& one) { return refused.contains(one.ifindex); });
}

// Whether an XDP program has gone by another way than being replaced, its device tells.
void Attacher::note_earlier(const Actual& actual, const CarriedOut& out) {
  const auto is_earlier = [&](const Attachment& one) { return one.program != program(one.hook).id; };
  for (const Attachment& one : actual.attachments)
    if (one.ifindex && is_earlier(one)) earlier_programs_.insert(one.program);
  std::vector<Step> not_done = out.left;
  for (const Failure& failure : out.failed)
    not_done.push_back(failure.step);
  kept_.clear();
  for (const auto& [action, one] : not_done) {
    const bool stays = action == Step::kReplace ? one.hook != Hook::kXdp : action == Step::kDetach && is_earlier(one);
    if (stays && one.ifindex) kept_.insert(describe(one));
  }
}

std::set<std::string> Attacher::earlier() const {
  std::set<std::string> all = kept_;
  for (const auto& [ifindex, unused] : xdp_)
    if (xdp(ifindex).is_earlier) all.insert("XDP on " + host::device_name(ifindex));
  return all;
}

// Takes off again what they had not before.
void Attacher::undo(const std::set<int>& devices, const Actual& before, Outcome& outcome) {
  if (devices.empty()) return;
  const auto actual = patiently([&] { return attachments_.read(); });
  if (!actual) {
    outcome.unknown.push_back(actual.error());
    return;
  }
  for (const Attachment& one : actual->attachments) {
    if (!devices.contains(one.ifindex) || contains_place(before.attachments, one)) continue;
    const Step step{Step::kDetach, one};
    if (const auto taken = take(step); !taken) outcome.failed.push_back({step, taken.error()});
  }
}

// But for those that filters of ours are in by now.
void Attacher::remove_unused(const std::set<int>& qdiscs, const std::vector<Attachment>& in_place, Outcome& outcome) {
  for (const int ifindex : qdiscs)
    if (std::none_of(in_place.begin(), in_place.end(), [&](const Attachment& one) { return one.ifindex == ifindex; }))
      if (const auto left = Attachments::leave_qdisc(ifindex); !left) outcome.unknown.push_back(left.error());
}

// It keeps nothing from being attached: whether it ends the chain is its own affair, and goes packet by packet.
void Attacher::look_before(const Actual& actual, const std::vector<Attachment>& in_place, Outcome& outcome) {
  for (const Attachment& one : in_place) {
    if (one.hook == Hook::kXdp) continue;
    const auto by_tcx = tcx_before(one);
    if (!by_tcx) outcome.unknown.push_back(by_tcx.error());
    std::vector<std::string> found = by_tcx ? *by_tcx : std::vector<std::string>();
    if (const auto filters = actual.filters_before.find({one.ifindex, one.hook});
        one.means == Means::kClsact && filters != actual.filters_before.end())
      found.insert(found.end(), filters->second.begin(), filters->second.end());
    for (const std::string& what : found)
      outcome.preceding.push_back(runs_before(what, one));
  }
}

Attacher::Xdp Attacher::xdp(int ifindex) const {
  const auto found = xdp_.find(ifindex);
  if (found == xdp_.end()) return {};
  Xdp xdp = found->second;
  xdp.is_earlier = earlier_programs_.contains(xdp.other);
  return xdp;
}

Result<> Attacher::take(const Step& step) {
  switch (step.action) {
    case Step::kAttach:
      return attachments_.attach(step.attachment, program(step.attachment.hook).fd);
    case Step::kReplace:
      return attachments_.replace(step.attachment, program(step.attachment.hook).fd);
    case Step::kDetach:
      return attachments_.detach(step.attachment);
  }
  return {};
}

}  // namespace fairlead::datapath
