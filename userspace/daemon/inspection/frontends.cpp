// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection/frontends.h"

#include <arpa/inet.h>

#include <algorithm>

namespace fairlead::daemon {
namespace {

bool contains(const std::vector<Address>& addresses, const Address& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

admin::FrontendKind kind_of(const model::Service& service, const Address& address) {
  if (address.is_unspecified()) return admin::FrontendKind::kNodePort;
  if (contains(service.load_balancer_ips, address)) return admin::FrontendKind::kLoadBalancer;
  return contains(service.external_ips, address) ? admin::FrontendKind::kExternalIp : admin::FrontendKind::kClusterIp;
}

admin::Action action_of(const state::PoolSpec& pool) {
  if (!pool.members.empty()) return admin::Action::kBalance;
  return pool.flags & LB_SERVICE_DROP ? admin::Action::kDrop : admin::Action::kReject;
}

// The entries of the maps that lead packets for a frontend to its backends.
state::Touched entries_of(const lb_service_key& key, const state::Tables& desired) {
  state::Touched entries;
  const auto service = desired.services.find(key);
  if (service == desired.services.end()) return entries;
  entries.services.insert(key);
  if (service->second.ring_slots) entries.rings.insert(service->second.ring_offset);
  if (service->second.member_count) {
    entries.members.insert(service->second.member_offset);
    const state::Members& members = desired.members.at(service->second.member_offset);
    entries.backends.insert(members->begin(), members->end());
  }
  if (!state::is_nodeport(key)) {
    entries.addresses.insert(state::address_key(key));
    entries.filter.insert(state::filter_bucket(key.addr, key.family));
  }
  return entries;
}

// Why the maps do not hold what this frontend of the port needs; empty where they do.
std::string pending_error(const std::string& port, const lb_service_key& key, const Sync& sync) {
  if (!sync.placement().has_frontend(port, key))
    return "lb_services " + state::describe(key) + ": not this service port's";
  if (!sync.has_pending_writes()) return "";
  const state::Tables& desired = sync.placement().desired();
  const auto missing = state::diff(desired, sync.actual(), entries_of(key, desired));
  if (missing.empty()) return "";
  const std::string what = state::describe(missing.front());
  const auto failure = sync.failures().find(what);
  return what + ": " + (failure == sync.failures().end() ? "not written yet" : failure->second);
}

// What an earlier version of it may go on doing.
std::int64_t backends_in_maps(const lb_service_key& key, const state::Tables& actual) {
  const auto service = actual.services.find(key);
  return service == actual.services.end() ? 0 : service->second.member_count;
}

}  // namespace

std::vector<admin::FrontendView> view_frontends(const model::Service& service, const state::PortSpec& spec,
                                                const Sync& sync) {
  std::vector<admin::FrontendView> views;
  for (const state::FrontendSpec& frontend : spec.frontends) {
    const Address address = state::from_abi(frontend.key.addr, frontend.key.family);
    admin::FrontendView& view = views.emplace_back();
    view.kind = kind_of(service, address);
    view.address = address.is_unspecified() ? "" : address.to_string();
    view.port = ntohs(frontend.key.port);
    view.error = pending_error(spec.name, frontend.key, sync);
    view.action = view.error.empty() ? action_of(spec.pools[frontend.pool]) : admin::Action::kPending;
    view.backends = backends_in_maps(frontend.key, sync.actual());
  }
  return views;
}

admin::FrontendKind frontend_kind(const model::Service& service, const lb_service_key& key) {
  return kind_of(service, state::from_abi(key.addr, key.family));
}

std::string frontend_text(const model::Service& service, const lb_service_key& key) {
  const Address address = state::from_abi(key.addr, key.family);
  const std::uint16_t port = ntohs(key.port);
  return std::string(admin::to_string(kind_of(service, address))) + " " +
         (address.is_unspecified() ? std::to_string(port) : endpoint_text(address, port));
}

}  // namespace fairlead::daemon
