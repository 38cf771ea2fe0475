// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/node_network.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace fairlead::daemon {
namespace {

const Address* first_of(const std::vector<Address>& addresses, Family family) {
  const auto it = std::find_if(addresses.begin(), addresses.end(), [&](const Address& address) {
    return address.family == family && !address.is_loopback() && !address.is_link_local();
  });
  return it == addresses.end() ? nullptr : &*it;
}

}  // namespace

NodeNetwork::NodeNetwork(datapath::Object& object, const Options& options, host::Host host)
    : object_(&object), options_(&options), host_(std::move(host)), attacher_(object, options.datapath.pin_directory) {
}

Result<NodeNetwork> NodeNetwork::open(datapath::Object& object, const Options& options) {
  auto host = host::Host::open();
  if (!host) return host.error();
  return NodeNetwork(object, options, std::move(*host));
}

std::vector<std::string> NodeNetwork::wanted_devices() const {
  return options_->devices.empty() ? host_.default_route_devices() : options_->devices;
}

Result<> NodeNetwork::attach() {
  const std::vector<std::string> wanted = wanted_devices();
  if (wanted.empty()) return Error{"no device to attach to: no default route; say --devices", ENODEV};
  Result<> result;
  for (const std::string& name : wanted) {
    const host::Device* device = host_.device(name);
    const auto known = attached_.find(name);
    if (device && known != attached_.end() && known->second.ifindex == device->ifindex) continue;
    attached_.erase(name);
    auto attached = attacher_.attach(name, options_->xdp_mode);
    if (!attached) {
      result = attached.error();
      continue;
    }
    spdlog::info("attached to {} (XDP {}){}{}", name, datapath::to_string(attached->xdp),
                 attached->note.empty() ? "" : ": ", attached->note);
    attached_[name] = *attached;
  }
  return result;
}

state::Devices::Content NodeNetwork::device_table() const {
  state::Devices::Content table;
  for (const auto& [name, attached] : attached_) {
    const host::Device* device = host_.device(name);
    if (!device || device->ifindex != attached.ifindex) continue;
    lb_device value{};
    if (const Address* address = first_of(device->addresses, Family::IPv4)) value.addr4 = state::to_abi(*address);
    if (const Address* address = first_of(device->addresses, Family::IPv6)) value.addr6 = state::to_abi(*address);
    if (attached.xdp != datapath::XdpMode::kOff) value.flags = LB_DEVICE_XDP_REDIRECT;
    value.parent = static_cast<std::uint32_t>(device->parent);
    value.vlan_id = device->vlan_id;
    table[static_cast<std::uint32_t>(device->ifindex)] = value;
  }
  return table;
}

Result<NodeNetwork::Changes> NodeNetwork::read() {
  const auto changes = host_.read();
  if (!changes) return changes.error();
  if (changes->devices)
    if (auto attached = attach(); !attached) spdlog::error("{}", attached.error().message);
  if (changes->routes) ++object_->clock[0].route_epoch;
  return Changes{changes->devices};
}

void NodeNetwork::confirm_neighbours() const {
  std::set<int> ifindices;
  for (const auto& [name, attached] : attached_)
    ifindices.insert(attached.ifindex);
  host_.confirm_neighbours(ifindices);
}

std::vector<state::NodeAddress> NodeNetwork::node_addresses(const model::Node* node) const {
  const std::set<Address> nodeports = nodeport_addresses(node);
  std::vector<state::NodeAddress> result;
  for (const Address& address : host_.addresses())
    result.push_back({state::to_abi(address), static_cast<std::uint8_t>(address.family), nodeports.contains(address)});
  return result;
}

// As kube-proxy's --nodeport-addresses: a family for which no prefix was given is served on all its addresses.
std::set<Address> NodeNetwork::nodeport_addresses(const model::Node* node) const {
  if (options_->nodeport_addresses.primary) return primary_addresses(node);
  const std::vector<Prefix>& prefixes = options_->nodeport_addresses.prefixes;
  const auto named = [&](Family family) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](const Prefix& prefix) { return prefix.address.family == family; });
  };
  std::set<Address> chosen;
  for (const Address& address : host_.addresses())
    if (!named(address.family) ||
        std::any_of(prefixes.begin(), prefixes.end(), [&](const Prefix& prefix) { return prefix.contains(address); }))
      chosen.insert(address);
  return chosen;
}

// The Node object's first internal address of each family; without a Node, that of the first uplink which has one.
std::set<Address> NodeNetwork::primary_addresses(const model::Node* node) const {
  std::set<Address> primary;
  for (const Family family : {Family::IPv4, Family::IPv6}) {
    const Address* address = node ? first_of(node->internal_ips, family) : nullptr;
    std::vector<Address> on_device;
    for (const std::string& name : wanted_devices()) {
      if (address) break;
      on_device = addresses_of(name);
      address = first_of(on_device, family);
    }
    if (address) primary.insert(*address);
  }
  return primary;
}

std::vector<Address> NodeNetwork::addresses_of(const std::string& device) const {
  const host::Device* found = host_.device(device);
  return found ? found->addresses : std::vector<Address>();
}

}  // namespace fairlead::daemon
