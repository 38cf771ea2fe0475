// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/uplinks.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>

namespace fairlead::daemon {

using datapath::XdpMode;

Uplinks::Uplinks(const datapath::Object& object, const Options& options)
    : options_(&options), attacher_(object, options.datapath.pin_directory) {
}

Result<> Uplinks::start(const host::Host& node) {
  choose(node);
  if (problems_.empty()) reconcile(node);
  if (!problems_.empty()) return Error{problems_.front(), ENODEV};
  return {};
}

void Uplinks::follow(const host::Host& node) {
  choose(node);
  reconcile(node);
  tell();
}

void Uplinks::choose(const host::Host& node) {
  choice_ = choose_devices(options_->devices, node.devices(), choice_);
  problems_ = choice_.missing;
  for (const int ifindex : chosen(node))
    if (const auto& device = node.devices().at(ifindex); !device.ethernet)
      problems_.push_back("attach to device " + device.name + ": not an Ethernet device");
  if (options_->devices.empty() && chosen(node).empty())
    problems_.push_back("no device to attach to: no default route; say --devices");
}

std::vector<int> Uplinks::chosen(const host::Host& node) const {
  std::vector<int> chosen;
  const auto add = [&](int ifindex) {
    if (node.devices().contains(ifindex) && std::find(chosen.begin(), chosen.end(), ifindex) == chosen.end())
      chosen.push_back(ifindex);
  };
  for (const std::string& name : options_->devices)
    if (const auto it = choice_.ifindices.find(name); it != choice_.ifindices.end()) add(it->second);
  if (options_->devices.empty())
    for (const int ifindex : node.default_route_devices())
      add(ifindex);
  return chosen;
}

void Uplinks::reconcile(const host::Host& node) {
  std::erase_if(refused_, [&](const auto& entry) { return !node.devices().contains(entry.first); });
  failed_.clear();
  std::vector<datapath::DeviceSpec> specs;
  for (const int ifindex : chosen(node))
    if (const auto& device = node.devices().at(ifindex); device.ethernet) specs.push_back(spec(device));
  const auto outcome = attacher_.reconcile(specs);
  if (!outcome) {
    problems_.push_back(outcome.error().message);
    return;
  }
  for (const datapath::Step& step : outcome->done)
    if (step.action == datapath::Step::kDetach) spdlog::info("removed {}", describe(step.attachment));
  for (const auto& failure : outcome->failed)
    note_failure(failure);
  log_changes(node);
}

// A veth's peer leaves checksums to a device that never comes, which XDP cannot see and tc can; and what XDP sends is
// delivered at once only to a peer with an XDP program of its own.
datapath::DeviceSpec Uplinks::spec(const host::Device& device) const {
  if (options_->xdp_mode != XdpMode::kAuto) return {device.ifindex, options_->xdp_mode};
  const bool off = device.kind == "veth" || refused_.contains(device.ifindex);
  return {device.ifindex, off ? XdpMode::kOff : XdpMode::kNative};
}

void Uplinks::note_failure(const datapath::Attacher::Failure& failure) {
  const auto& [action, attachment] = failure.step;
  if (attachment.hook == datapath::Hook::kXdp && action == datapath::Step::kAttach &&
      options_->xdp_mode == XdpMode::kAuto) {
    refused_[attachment.ifindex] = failure.error.message;
    return;
  }
  if (action != datapath::Step::kDetach) failed_.insert(attachment.ifindex);
  problems_.push_back(failure.error.message);
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
  for (const int ifindex : chosen(node)) {
    const auto& device = node.devices().at(ifindex);
    if (device.ethernet && !failed_.contains(ifindex))
      attached[device.name] = {device.name, ifindex, attacher_.xdp_mode(ifindex), note(device)};
  }
  return attached;
}

void Uplinks::log_changes(const host::Host& node) {
  auto now = attached(node);
  for (const auto& [name, device] : now) {
    const auto before = logged_.find(name);
    if (before != logged_.end() && before->second.ifindex == device.ifindex && before->second.xdp == device.xdp)
      continue;
    spdlog::info("attached to {} (XDP {}){}{}", name, datapath::to_string(device.xdp), device.note.empty() ? "" : ": ",
                 device.note);
  }
  logged_ = std::move(now);
}

void Uplinks::tell() {
  const std::set<std::string> now(problems_.begin(), problems_.end());
  for (const std::string& problem : now)
    if (!told_.contains(problem)) spdlog::error("{}", problem);
  told_ = now;
}

state::Devices::Content Uplinks::table(const host::Host& node) const {
  state::Devices::Content table;
  for (const auto& [name, attached] : attached(node)) {
    const auto& device = node.devices().at(attached.ifindex);
    lb_device value{};
    if (const Address* address = host::preferred_address(device.addresses, Family::IPv4))
      value.addr4 = state::to_abi(*address);
    if (const Address* address = host::preferred_address(device.addresses, Family::IPv6))
      value.addr6 = state::to_abi(*address);
    if (attached.xdp != XdpMode::kOff) value.flags = LB_DEVICE_XDP_REDIRECT;
    value.parent = static_cast<std::uint32_t>(device.parent);
    value.vlan_id = device.vlan_id;
    table[static_cast<std::uint32_t>(device.ifindex)] = value;
  }
  return table;
}

}  // namespace fairlead::daemon
