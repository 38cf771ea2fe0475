// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/node_network.h"

#include <algorithm>

namespace fairlead::daemon {

NodeNetwork::NodeNetwork(datapath::Object& object, const Options& options, host::Host host)
    : object_(&object), options_(&options), host_(std::move(host)), uplinks_(object, options) {
}

Result<NodeNetwork::Changes> NodeNetwork::read() {
  const auto changes = host_.read();
  if (!changes) return changes.error();
  if (changes->devices) uplinks_.follow(host_, wanted_);
  route_changes_ += changes->routes;
  if (changes->hops) ++object_->clock[0].route_epoch;
  return Changes{changes->devices};
}

bool NodeNetwork::check_attachments(std::set<int> ways) {
  wanted_.ways = std::move(ways);
  return uplinks_.follow(host_, wanted_);
}

void NodeNetwork::set_node(const model::Node* node) {
  std::vector<Address> ips = node ? node->internal_ips : std::vector<Address>();
  if (wanted_.internal_ips == ips) return;
  wanted_.internal_ips = std::move(ips);
  uplinks_.follow(host_, wanted_);
}

void NodeNetwork::confirm_neighbours() const {
  std::set<int> ifindices;
  for (const auto& [name, attached] : attached())
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
    const Address* address = node ? host::preferred_address(node->internal_ips, family) : nullptr;
    std::vector<Address> on_device;
    for (const int ifindex : uplinks_.desired()) {
      if (address) break;
      on_device = addresses_of(ifindex);
      address = host::preferred_address(on_device, family);
    }
    if (address) primary.insert(*address);
  }
  return primary;
}

std::vector<Address> NodeNetwork::addresses_of(int ifindex) const {
  const auto found = host_.devices().find(ifindex);
  return found == host_.devices().end() ? std::vector<Address>() : found->second.addresses;
}

std::string NodeNetwork::name_of(int ifindex) const {
  const auto found = host_.devices().find(ifindex);
  return found == host_.devices().end() ? "device " + std::to_string(ifindex) : found->second.name;
}

}  // namespace fairlead::daemon
