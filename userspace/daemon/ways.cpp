// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/ways.h"

#include <algorithm>
#include <map>
#include <utility>

#include "userspace/state/desired.h"

namespace fairlead::daemon {
namespace {

// Addresses that are routed as all the world is.
const std::map<Family, Address> kAnywhere{{Family::IPv4, Address::literal("1.1.1.1")},
                                          {Family::IPv6, Address::literal("2600::1")}};

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
  const auto* write = std::get_if<state::Write<state::ToBackends>>(&operation);
  if (write && write->value)
    find(write->key, *write->value);
  else if (write)
    forget(write->key);
}

void Ways::follow() {
  const std::uint64_t routes = parts_.network.route_changes();
  const bool moved = std::exchange(routes_seen_, routes) != routes;
  if (std::exchange(changed_, false) || moved)
    for (const auto& [slot, backend] : parts_.sync.actual().backends)
      find(slot, backend);
}

std::set<int> Ways::devices() const {
  std::set<int> devices;
  for (const auto& [slot, way] : ways_)
    devices.insert(way.devices.begin(), way.devices.end());
  return devices;
}

bool Ways::check() {
  problems_.set(find_problems());
  return !equal(make_device_table(), device_table_);
}

Result<host::Route> Ways::to_anywhere(Family family) {
  return lookup_.to(kAnywhere.at(family));
}

// So that another address can have its place in lb_sources.
void Ways::forget(std::uint32_t slot) {
  ways_.erase(slot);
  sources_.set(slot, {});
}

void Ways::find(std::uint32_t slot, const lb_backend& backend) {
  ways_.erase(slot);
  if (backend.flags & LB_BACKEND_LOCAL) return;
  const Address to = state::from_abi(backend.addr, backend.family);
  const auto route = lookup_.to(to);
  ways_[slot] = route ? Way{to, route->devices, ""} : Way{to, {}, route.error().message};
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
  add_problems_of_asked(problems);
  add_problems_of_ways(problems);
  return problems;
}

void Ways::add_problems_of_asked(std::set<std::string>& problems) const {
  for (const Address& address : offer_.asked)
    if (!offer_.own.contains(address))
      problems.insert("--snat-addresses: " + address.to_string() + ": is not an address of this node, and is not used");
    else if (is_service(address))
      problems.insert("--snat-addresses: " + address.to_string() + ": is an address of a Service, and is not used");
}

// There may be thousands that one route is missing for: one is named, and how many more there are.
void Ways::add_problems_of_ways(std::set<std::string>& problems) const {
  std::set<int> attached;
  for (const auto& [name, device] : parts_.network.attached())
    attached.insert(device.ifindex);
  std::map<int, std::map<Address, const Way*>> lost;  // by device, 0 where there is no way
  for (const auto& [slot, way] : ways_) {
    if (way.devices.empty()) lost[0][way.to] = &way;
    for (const int ifindex : way.devices)
      if (!attached.contains(ifindex)) lost[ifindex][way.to] = &way;
  }
  for (const auto& [ifindex, ways] : lost) {
    const Way& first = *ways.begin()->second;
    const std::string more = ways.size() == 1 ? "" : " (and of " + std::to_string(ways.size() - 1) + " others)";
    problems.insert(ifindex ? "the way to backend " + first.to.to_string() + more + " is by " +
                                  parts_.network.name_of(ifindex) +
                                  ", which lbd is not on: connections by it are dropped (egress_unmanaged)"
                            : "no way to backend " + first.to.to_string() + more + ": " + first.why_not);
  }
}

}  // namespace fairlead::daemon
