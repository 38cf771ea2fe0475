// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>

#include "userspace/daemon/flow_query.h"
#include "userspace/datapath/counters.h"
#include "userspace/util/version.h"

namespace fairlead::daemon {
namespace {

admin::ProblemView to_view(const model::Problem& problem) {
  return {problem.where, problem.object, problem.field, problem.value, problem.message};
}

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

bool contains(const std::vector<Address>& addresses, const Address& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

const char* frontend_kind(const model::Service& service, const Address& address) {
  if (address.is_unspecified()) return "NodePort";
  if (contains(service.load_balancer_ips, address)) return "LoadBalancer";
  return contains(service.external_ips, address) ? "ExternalIP" : "ClusterIP";
}

const char* action_of(const state::PoolSpec& pool) {
  if (!pool.members.empty()) return "balance";
  return pool.flags & LB_SERVICE_DROP ? "drop" : "reject";
}

admin::FrontendView to_view(const model::Service& service, const state::PortSpec& spec,
                            const state::FrontendSpec& frontend) {
  const Address address = state::from_abi(frontend.key.addr, frontend.key.family);
  const state::PoolSpec& pool = spec.pools[frontend.pool];
  return {frontend_kind(service, address), address.is_unspecified() ? "" : address.to_string(),
          ntohs(frontend.key.port), action_of(pool), static_cast<std::int64_t>(pool.members.size())};
}

bool is_used(const state::PortSpec& spec, std::uint32_t backend) {
  return std::any_of(spec.pools.begin(), spec.pools.end(), [&](const state::PoolSpec& pool) {
    return std::find(pool.members.begin(), pool.members.end(), backend) != pool.members.end();
  });
}

admin::RingView to_view(const model::Service& service, const state::PortSpec& spec, std::uint32_t index) {
  const state::PoolSpec& pool = spec.pools[index];
  admin::RingView ring;
  ring.service = spec.name;
  ring.slots = pool.ring ? pool.ring->size() : 0;
  for (const state::FrontendSpec& frontend : spec.frontends)
    if (frontend.pool == index) {
      const Address address = state::from_abi(frontend.key.addr, frontend.key.family);
      ring.frontends.push_back(std::string(frontend_kind(service, address)) + " " +
                               (address.is_unspecified() ? std::to_string(ntohs(frontend.key.port))
                                                         : endpoint_text(address, ntohs(frontend.key.port))));
    }
  std::vector<std::uint64_t> counts(pool.members.size());
  if (pool.ring)
    for (const std::uint16_t member : *pool.ring)
      ++counts[member];
  std::uint64_t largest = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const lb_service_key& endpoint = spec.backends[pool.members[i]].endpoint;
    ring.members.push_back(
        {state::from_abi(endpoint.addr, endpoint.family).to_string(), ntohs(endpoint.port), counts[i]});
    largest = std::max(largest, counts[i]);
  }
  if (ring.slots) ring.imbalance = static_cast<double>(largest) * counts.size() / static_cast<double>(ring.slots);
  return ring;
}

}  // namespace

admin::VersionView Inspection::version() const {
  return {fairlead::version(), LB_ABI_VERSION};
}

admin::StatusView Inspection::status() const {
  admin::StatusView status;
  status.daemon = version();
  status.node = parts_.options.node_name;
  status.pid = getpid();
  status.uptime_seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started_).count();
  status.source = parts_.source.name();
  status.synced = parts_.sync.completed();
  status.adopted = parts_.object.adopted();
  for (const auto& [name, service] : parts_.store.services()) {
    const auto& ports = parts_.sync.compiler().ports_of(name);
    status.services +=
        std::any_of(ports.begin(), ports.end(), [&](auto& port) { return parts_.sync.specs().contains(port); });
  }
  status.problems = static_cast<std::int64_t>(problems().size());
  status.failed_writes = parts_.sync.has_pending_writes() ? static_cast<std::int64_t>(parts_.sync.failed_writes()) : 0;
  for (const auto& [name, attached] : parts_.network.attached()) {
    admin::DeviceView device{name, attached.ifindex, datapath::to_string(attached.xdp), {}, attached.note};
    for (const Address& address : parts_.network.addresses_of(attached.ifindex))
      device.addresses.push_back(address.to_string());
    status.devices.push_back(std::move(device));
  }
  status.usage = usage();
  return status;
}

std::vector<admin::UsageView> Inspection::usage() const {
  const auto used = parts_.sync.placement().usage();
  const auto& limits = parts_.sync.placement().limits();
  const auto& pass = parts_.upkeep.last_pass();
  const datapath::Sizes& sizes = parts_.object.sizes();
  return {{"frontends", used.frontends, limits.frontends},
          {"addresses", used.addresses, limits.addresses},
          {"service ports", used.service_ports, limits.service_ports},
          {"backends", used.backends, limits.backends},
          {"ring slots", used.ring_slots, limits.ring_slots},
          {"ring members", used.members, limits.members},
          {"IPv4 flows", pass.live4 / 2, sizes.flows4},
          {"IPv6 flows", pass.live6 / 2, sizes.flows6}};
}

std::vector<admin::ProblemView> Inspection::problems() const {
  std::vector<admin::ProblemView> views;
  for (const model::Problem& problem : parts_.source.problems())
    views.push_back(to_view(problem));
  for (const auto& [service, problems] : parts_.sync.compiler().problems())
    for (const model::Problem& problem : problems)
      views.push_back(to_view(problem));
  for (const auto& [port, refused] : parts_.sync.refused())
    views.push_back({"", "", "", "", refused.why.message});
  return views;
}

std::vector<admin::ServiceView> Inspection::services(admin::Backends backends) const {
  const std::vector<lb_backend_stats> all = datapath::read_backend_stats(parts_.object);
  const Stats stats = [&](std::uint32_t slot) { return slot < all.size() ? all[slot] : lb_backend_stats{}; };
  std::vector<admin::ServiceView> views;
  for (const auto& [name, service] : parts_.store.services())
    views.push_back(view(*service, backends, stats));
  return views;
}

Result<const model::Service*> Inspection::find(const std::string& space, const std::string& name) const {
  if (const model::Service* service = parts_.store.service({space, name})) return service;
  return Error{"Service " + space + "/" + name + ": not found", ENOENT};
}

Result<admin::ServiceView> Inspection::service(const std::string& space, const std::string& name) const {
  const auto found = find(space, name);
  if (!found) return found.error();
  return view(**found, admin::Backends::kEach,
              [this](std::uint32_t slot) { return datapath::read_backend_stats(parts_.object, slot); });
}

admin::ServiceView Inspection::view(const model::Service& service, admin::Backends backends, const Stats& stats) const {
  admin::ServiceView result{service.name.space, service.name.name, type_name(service), {}, {}};
  for (const std::string& port : parts_.sync.compiler().ports_of(service.name))
    if (const auto spec = parts_.sync.specs().find(port); spec != parts_.sync.specs().end()) {
      admin::ServicePortView& added = result.ports.emplace_back(view(service, spec->second));
      if (backends == admin::Backends::kEach)
        added.backends = each_backend(spec->second, stats);
      else
        added.backends.push_back(all_backends(spec->second, stats));
    }
  const auto& problems = parts_.sync.compiler().problems();
  if (const auto it = problems.find(service.name); it != problems.end())
    for (const model::Problem& problem : it->second)
      result.problems.push_back(to_view(problem));
  for (const std::string& port : parts_.sync.compiler().ports_of(service.name))
    if (const auto it = parts_.sync.refused().find(port); it != parts_.sync.refused().end())
      result.problems.push_back({"", "Service " + service.name.to_string(), "", "", it->second.why.message});
  return result;
}

admin::ServicePortView Inspection::view(const model::Service& service, const state::PortSpec& spec) const {
  admin::ServicePortView result;
  result.id = spec.name;
  for (const model::ServicePort& port : service.ports)
    if (spec.source_port == port.port && spec.protocol == static_cast<std::uint8_t>(port.protocol))
      result.name = port.name;
  result.port = spec.source_port;
  result.protocol = state::protocol_name(spec.protocol);
  result.family = spec.family == LB_AF_INET ? "IPv4" : "IPv6";
  for (const state::FrontendSpec& frontend : spec.frontends)
    result.frontends.push_back(to_view(service, spec, frontend));
  return result;
}

admin::BackendView Inspection::all_backends(const state::PortSpec& spec, const Stats& stats) const {
  admin::BackendView sum;
  for (const state::BackendSpec& backend : spec.backends)
    if (const auto slot = parts_.sync.placement().slot(spec.name, backend.endpoint)) {
      const lb_backend_stats one = stats(*slot);
      sum.packets_in += one.packets[0];
      sum.bytes_in += one.bytes[0];
      sum.packets_out += one.packets[1];
      sum.bytes_out += one.bytes[1];
      sum.connections += one.flows;
    }
  return sum;
}

std::vector<admin::BackendView> Inspection::each_backend(const state::PortSpec& spec, const Stats& stats) const {
  std::vector<admin::BackendView> views;
  for (std::uint32_t i = 0; i < spec.backends.size(); ++i) {
    const state::BackendSpec& backend = spec.backends[i];
    const auto slot = parts_.sync.placement().slot(spec.name, backend.endpoint);
    const lb_backend_stats counted = slot ? stats(*slot) : lb_backend_stats{};
    const char* state = backend.flags & LB_BACKEND_DRAINING ? "draining" : is_used(spec, i) ? "active" : "unused";
    views.push_back({state::from_abi(backend.endpoint.addr, backend.endpoint.family).to_string(),
                     ntohs(backend.endpoint.port), state, (backend.flags & LB_BACKEND_LOCAL) != 0,
                     slot ? static_cast<std::int64_t>(*slot) : -1, counted.flows, counted.packets[0], counted.bytes[0],
                     counted.packets[1], counted.bytes[1]});
  }
  return views;
}

Result<std::vector<admin::FlowView>> Inspection::flows(const admin::FlowFilter& filter) const {
  return query_flows(parts_.object, parts_.sync.placement().desired().names, filter);
}

Result<std::vector<admin::RingView>> Inspection::rings(const std::string& space, const std::string& name) const {
  const auto found = find(space, name);
  if (!found) return found.error();
  std::vector<admin::RingView> views;
  for (const std::string& port : parts_.sync.compiler().ports_of({space, name}))
    if (const auto spec = parts_.sync.specs().find(port); spec != parts_.sync.specs().end())
      for (std::uint32_t pool = 0; pool < spec->second.pools.size(); ++pool)
        views.push_back(to_view(**found, spec->second, pool));
  return views;
}

std::vector<admin::VerdictView> Inspection::verdicts() const {
  const datapath::Verdicts counts = datapath::read_verdicts(parts_.object);
  std::vector<admin::VerdictView> views;
  for (const datapath::VerdictInfo& info : datapath::verdict_infos())
    views.push_back({info.name, info.kind, info.meaning, counts[LB_HOOK_XDP][info.verdict],
                     counts[LB_HOOK_TC_INGRESS][info.verdict], counts[LB_HOOK_TC_EGRESS][info.verdict]});
  return views;
}

}  // namespace fairlead::daemon
