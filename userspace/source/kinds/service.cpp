// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "userspace/source/kind.h"
#include "userspace/source/kinds/fields.h"

namespace fairlead::source {
namespace {

using document::BadItem;
using document::Reader;
using model::Name;
using model::Service;
using model::ServicePort;
using model::ServiceType;
using model::Store;

constexpr std::uint32_t kMaxPort = 65535;
constexpr std::uint32_t kDefaultAffinitySeconds = 10800;
constexpr std::uint32_t kMaxAffinitySeconds = 86400;

ServiceType read_type(const Reader& reader) {
  static const Reader::Names<ServiceType> kNames{{"ClusterIP", ServiceType::kClusterIp},
                                                 {"NodePort", ServiceType::kNodePort},
                                                 {"LoadBalancer", ServiceType::kLoadBalancer},
                                                 {"ExternalName", ServiceType::kExternalName}};
  return reader.choice(kNames, ServiceType::kClusterIp);
}

model::TrafficPolicy read_policy(const Reader& reader) {
  static const Reader::Names<model::TrafficPolicy> kNames{{"Cluster", model::TrafficPolicy::kCluster},
                                                          {"Local", model::TrafficPolicy::kLocal}};
  return reader.choice(kNames, model::TrafficPolicy::kCluster);
}

std::uint16_t read_port_number(const Reader& reader, std::uint32_t lowest) {
  return static_cast<std::uint16_t>(reader.number(lowest, kMaxPort));
}

bool is_none(const Reader& spec) {
  const auto none = [](const Reader& item) { return std::optional(item.text() == "None"); };
  const auto each = spec["clusterIPs"].items<bool>(BadItem::kBreaksObject, none);
  return spec["clusterIP"].text() == "None" || (!each.empty() && each.front());
}

// clusterIP repeats the first of clusterIPs, or stands alone.
std::vector<Address> read_cluster_ips(const Reader& spec) {
  std::vector<Address> result;
  const auto add = [&](const Reader& item) {
    const auto address = read_address(item);
    if (!address) return address;
    const auto same_family = [&](const Address& other) { return other.family == address->family; };
    const auto other = std::find_if(result.begin(), result.end(), same_family);
    if (other == result.end()) {
      result.push_back(*address);
    } else if (*other != *address) {
      item.complain("there is another cluster address of this family: " + other->to_string());
    }
    return address;
  };
  spec["clusterIPs"].items<Address>(BadItem::kBreaksObject, add);
  add(spec["clusterIP"]);
  return result;
}

// Only addresses that the service itself answers at; with ipMode Proxy the load balancer does, and host names are left
// to it too.
std::optional<Address> read_ingress(const Reader& ingress) {
  static const Reader::Names<bool> kIsVip{{"VIP", true}, {"Proxy", false}};
  const bool is_vip = ingress["ipMode"].choice(kIsVip, true);
  const auto address = read_address(ingress["ip"]);
  return is_vip ? address : std::nullopt;
}

std::vector<ServicePort> read_ports(const Reader& ports, bool has_node_ports) {
  std::vector<ServicePort> seen;
  return ports.items<ServicePort>(BadItem::kBreaksObject, [&](const Reader& item) {
    ServicePort port;
    port.name = read_name(item["name"]);
    port.protocol = read_protocol(item["protocol"]);
    port.port = read_port_number(item["port"].required(), 1);
    port.node_port = read_port_number(item["nodePort"], 0);
    if (port.node_port && !has_node_ports) item["nodePort"].complain("needs type NodePort or LoadBalancer");
    for (const ServicePort& other : seen) {
      if (other.name == port.name) item["name"].complain("each port must have a name of its own");
      if (other.port == port.port && other.protocol == port.protocol) item["port"].complain("stands twice");
    }
    seen.push_back(port);
    return std::optional(port);
  });
}

std::uint32_t read_affinity(const Reader& spec) {
  static const Reader::Names<bool> kNames{{"None", false}, {"ClientIP", true}};
  if (!spec["sessionAffinity"].choice(kNames, false)) return 0;
  const Reader timeout = spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"];
  return timeout.number(1, kMaxAffinitySeconds, kDefaultAffinitySeconds);
}

// The label counts whatever its value; the model knows it by a text that isn't empty.
std::string read_proxy_name(const Reader& label) {
  const std::string name = label.text();
  return label.absent() || !name.empty() ? name : "\"\"";
}

void read_spec(const Reader& spec, Service& service) {
  service.type = read_type(spec["type"]);
  service.headless = is_none(spec);
  if (!service.headless) service.cluster_ips = read_cluster_ips(spec);
  service.external_ips = spec["externalIPs"].items<Address>(BadItem::kIsDropped, read_global_address);
  const bool has_node_ports = service.type == ServiceType::kNodePort || service.type == ServiceType::kLoadBalancer;
  service.ports = read_ports(spec["ports"], has_node_ports);
  if (!service.headless && service.type != ServiceType::kExternalName) spec["ports"].required();
  service.external_traffic_policy = read_policy(spec["externalTrafficPolicy"]);
  service.internal_traffic_policy = read_policy(spec["internalTrafficPolicy"]);
  service.load_balancer_source_ranges =
      spec["loadBalancerSourceRanges"].items<Prefix>(BadItem::kBreaksObject, read_prefix);
  service.affinity_seconds = read_affinity(spec);
  if (service.type == ServiceType::kLoadBalancer && service.external_traffic_policy == model::TrafficPolicy::kLocal)
    service.health_check_node_port = read_port_number(spec["healthCheckNodePort"], 0);
}

std::shared_ptr<Service> read_service(const Reader& object, const Name& name) {
  auto service = std::make_shared<Service>();
  service->name = name;
  const Reader metadata = object["metadata"];
  service->uid = metadata["uid"].text();
  service->created = metadata["creationTimestamp"].text();
  service->proxy_name = read_proxy_name(metadata["labels"]["service.kubernetes.io/service-proxy-name"]);
  read_spec(object["spec"], *service);
  service->load_balancer_ips =
      object["status"]["loadBalancer"]["ingress"].items<Address>(BadItem::kIsDropped, read_ingress);
  return service;
}

// The address that is asked for is the one that it has, as long as no other is: no cloud is there to assign one.
Object read_manifest(const Reader& object, const Name& name) {
  const auto service = read_service(object, name);
  if (service->type != ServiceType::kLoadBalancer || !service->load_balancer_ips.empty()) return service;
  if (const auto address = read_global_address(object["spec"]["loadBalancerIP"]))
    service->load_balancer_ips.push_back(*address);
  return service;
}

}  // namespace

constinit const Kind kService{
    .name = "Service",
    .api_version = "v1",
    .plural = "services",
    // Other proxies' services and headless ones are not for us.
    .label_selector = "!service.kubernetes.io/service-proxy-name",
    .field_selector = "spec.clusterIP!=None",
    .read = [](const Reader& object, const Name& name) -> Object { return read_service(object, name); },
    .read_manifest = read_manifest,
    .service_of = [](const Reader&, const Name& name) { return name.name; },
    .find = [](const Store& store, const Name& name) { return find_in(store.services(), name); },
    .put = [](Store& store, const Object& object) { return store.put(object.as<Service>()); },
    .remove = [](Store& store, const Name& name) { return store.remove_service(name); },
};

}  // namespace fairlead::source
