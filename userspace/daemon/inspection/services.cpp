// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection/services.h"

#include <algorithm>

#include "userspace/daemon/inspection/frontends.h"
#include "userspace/daemon/inspection/problems.h"

namespace fairlead::daemon {
namespace {

const char* type_name(const model::Service& service) {
  switch (service.type) {
    case model::ServiceType::kClusterIp:
      return "ClusterIP";
    case model::ServiceType::kNodePort:
      return "NodePort";
    case model::ServiceType::kLoadBalancer:
      return "LoadBalancer";
    case model::ServiceType::kExternalName:
      return "ExternalName";
  }
  return "";
}

std::string port_name(const model::Service& service, const state::PortSpec& spec) {
  for (const model::ServicePort& port : service.ports)
    if (spec.source_port == port.port && spec.protocol == static_cast<std::uint8_t>(port.protocol)) return port.name;
  return "";
}

admin::ServicePortView view_port(const model::Service& service, const state::PortSpec& spec, const Sync& sync) {
  admin::ServicePortView view;
  view.id = spec.name;
  view.name = port_name(service, spec);
  view.port = spec.source_port;
  view.protocol = state::protocol_name(spec.protocol);
  view.family = static_cast<Family>(spec.family);
  view.frontends = view_frontends(service, spec, sync);
  return view;
}

// The policy for clients inside the cluster is that of ClusterIPs, the policy for those outside that of the rest.
bool has_no_local_endpoint(const model::Service& service, const state::PortSpec& spec, bool inside) {
  return std::any_of(spec.frontends.begin(), spec.frontends.end(), [&](const state::FrontendSpec& frontend) {
    const state::PoolSpec& pool = spec.pools[frontend.pool];
    return pool.flags & LB_SERVICE_DROP && !pool.for_nobody &&
           (frontend_kind(service, frontend.key) == admin::FrontendKind::kClusterIp) == inside;
  });
}

}  // namespace

admin::ServiceView view_service(const model::Service& service, const Sync& sync, const BackendStats& stats) {
  admin::ServiceView view{service.name.space, service.name.name, type_name(service), {}, {}};
  for (const state::PortSpec* spec : served_ports(service.name, sync)) {
    admin::ServicePortView& port = view.ports.emplace_back(view_port(service, *spec, sync));
    port.backends = view_backends(*spec, sync.placement(), stats);
  }
  view.problems = view_problems(service.name, sync);
  view.note = compile::note_on(service, !view.ports.empty());
  return view;
}

std::vector<admin::PortSummary> summarize_ports(const model::Service& service, const Sync& sync) {
  std::vector<admin::PortSummary> summaries;
  for (const state::PortSpec* spec : served_ports(service.name, sync)) {
    const auto id = sync.placement().id(spec->name);
    if (!id) continue;
    admin::PortSummary& summary = summaries.emplace_back();
    summary.space = service.name.space;
    summary.service = service.name.name;
    summary.port = port_name(service, *spec);
    if (summary.port.empty()) summary.port = std::to_string(spec->source_port);
    summary.protocol = state::protocol_name(spec->protocol);
    summary.family = static_cast<Family>(spec->family);
    summary.id = *id;
    summary.no_local_inside = has_no_local_endpoint(service, *spec, true);
    summary.no_local_outside = has_no_local_endpoint(service, *spec, false);
  }
  return summaries;
}

std::vector<const state::PortSpec*> served_ports(const model::Name& service, const Sync& sync) {
  std::vector<const state::PortSpec*> specs;
  for (const std::string& port : sync.compiler().ports_of(service))
    if (const auto it = sync.specs().find(port); it != sync.specs().end()) specs.push_back(&it->second);
  return specs;
}

}  // namespace fairlead::daemon
