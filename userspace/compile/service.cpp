// SPDX-License-Identifier: Apache-2.0
#include "userspace/compile/service.h"

#include <arpa/inet.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "userspace/compile/maglev.h"
#include "userspace/compile/ring.h"

namespace fairlead::compile {
namespace {

using model::Service;
using model::ServicePort;
using model::TrafficPolicy;

lb_service_key abi_key(const Address& address, std::uint16_t port, model::Protocol protocol) {
  return {state::to_abi(address), htons(port), static_cast<std::uint8_t>(protocol),
          static_cast<std::uint8_t>(address.family)};
}

// A port without a name goes by its number. One whose name is the number of another says its own too: "80=90".
std::string port_id(const ServicePort& port) {
  std::string number = std::to_string(port.port);
  if (port.name.empty() || port.name == number) return number;
  const bool is_number = port.name.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? port.name + "=" + number : port.name;
}

std::string port_name(const Service& service, const ServicePort& port, Family family) {
  return service.name.to_string() + ":" + port_id(port) + "/" + model::to_string(port.protocol) + "/" +
         (family == Family::IPv4 ? "IPv4" : "IPv6");
}

bool is_external(const Service& service) {
  return service.type == model::ServiceType::kLoadBalancer || service.type == model::ServiceType::kNodePort ||
         !service.external_ips.empty();
}

// Ring slots for each backend of a service port that only has cluster IPs: what is spread is mostly one node's, and the
// busiest backend is within 6 % of the mean.
constexpr std::uint32_t kInternalSlotsPerBackend = 16;

// A pool of these candidates; when it is empty, `otherwise` says what a new flow meets.
state::PoolSpec pool_of(const std::vector<std::size_t>& indices, const state::PortSpec& spec, std::uint32_t otherwise,
                        std::uint32_t slots_per_backend) {
  state::PoolSpec pool;
  if (indices.empty()) {
    pool.flags = otherwise;
    return pool;
  }
  pool.members.assign(indices.begin(), indices.end());
  pool.ring = make_ring(spec, pool.members, ring_slots(pool.members.size(), slots_per_backend));
  return pool;
}

// Connections end by themselves. A client that only sends datagrams would go on with who does not answer.
bool keeps_flows(const model::Endpoint& endpoint, model::Protocol protocol) {
  return endpoint.ready || endpoint.serving || lb_flow_has_end(static_cast<std::uint8_t>(protocol));
}

bool has_family(const Service& service, Family family) {
  return std::any_of(service.cluster_ips.begin(), service.cluster_ips.end(),
                     [&](const Address& ip) { return ip.family == family; });
}

// Ranges that let every address in restrict nothing. A family that they say nothing about is as open as the other.
bool is_restricted(const Service& service, Family family) {
  const std::vector<Prefix>& ranges = service.load_balancer_source_ranges;
  const auto is_own = [&](const Prefix& range) { return range.address.family == family; };
  const bool has_own = std::any_of(ranges.begin(), ranges.end(), is_own);
  return !ranges.empty() && std::none_of(ranges.begin(), ranges.end(), [&](const Prefix& range) {
    return range.length == 0 && (is_own(range) || !has_own);
  });
}

class PortCompiler {
 public:
  PortCompiler(const Service& service, const ServicePort& port, Family family, const NodeView& node,
               ServiceSpec& service_spec)
      : service_(service), port_(port), family_(family), node_(node), service_spec_(service_spec) {
    spec_.name = port_name(service, port, family);
    spec_.source_port = port.port;
    spec_.protocol = static_cast<std::uint8_t>(port.protocol);
    spec_.family = static_cast<std::uint8_t>(family);
  }

  void compile(const model::Store::Slices& slices) {
    add_frontends(service_.cluster_ips, Pool::kInternal, port_.port);
    add_frontends(service_.external_ips, Pool::kExternal, port_.port);
    add_frontends(service_.load_balancer_ips, is_restricted(service_, family_) ? Pool::kNobody : Pool::kExternal,
                  port_.port);
    if (is_node_port_served()) add_frontends({unspecified()}, Pool::kExternal, port_.node_port);
    if (frontends_.empty()) return;
    add_pools(slices);
    service_spec_.ports.push_back(std::move(spec_));
  }

 private:
  // Nobody's: owned, so that packets for it do not go round between this node and its router, and dropped.
  enum class Pool { kInternal, kExternal, kNobody };

  bool is_node_port_served() const {
    return port_.node_port && has_family(service_, family_) && node_.node_ports.contains(port_.node_port);
  }

  Address unspecified() const {
    Address any;
    any.family = family_;
    return any;
  }

  void add_frontends(const std::vector<Address>& addresses, Pool pool, std::uint16_t port) {
    for (const Address& address : addresses)
      if (address.family == family_) frontends_.emplace_back(abi_key(address, port, port_.protocol), pool);
  }

  void add_pools(const model::Store::Slices& slices) {
    const std::vector<Candidate> candidates = gather(port_, family_, slices, node_);
    for (const Candidate& candidate : candidates) {
      const std::uint32_t flags =
          (candidate.local ? LB_BACKEND_LOCAL : 0) | (candidate.endpoint->terminating ? LB_BACKEND_DRAINING : 0);
      spec_.backends.push_back({abi_key(candidate.endpoint->address, candidate.port, port_.protocol), flags,
                                keeps_flows(*candidate.endpoint, port_.protocol)});
    }
    const Categories categories = categorize(candidates, node_);
    std::map<Pool, std::optional<std::uint32_t>> indices;
    for (const auto& [key, pool] : frontends_) {
      auto& index = indices[pool];
      if (!index) index = add_pool(pool, categories);
      spec_.frontends.push_back({key, *index});
    }
  }

  // Frontends with the same backends share a ring.
  std::uint32_t add_pool(Pool pool, const Categories& categories) {
    state::PoolSpec made = make_pool(pool, categories);
    for (std::uint32_t i = 0; i < spec_.pools.size(); ++i)
      if (spec_.pools[i].members == made.members && spec_.pools[i].flags == made.flags &&
          spec_.pools[i].for_nobody == made.for_nobody)
        return i;
    spec_.pools.push_back(std::move(made));
    return static_cast<std::uint32_t>(spec_.pools.size() - 1);
  }

  state::PoolSpec make_pool(Pool pool, const Categories& categories) const {
    if (pool == Pool::kNobody) return {{}, nullptr, LB_SERVICE_DROP, true};
    if (pool == Pool::kInternal) return pool_for(service_.internal_traffic_policy, categories);
    return pool_for(is_external(service_) ? service_.external_traffic_policy : TrafficPolicy::kCluster, categories);
  }

  state::PoolSpec pool_for(TrafficPolicy policy, const Categories& categories) const {
    const std::uint32_t slots = is_internal() ? kInternalSlotsPerBackend : LB_RING_SLOTS_PER_BACKEND;
    if (policy == TrafficPolicy::kCluster) return pool_of(categories.cluster, spec_, LB_SERVICE_REJECT, slots);
    return pool_of(categories.local, spec_, categories.any ? LB_SERVICE_DROP : LB_SERVICE_REJECT, slots);
  }

  bool is_internal() const {
    return std::all_of(frontends_.begin(), frontends_.end(),
                       [](const auto& frontend) { return frontend.second == Pool::kInternal; });
  }

  const Service& service_;
  const ServicePort& port_;
  Family family_;
  const NodeView& node_;
  ServiceSpec& service_spec_;
  state::PortSpec spec_;
  std::vector<std::pair<lb_service_key, Pool>> frontends_;
};

void report(const Service& service, const std::string& field, const std::string& value, const std::string& message,
            ServiceSpec& spec) {
  spec.problems.push_back({"", "Service " + service.name.to_string(), field, value, message});
}

// The families of its cluster IPs are those of the service, as for kube-proxy: addresses of another are not served.
// Without cluster IPs, which only a manifest leaves out, it has both, for all but NodePorts.
std::vector<Family> families_of(const Service& service, ServiceSpec& spec) {
  std::vector<Family> families;
  for (const Family family : {Family::IPv4, Family::IPv6})
    if (service.cluster_ips.empty() || has_family(service, family)) families.push_back(family);
  const auto check = [&](const std::string& field, const std::vector<Address>& addresses) {
    for (const Address& address : addresses)
      if (std::find(families.begin(), families.end(), address.family) == families.end())
        report(service, field, address.to_string(), "is not served: the service has no cluster IP of that family",
               spec);
  };
  check("spec.externalIPs", service.external_ips);
  check("status.loadBalancer.ingress", service.load_balancer_ips);
  return families;
}

void check_node_port(const Service& service, const ServicePort& port, const std::string& field, const NodeView& node,
                     ServiceSpec& spec) {
  if (!port.node_port) return;
  const std::string node_port = std::to_string(port.node_port);
  if (!node.node_ports.contains(port.node_port))
    report(service, field + ".nodePort", node_port,
           "is not served: it is not in --service-node-port-range, which is " + node.node_ports.to_string(), spec);
  else if (service.cluster_ips.empty())
    report(service, field + ".nodePort", node_port,
           "is not served: node ports are in the families of the service's cluster IPs, and it has none", spec);
}

bool has_address(const Service& service) {
  return !service.cluster_ips.empty() || !service.external_ips.empty() || !service.load_balancer_ips.empty();
}

}  // namespace

std::string note_on(const Service& service, bool served) {
  if (!service.proxy_name.empty()) return "is another proxy's, by label service.kubernetes.io/service-proxy-name";
  if (service.type == model::ServiceType::kExternalName) return "is of type ExternalName: DNS answers for it";
  if (service.headless) return "is headless: clients get its endpoints from DNS";
  const bool waits = service.type == model::ServiceType::kLoadBalancer && service.load_balancer_ips.empty();
  if (waits) return "has no load balancer address: status.loadBalancer.ingress names none of ipMode VIP";
  if (served) return "";
  return has_address(service) ? "is not served: see its problems" : "is not served: it has no address";
}

model::Name service_of(const std::string& port_spec) {
  const std::string service = port_spec.substr(0, port_spec.find(':'));
  const auto slash = service.find('/');
  return slash == std::string::npos ? model::Name{"", service}
                                    : model::Name{service.substr(0, slash), service.substr(slash + 1)};
}

ServiceSpec compile_service(const Service& service, const model::Store::Slices& slices, const NodeView& node) {
  ServiceSpec spec;
  if (service.type == model::ServiceType::kExternalName || service.headless || !service.proxy_name.empty()) return spec;
  if (std::any_of(service.load_balancer_ips.begin(), service.load_balancer_ips.end(),
                  [&](const Address& address) { return is_restricted(service, address.family); }))
    report(
        service, "spec.loadBalancerSourceRanges", "",
        "source ranges are not enforced yet, so what comes for load balancer addresses that they restrict is dropped",
        spec);
  if (service.affinity_seconds)
    report(service, "spec.sessionAffinity", "ClientIP",
           "session affinity is not kept yet; the service is served without it", spec);
  if (service.health_check_node_port)
    report(service, "spec.healthCheckNodePort", std::to_string(service.health_check_node_port),
           "is not answered yet: a load balancer that asks it takes this node for one without endpoints", spec);
  const std::vector<Family> families = families_of(service, spec);
  std::set<std::pair<std::string, model::Protocol>> ids;
  for (std::size_t i = 0; i < service.ports.size(); ++i) {
    const ServicePort& port = service.ports[i];
    const std::string field = "spec.ports[" + std::to_string(i) + "]";
    if (port.protocol == model::Protocol::kSctp) {
      report(service, field + ".protocol", "SCTP", "SCTP is not balanced yet", spec);
      continue;
    }
    if (!ids.emplace(port_id(port), port.protocol).second) {
      report(service, field, port_id(port) + "/" + model::to_string(port.protocol),
             "is not served: a port before it has the same name", spec);
      continue;
    }
    check_node_port(service, port, field, node, spec);
    for (const Family family : families)
      PortCompiler(service, port, family, node, spec).compile(slices);
  }
  return spec;
}

}  // namespace fairlead::compile
