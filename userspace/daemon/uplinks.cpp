// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/uplinks.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace fairlead::daemon {

using datapath::XdpMode;

Uplinks::Uplinks(const datapath::Object& object, const Options& options)
    : object_(&object),
      options_(&options),
      attacher_(object, options.datapath.pin_directory),
      choice_(earlier_choice(options.devices, options.datapath.pin_directory)) {
}

Result<> Uplinks::start(const host::Host& node) {
  follow(node, {});
  if (attacher_.is_anywhere() || (options_->devices.empty() && desired().empty())) return {};
  if (problems().empty()) return Error{"no device to attach to", ENODEV};
  return Error{fmt::format("{}", fmt::join(problems(), "; ")), ENODEV};
}

bool Uplinks::follow(const host::Host& node, const Wanted& wanted) {
  choice_ = choose_devices(options_->devices,
                           {node.devices(), node.default_route_devices(), wanted.internal_ips, wanted.ways}, choice_);
  std::set<std::string> problems = reconcile(node);
  problems.insert(choice_.problems.begin(), choice_.problems.end());
  problems_.set(std::move(problems));
  return log_changes(node);
}

// In auto mode one refusal is the device's answer. Where native XDP was asked for it is asked again: what is in its
// place may go.
std::set<std::string> Uplinks::reconcile(const host::Host& node) {
  const bool asks_again = options_->xdp_mode != XdpMode::kAuto;
  std::erase_if(refused_, [&](const auto& entry) { return asks_again || !node.devices().contains(entry.first); });
  failed_.clear();
  std::vector<datapath::DeviceSpec> specs;
  for (const int ifindex : desired())
    specs.push_back(spec(node.devices().at(ifindex)));
  // Before a program can ask: a device that is not in it takes every MAC address for its own.
  datapath::write_frames(object_->frames[0], frames(node));
  return reconcile(specs);
}

std::set<std::string> Uplinks::reconcile(const std::vector<datapath::DeviceSpec>& specs) {
  const auto outcome = attacher_.reconcile(specs);
  if (!outcome) return {outcome.error().message};
  std::set<std::string> problems(outcome->preceding.begin(), outcome->preceding.end());
  for (const Error& unknown : outcome->unknown)
    problems.insert(unknown.message);
  for (const datapath::Failure& failure : outcome->failed)
    if (note_failure(failure)) problems.insert(failure.error.message);
  if (const auto earlier = attacher_.earlier(); !earlier.empty())
    problems.insert(fmt::format("an earlier lbd's programs are attached still, and forward by its maps, which stay: {}",
                                fmt::join(earlier, ", ")));
  log_steps(*outcome);
  return problems;
}

void Uplinks::log_steps(const datapath::Attacher::Outcome& outcome) const {
  for (const datapath::Step& step : outcome.done)
    if (step.action == datapath::Step::kDetach) spdlog::info("removed {}", describe(step.attachment));
  const auto is_replaced = [](const datapath::Step& step) { return step.action == datapath::Step::kReplace; };
  if (!object_->adopted() && std::ranges::any_of(outcome.done, is_replaced))
    spdlog::warn(
        "programs of an lbd were replaced whose maps are not in --bpffs-path: connections that it knew are given up, "
        "and its maps stay where they are pinned");
  for (const datapath::Failure& anew : outcome.anew)
    spdlog::warn("{}; it was taken off, and the new one is attached", anew.error.message);
  for (const datapath::Attachment& lost : outcome.lost)
    spdlog::warn("{} had been taken off, and is attached again", describe(lost));
}

// A VLAN device's frames are seen by the XDP program of the device below, too, if lbd is on that.
std::vector<datapath::Frames> Uplinks::frames(const host::Host& node) const {
  std::vector<datapath::Frames> frames;
  for (const int ifindex : desired()) {
    const auto& device = node.devices().at(ifindex);
    frames.push_back({ifindex, 0, device.mac});
    if (device.vlan_id) frames.push_back({device.parent, device.vlan_id, device.mac});
  }
  return frames;
}

// A veth's peer leaves checksums to a device that never comes, which XDP cannot see and tc can; and what XDP sends is
// delivered at once only to a peer with an XDP program of its own.
datapath::DeviceSpec Uplinks::spec(const host::Device& device) const {
  if (options_->xdp_mode != XdpMode::kAuto) return {device.ifindex, options_->xdp_mode};
  const bool off = device.kind == "veth" || refused_.contains(device.ifindex);
  return {device.ifindex, off ? XdpMode::kOff : XdpMode::kNative};
}

// An earlier lbd's program that is in the way is no answer of the device's, and a problem already. A device whose
// programs could not be replaced has those that it had.
bool Uplinks::note_failure(const datapath::Failure& failure) {
  const auto& [action, attachment] = failure.step;
  if (action != datapath::Step::kAttach) return true;
  if (attachment.hook == datapath::Hook::kXdp) {
    if (attacher_.xdp(attachment.ifindex).is_earlier) return false;
    refused_[attachment.ifindex] = failure.error.message;
    return options_->xdp_mode != XdpMode::kAuto;
  }
  failed_.insert(attachment.ifindex);
  return true;
}

std::string Uplinks::note(const host::Device& device, const datapath::Attacher::Xdp& xdp) const {
  if (!xdp.other) return note(device);
  const std::string more = note(device);
  return fmt::format("an XDP program {}, id {}, sees its packets first{}{}",
                     xdp.is_earlier ? "of an earlier lbd" : "that is not this lbd's", xdp.other,
                     more.empty() ? "" : "; ", more);
}

std::string Uplinks::note(const host::Device& device) const {
  if (const auto refused = refused_.find(device.ifindex); refused != refused_.end())
    return "XDP is off: " + refused->second;
  if (options_->xdp_mode == XdpMode::kAuto && device.kind == "veth")
    return "XDP is off on a veth unless --xdp-mode native asks for it: its peer must not offload TX checksums then, "
           "and must have an XDP program too";
  return "";
}

std::map<std::string, Attached> Uplinks::attached(const host::Host& node) const {
  std::map<std::string, Attached> attached;
  for (const int ifindex : desired())
    if (const auto found = node.devices().find(ifindex); found != node.devices().end() && !failed_.contains(ifindex)) {
      const host::Device& device = found->second;
      const auto xdp = attacher_.xdp(ifindex);
      attached[device.name] = {device.name, ifindex, xdp.mode, note(device, xdp)};
    }
  return attached;
}

bool Uplinks::log_changes(const host::Host& node) {
  auto now = attached(node);
  for (const auto& [name, device] : now) {
    const auto before = logged_.find(name);
    if (before != logged_.end() && before->second.ifindex == device.ifindex && before->second.xdp == device.xdp)
      continue;
    spdlog::info("attached to {} (XDP {}){}{}", name, datapath::to_string(device.xdp), device.note.empty() ? "" : ": ",
                 device.note);
  }
  return std::exchange(logged_, now) != now;
}

state::Devices::Content Uplinks::table(const host::Host& node, const SourceOf& source_of) const {
  state::Devices::Content table;
  for (const auto& [name, attached] : attached(node)) {
    const auto& device = node.devices().at(attached.ifindex);
    lb_device value{};
    if (const auto address = source_of(device, Family::IPv4)) value.addr4 = state::to_abi(*address);
    if (const auto address = source_of(device, Family::IPv6)) value.addr6 = state::to_abi(*address);
    if (attached.xdp != XdpMode::kOff) value.flags = LB_DEVICE_XDP_REDIRECT;
    value.parent = static_cast<std::uint32_t>(device.parent);
    value.vlan_id = device.vlan_id;
    table[static_cast<std::uint32_t>(device.ifindex)] = value;
  }
  return table;
}

}  // namespace fairlead::daemon
