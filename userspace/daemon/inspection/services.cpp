// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection/services.h"

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

}  // namespace

admin::ServiceView view_service(const model::Service& service, const Sync& sync, admin::Backends backends,
                                const BackendStats& stats) {
  admin::ServiceView view{service.name.space, service.name.name, type_name(service), {}, {}};
  for (const state::PortSpec* spec : served_ports(service.name, sync)) {
    admin::ServicePortView& port = view.ports.emplace_back(view_port(service, *spec, sync));
    if (backends == admin::Backends::kEach)
      port.backends = view_backends(*spec, sync.placement(), stats);
    else
      port.backends.push_back(sum_backends(*spec, sync.placement(), stats));
  }
  view.problems = view_problems(service.name, sync);
  view.note = compile::note_on(service, !view.ports.empty());
  return view;
}

std::vector<const state::PortSpec*> served_ports(const model::Name& service, const Sync& sync) {
  std::vector<const state::PortSpec*> specs;
  for (const std::string& port : sync.compiler().ports_of(service))
    if (const auto it = sync.specs().find(port); it != sync.specs().end()) specs.push_back(&it->second);
  return specs;
}

}  // namespace fairlead::daemon
