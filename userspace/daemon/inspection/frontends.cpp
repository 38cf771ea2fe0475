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

}  // namespace

std::vector<admin::FrontendView> view_frontends(const model::Service& service, const state::PortSpec& spec) {
  std::vector<admin::FrontendView> views;
  for (const state::FrontendSpec& frontend : spec.frontends) {
    const Address address = state::from_abi(frontend.key.addr, frontend.key.family);
    const state::PoolSpec& pool = spec.pools[frontend.pool];
    views.push_back({kind_of(service, address), address.is_unspecified() ? "" : address.to_string(),
                     ntohs(frontend.key.port), action_of(pool), static_cast<std::int64_t>(pool.members.size())});
  }
  return views;
}

std::string frontend_text(const model::Service& service, const lb_service_key& key) {
  const Address address = state::from_abi(key.addr, key.family);
  const std::uint16_t port = ntohs(key.port);
  return std::string(admin::to_string(kind_of(service, address))) + " " +
         (address.is_unspecified() ? std::to_string(port) : endpoint_text(address, port));
}

}  // namespace fairlead::daemon
