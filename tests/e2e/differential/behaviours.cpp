// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/differential/behaviours.h"

namespace fairlead::test::differential {
namespace {

using Endpoints = std::vector<EndpointSpec>;

const std::vector<Frontend> kEveryFrontend{Frontend::kClusterIp, Frontend::kNodePort,     Frontend::kNodePortSecond,
                                           Frontend::kLocalhost, Frontend::kLoadBalancer, Frontend::kExternalIp};

// An endpoint on each node, or on one; node1 is the one that outside clients come to.
Endpoints both(const char* patch = kReady) {
  return {{"node1-pod1", patch}, {"node2-pod1", patch}};
}
Endpoints local(const char* patch = kReady) {
  return {{"node1-pod1", patch}};
}
Endpoints remote(const char* patch = kReady) {
  return {{"node2-pod1", patch}};
}
Endpoints draining_here_ready_there() {
  return {{"node1-pod1", kDraining}, {"node2-pod1"}};
}

constexpr const char* kExternalLocal = R"({"spec": {"externalTrafficPolicy": "Local"}})";
constexpr const char* kInternalLocal = R"({"spec": {"internalTrafficPolicy": "Local"}})";
constexpr const char* kBothLocal = R"({"spec": {"externalTrafficPolicy": "Local", "internalTrafficPolicy": "Local"}})";
constexpr const char* kAffinity = R"({"spec": {"sessionAffinity": "ClientIP"}})";
constexpr const char* kOutsideOnly = R"({"spec": {"loadBalancerSourceRanges": ["10.200.0.0/24", "fd00:200::/64"]}})";
constexpr const char* kNobody = R"({"spec": {"loadBalancerSourceRanges": ["198.51.100.0/24", "2001:db8:51::/48"]}})";
constexpr const char* kPodsOnly = R"({"spec": {"loadBalancerSourceRanges": ["10.210.0.0/16", "fd00:210::/32"]}})";
constexpr const char* kNodeOnly = R"({"spec": {"loadBalancerSourceRanges": ["10.201.0.1/32", "fd00:201::1/128"]}})";
constexpr const char* kIpv4RangeOnly = R"({"spec": {"loadBalancerSourceRanges": ["198.51.100.0/24"]}})";
constexpr const char* kModeProxy =
    R"({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.NUMBER", "ipMode": "Proxy"},
                                                {"ip": "2001:db8:2::NUMBER", "ipMode": "Proxy"}]}}})";
constexpr const char* kWithoutNodePorts =
    R"({"spec": {"allocateLoadBalancerNodePorts": false,
                 "ports": [{"name": "tcp", "protocol": "TCP", "port": 80}, {"name": "udp", "protocol": "UDP", "port": 80}]}})";
constexpr const char* kTcpOnly =
    R"({"spec": {"ports": [{"name": "tcp", "protocol": "TCP", "port": 80, "nodePort": NODEPORT}]}})";
constexpr const char* kUnnamedPort = R"({"spec": {"ports": [{"protocol": "TCP", "port": 80, "nodePort": NODEPORT}]}})";
constexpr const char* kNodePortType = R"({"spec": {"type": "NodePort"}, "status": null})";
constexpr const char* kClusterIpPorts =
    R"("ports": [{"name": "tcp", "protocol": "TCP", "port": 80}, {"name": "udp", "protocol": "UDP", "port": 80}])";
const std::string kExternalName =
    std::string(
        R"({"spec": {"type": "ExternalName", "externalName": "web.example", "clusterIP": null, "clusterIPs": null,
                 "ipFamilies": null, "ipFamilyPolicy": null, )") +
    kClusterIpPorts + R"(}, "status": null})";

std::string cluster_ip_type(const std::string& more = "") {
  return R"({"spec": {"type": "ClusterIP", )" + more + kClusterIpPorts + R"(}, "status": null})";
}
std::string single_stack(const std::string& family, const std::string& address) {
  return R"({"spec": {"ipFamilyPolicy": "SingleStack", "ipFamilies": [")" + family + R"("], "clusterIP": ")" + address +
         R"(", "clusterIPs": [")" + address + R"("]}})";
}
std::string slice_ports(int tcp, int udp) {
  return R"({"ports": [{"name": "tcp", "protocol": "TCP", "port": )" + std::to_string(tcp) +
         R"(}, {"name": "udp", "protocol": "UDP", "port": )" + std::to_string(udp) + "}]}";
}
std::string zones(const std::string& names) {
  return R"({"hints": {"forZones": [)" + names + "]}}";
}

const std::string kZoneA = zones(R"({"name": "a"})"), kZoneB = zones(R"({"name": "b"})"),
                  kZoneC = zones(R"({"name": "c"})");

std::string nodes(const std::string& name) {
  return R"({"hints": {"forNodes": [{"name": ")" + name + R"("}]}})";
}

}  // namespace

const std::vector<Behaviour>& behaviours() {
  static const std::vector<Behaviour> kTable{
      {.name = "plain", .endpoints = both(), .frontends = kEveryFrontend},
      {.name = "only-remote", .endpoints = remote(), .frontends = kEveryFrontend},
      {.name = "only-local", .endpoints = local()},
      {.name = "two-each", .endpoints = {{"node1-pod1"}, {"node1-pod2"}, {"node2-pod1"}, {"node2-pod2"}}},
      {.name = "hairpin", .endpoints = local(), .frontends = kEveryFrontend, .clients = {Client::kBackend}},
      {.name = "hairpin-or-remote", .endpoints = both(), .clients = {Client::kBackend}},
      {.name = "host-network", .endpoints = {{"node1"}, {"node2"}}},

      // Nobody to serve.
      {.name = "no-endpoints", .frontends = kEveryFrontend},
      {.name = "not-ready", .endpoints = both(kNotReady)},
      {.name = "ending", .endpoints = both(kEnding)},
      {.name = "port-name-mismatch", .endpoints = both(), .slice = R"({"ports": [{"name": "other", "port": 8080}]})"},
      {.name = "wrong-port", .endpoints = both(), .frontends = kEveryFrontend, .port_offset = 1000},
      {.name = "tcp-only", .service = kTcpOnly, .endpoints = both()},
      {.name = "no-service", .service = "null", .frontends = kEveryFrontend},

      // Endpoints that come and go.
      {.name = "draining-only", .endpoints = both(kDraining)},
      {.name = "draining-beside-ready", .endpoints = draining_here_ready_there()},
      {.name = "publish-not-ready",
       .service = R"({"spec": {"publishNotReadyAddresses": true}})",
       .endpoints = both(R"({"conditions": {"ready": true, "serving": false, "terminating": true}})")},

      // Traffic policies.
      {.name = "etp-local", .service = kExternalLocal, .endpoints = both(), .frontends = kEveryFrontend},
      {.name = "etp-local-only-remote", .service = kExternalLocal, .endpoints = remote(), .frontends = kEveryFrontend},
      {.name = "etp-local-only-local", .service = kExternalLocal, .endpoints = local()},
      {.name = "etp-local-draining-here", .service = kExternalLocal, .endpoints = draining_here_ready_there()},
      {.name = "etp-local-draining-only", .service = kExternalLocal, .endpoints = both(kDraining)},
      {.name = "etp-local-no-endpoints", .service = kExternalLocal},
      {.name = "itp-local", .service = kInternalLocal, .endpoints = both()},
      {.name = "itp-local-only-remote", .service = kInternalLocal, .endpoints = remote()},
      {.name = "itp-local-draining-here", .service = kInternalLocal, .endpoints = draining_here_ready_there()},
      {.name = "itp-local-no-endpoints", .service = kInternalLocal},
      {.name = "itp-local-etp-local", .service = kBothLocal, .endpoints = both()},
      {.name = "itp-local-etp-local-only-remote", .service = kBothLocal, .endpoints = remote()},
      {.name = "etp-local-external-ip",
       .service = cluster_ip_type(R"("externalTrafficPolicy": "Local", )"),
       .endpoints = both(),
       .frontends = {Frontend::kClusterIp, Frontend::kExternalIp}},

      // Who may.
      {.name = "ranges-outside", .service = kOutsideOnly, .endpoints = both(), .frontends = kEveryFrontend},
      {.name = "ranges-pods", .service = kPodsOnly, .endpoints = both()},
      {.name = "ranges-node", .service = kNodeOnly, .endpoints = both()},
      {.name = "ranges-nobody", .service = kNobody, .endpoints = both()},
      {.name = "ranges-other-family", .service = kIpv4RangeOnly, .endpoints = both()},
      {.name = "ranges-outside-no-endpoints", .service = kOutsideOnly, .frontends = kEveryFrontend},

      // Which.
      {.name = "affinity",
       .service = kAffinity,
       .endpoints = both(),
       .frontends = {Frontend::kClusterIp, Frontend::kNodePort, Frontend::kLoadBalancer, Frontend::kExternalIp},
       .compare = Compare::kNumberOfBackendsOfNode},
      {.name = "affinity-etp-local",
       .service = R"({"spec": {"sessionAffinity": "ClientIP", "externalTrafficPolicy": "Local"}})",
       .endpoints = {{"node1-pod1"}, {"node1-pod2"}, {"node2-pod1"}},
       .compare = Compare::kNumberOfBackends},
      {.name = "zone-hints", .endpoints = {{"node1-pod1", kZoneA}, {"node2-pod1", kZoneB}}},
      {.name = "zone-hints-crossed", .endpoints = {{"node1-pod1", kZoneB}, {"node2-pod1", kZoneA}}},
      {.name = "zone-hints-on-one", .endpoints = {{"node1-pod1", kZoneA}, {"node2-pod1"}}},
      {.name = "zone-hints-elsewhere", .endpoints = {{"node1-pod1", kZoneC}, {"node2-pod1", kZoneC}}},
      {.name = "zone-hints-etp-local",
       .service = kExternalLocal,
       .endpoints = {{"node1-pod1", kZoneB}, {"node2-pod1", kZoneA}}},
      {.name = "node-hints", .endpoints = {{"node1-pod1", nodes("node1")}, {"node2-pod1", nodes("node2")}}},
      {.name = "node-hints-crossed", .endpoints = {{"node1-pod1", nodes("node2")}, {"node2-pod1", nodes("node1")}}},
      {.name = "node-hints-elsewhere", .endpoints = {{"node1-pod1", nodes("node3")}, {"node2-pod1", nodes("node3")}}},

      // Ports.
      {.name = "ports-by-protocol", .endpoints = both(), .slice = slice_ports(8080, 8081)},
      {.name = "ports-swapped", .endpoints = both(), .slice = slice_ports(8081, 8080)},
      {.name = "unnamed-port",
       .service = kUnnamedPort,
       .endpoints = both(),
       .slice = R"({"ports": [{"name": "", "protocol": "TCP", "port": 8080}]})"},
      {.name = "two-slices", .endpoints = {{"node1-pod1"}, {"node2-pod1", kReady, 2}}},
      {.name = "overlapping-slices",
       .endpoints = {{"node1-pod1"}, {"node2-pod1"}, {"node2-pod1", kReady, 2}, {"node2-pod2", kReady, 2}}},

      // Kinds of services.
      {.name = "type-node-port", .service = kNodePortType, .endpoints = both()},
      {.name = "type-cluster-ip", .service = cluster_ip_type(), .endpoints = both(), .frontends = kEveryFrontend},
      {.name = "ip-mode-proxy", .service = kModeProxy, .endpoints = both()},
      {.name = "no-node-ports", .service = kWithoutNodePorts, .endpoints = both()},
      {.name = "single-stack-ipv4",
       .service = single_stack("IPv4", "10.96.0.NUMBER"),
       .endpoints = both(),
       .frontends = kEveryFrontend},
      {.name = "single-stack-ipv6", .service = single_stack("IPv6", "fd00:96::NUMBER"), .endpoints = both()},
      {.name = "headless",
       .service = cluster_ip_type(R"("clusterIP": "None", "clusterIPs": ["None"], )"),
       .endpoints = both(),
       .frontends = kEveryFrontend},
      {.name = "external-name", .service = kExternalName, .endpoints = both(), .frontends = kEveryFrontend},
      {.name = "service-proxy-name",
       .service = R"({"metadata": {"labels": {"service.kubernetes.io/service-proxy-name": "another"}}})",
       .endpoints = both(),
       .frontends = kEveryFrontend},
      {.name = "headless-slices",
       .endpoints = both(),
       .slice = R"({"metadata": {"labels": {"service.kubernetes.io/headless": ""}}})"},
  };
  return kTable;
}

}  // namespace fairlead::test::differential
