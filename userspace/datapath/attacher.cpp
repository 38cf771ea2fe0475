// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/attacher.h"

#include <bpf/bpf.h>

namespace fairlead::datapath {
namespace {

std::uint32_t id_of(int program) {
  bpf_prog_info info{};
  __u32 length = sizeof(info);
  return bpf_obj_get_info_by_fd(program, &info, &length) ? 0 : info.id;
}

}  // namespace

Attacher::Attacher(const Object& object, const std::string& pin_directory)
    : tc_(tc_means(pin_directory)), attachments_(pin_directory) {
  for (const auto& [hook, fd] : {std::pair{Hook::kXdp, object.xdp_program()},
                                 {Hook::kTcIngress, object.tc_ingress_program()},
                                 {Hook::kTcEgress, object.tc_egress_program()}})
    programs_[hook] = {fd, id_of(fd)};
}

std::vector<Attachment> Attacher::desired(const std::vector<DeviceSpec>& devices) const {
  std::vector<Attachment> all;
  const auto add = [&](int ifindex, Hook hook, Means means) {
    all.push_back({ifindex, hook, means, program(hook).id, ""});
  };
  for (const DeviceSpec& device : devices) {
    add(device.ifindex, Hook::kTcIngress, tc_);
    add(device.ifindex, Hook::kTcEgress, tc_);
    if (device.xdp == XdpMode::kNative) add(device.ifindex, Hook::kXdp, Means::kXdpNative);
    if (device.xdp == XdpMode::kGeneric) add(device.ifindex, Hook::kXdp, Means::kXdpGeneric);
  }
  return all;
}

Result<Attacher::Outcome> Attacher::reconcile(const std::vector<DeviceSpec>& devices) {
  const auto actual = attachments_.read();
  if (!actual) return actual.error();
  std::vector<Attachment> in_place = desired(devices);
  Outcome outcome;
  outcome.unknown = actual->unknown;
  for (const Step& step : diff(in_place, actual->attachments))
    if (const auto taken = take(step); taken) {
      outcome.done.push_back(step);
      if (step.action == Step::kAttach && contains_place(in_place_, step.attachment))
        outcome.lost.push_back(step.attachment);
    } else {
      outcome.failed.push_back({step, taken.error()});
      if (step.action == Step::kAttach)
        std::erase_if(in_place, [&](const Attachment& one) { return same_place(one, step.attachment); });
    }
  in_place_ = std::move(in_place);
  return outcome;
}

XdpMode Attacher::xdp_mode(int ifindex) const {
  const auto mode = xdp_mode_of(ifindex, program(Hook::kXdp).id);
  return mode ? *mode : XdpMode::kOff;
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
