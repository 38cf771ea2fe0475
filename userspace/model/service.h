// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "userspace/model/name.h"
#include "userspace/util/address.h"

namespace fairlead::model {

enum class Protocol : std::uint8_t { kTcp = 6, kUdp = 17, kSctp = 132 };  // IP protocol numbers
enum class ServiceType { kClusterIp, kNodePort, kLoadBalancer, kExternalName };
enum class TrafficPolicy { kCluster, kLocal };

// "TCP", "UDP", "SCTP", as Kubernetes writes them.
const char* to_string(Protocol protocol);

struct ServicePort {
  std::string name;  // empty for a single unnamed port
  Protocol protocol = Protocol::kTcp;
  std::uint16_t port = 0;
  std::uint16_t node_port = 0;  // 0: none

  bool operator==(const ServicePort&) const = default;
};

// What a Service (core/v1) says that the proxy needs, defaults filled in. Addresses that do not parse and fields out of
// range never get here: they are reported where the object is decoded.
struct Service {
  Name name;
  std::string uid;
  std::string created;  // RFC 3339, so text order is time order; may be empty
  ServiceType type = ServiceType::kClusterIp;
  bool headless = false;             // clusterIP is "None"
  std::string proxy_name;            // label service.kubernetes.io/service-proxy-name: another proxy's when set
  std::vector<Address> cluster_ips;  // without "None" and empty ones; at most one of each family
  std::vector<Address> external_ips;
  std::vector<Address> load_balancer_ips;  // status.loadBalancer.ingress[].ip whose ipMode is VIP or unset
  std::vector<ServicePort> ports;
  TrafficPolicy external_traffic_policy = TrafficPolicy::kCluster;
  TrafficPolicy internal_traffic_policy = TrafficPolicy::kCluster;
  std::vector<Prefix> load_balancer_source_ranges;
  std::uint32_t affinity_seconds = 0;        // sessionAffinity ClientIP: its timeout; 0: no affinity
  std::uint16_t health_check_node_port = 0;  // of type LoadBalancer with externalTrafficPolicy Local; 0: none

  bool operator==(const Service&) const = default;
};

}  // namespace fairlead::model
