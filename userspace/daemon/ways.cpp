// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/ways.h"

#include <algorithm>
#include <utility>

#include "userspace/state/desired.h"

namespace fairlead::daemon {
namespace {

lb_addr abi_or_none(const std::optional<Address>& address) {
  return address ? state::to_abi(*address) : lb_addr{};
}

std::optional<Address> first_of(const std::vector<Address>& addresses, Family family) {
  const Address* address = host::preferred_address(addresses, family);
  return address ? std::optional(*address) : std::nullopt;
}

bool equal(const state::Devices::Content& a, const state::Devices::Content& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& entry) {
           const auto other = b.find(entry.first);
           return other != b.end() && state::AbiEqual{}(entry.second, other->second);
         });
}

}  // namespace

Ways::Ways(const Parts& parts, host::RouteLookup lookup)
    : parts_(parts),
      lookup_(std::move(lookup)),
      sources_(parts.object.sources.values(), parts.object.backends.values()) {
  offer_.asked = parts_.options.snat_addresses;
  offer_.is_service = [this](const Address& address) { return is_service(address); };
}

void Ways::set_node(const model::Node* node) {
  offer_.internal = node ? node->internal_ips : std::vector<Address>();
  offer_.own = parts_.network.host_addresses();
  changed_ = true;
}

void Ways::prepare(const state::Operation& operation) {
  if (const auto* write = std::get_if<state::Write<state::ToServices>>(&operation))
    changed_ |= offer_.own.contains(state::from_abi(write->key.addr, write->key.family));
  if (const auto* write = std::get_if<state::Write<state::ToBackends>>(&operation); write && write->value)
    find(write->key, *write->value);
}

bool Ways::follow() {
  const std::uint64_t routes = parts_.network.route_changes();
  if (std::exchange(routes_seen_, routes) == routes && !changed_) return false;
  changed_ = false;
  for (const auto& [slot, backend] : parts_.sync.actual().backends)
    find(slot, backend);
  problems_.set(find_problems());
  return !equal(make_device_table(), device_table_);
}

void Ways::find(std::uint32_t slot, const lb_backend& backend) {
  if (backend.flags & LB_BACKEND_LOCAL) return;
  const Address to = state::from_abi(backend.addr, backend.family);
  const auto route = lookup_.to(to);
  const auto on_device = route ? parts_.network.addresses_of(route->ifindex) : std::vector<Address>();
  sources_.set(slot, abi_or_none(choose_source(offer_, to.family, route ? route->source : std::nullopt, on_device)));
}

state::Devices::Content Ways::device_table() {
  return device_table_ = make_device_table();
}

state::Devices::Content Ways::make_device_table() const {
  return parts_.network.device_table([this](const host::Device& device, Family family) {
    return choose_source(offer_, family, first_of(device.addresses, family), device.addresses);
  });
}

bool Ways::is_service(const Address& address) const {
  return parts_.sync.placement().has_frontends(
      state::address_key(state::to_abi(address), static_cast<std::uint8_t>(address.family)));
}

std::set<std::string> Ways::find_problems() const {
  std::set<std::string> problems;
  for (const Address& address : offer_.asked)
    if (!offer_.own.contains(address))
      problems.insert("--snat-addresses: " + address.to_string() + ": is not an address of this node, and is not used");
    else if (is_service(address))
      problems.insert("--snat-addresses: " + address.to_string() + ": is an address of a Service, and is not used");
  return problems;
}

}  // namespace fairlead::daemon
