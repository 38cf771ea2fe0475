// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/admission.h"

#include <algorithm>

#include "userspace/state/desired.h"
#include "userspace/state/pool_space.h"

namespace fairlead::state {
namespace {

// A name that was cut off would not be found again by the next daemon.
constexpr std::uint32_t kLongestName = LB_SERVICE_NAME_LEN - 1;

Error no_room(const PortSpec& spec, const std::string& what, std::uint32_t needed, std::uint32_t limit,
              std::uint32_t kept = 0) {
  std::string message = "service port " + spec.name + ": no room for " + what + ": " + std::to_string(needed) +
                        " needed, the map holds " + std::to_string(limit);
  if (kept) message += ", " + std::to_string(kept) + " of them for service ports that have some";
  return {message, ENOSPC};
}

}  // namespace

Result<> Admission::admit(const PortSpec& spec, const PlacedPort& port) const {
  if (spec.name.size() > kLongestName) return no_room(spec, "characters of its name", spec.name.size(), kLongestName);
  if (used_.service_ports > limits_.service_ports)
    return no_room(spec, "service ports", used_.service_ports, limits_.service_ports);
  for (const PoolSpec& pool : spec.pools)
    if (pool.members.size() > kLongestMemberList)
      return no_room(spec, "members of one ring", pool.members.size(), kLongestMemberList);
  if (auto admitted = admit_frontends(spec, port); !admitted) return admitted;
  if (auto admitted = admit_addresses(spec, port); !admitted) return admitted;
  return admit_backends(spec, port);
}

Result<> Admission::admit_frontends(const PortSpec& spec, const PlacedPort& port) const {
  AbiSet<lb_service_key> frontends, added;
  for (const FrontendSpec& frontend : spec.frontends) {
    frontends.insert(frontend.key);
    if (!desired_.services.contains(frontend.key)) added.insert(frontend.key);
  }
  const auto removed = std::count_if(port.frontends.begin(), port.frontends.end(),
                                     [&](const lb_service_key& key) { return !frontends.contains(key); });
  if (const auto needed = desired_.services.size() + added.size() - removed; needed > limits_.frontends)
    return no_room(spec, "frontends", needed, limits_.frontends);
  return {};
}

Result<> Admission::admit_addresses(const PortSpec& spec, const PlacedPort& port) const {
  AbiSet<lb_address_key> added;
  for (const FrontendSpec& frontend : spec.frontends)
    if (const auto key = address_key(frontend.key); !is_nodeport(frontend.key) && !desired_.addresses.contains(key))
      added.insert(key);
  // The node's own come whether they fit or not, so there may be too many without this port's doing.
  if (added.empty()) return {};
  const auto needed = desired_.addresses.size() + added.size() - addresses_given_up(spec, port);
  if (needed > limits_.addresses) return no_room(spec, "addresses", needed, limits_.addresses);
  return {};
}

// Addresses on which the port has all the frontends that there are, and will have none.
std::size_t Admission::addresses_given_up(const PortSpec& spec, const PlacedPort& port) const {
  AbiMap<lb_address_key, std::uint32_t> had;
  for (const lb_service_key& key : port.frontends)
    if (!is_nodeport(key)) ++had[address_key(key)];
  for (const FrontendSpec& frontend : spec.frontends)
    had.erase(address_key(frontend.key));
  return static_cast<std::size_t>(std::count_if(had.begin(), had.end(), [&](const auto& address) {
    const auto flags = desired_.addresses.find(address.first);
    return flags != desired_.addresses.end() && flags->second == LB_ADDRESS_VIP &&
           addresses_.frontends_on(address.first) == address.second;
  }));
}

Result<> Admission::admit_backends(const PortSpec& spec, const PlacedPort& port) const {
  AbiSet<lb_service_key> added;
  for (const BackendSpec& backend : spec.backends)
    if (backend.keeps_flows && !port.slots.contains(backend.endpoint)) added.insert(backend.endpoint);
  if (added.empty()) return {};
  const std::size_t needed = used_.backends + added.size();
  const std::uint32_t kept = port.is_in ? 0 : reserve(limits_.backends);
  if (needed > limits_.backends - kept) return no_room(spec, "backends", needed, limits_.backends, kept);
  return {};
}

}  // namespace fairlead::state
