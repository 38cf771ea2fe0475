// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "tests/unit/source/decoding.h"

namespace fairlead::source {
namespace {

using model::Protocol;
using model::Service;
using model::ServicePort;
using model::ServiceType;
using model::TrafficPolicy;
using testing::ElementsAre;
using testing::IsEmpty;

Address ip(const char* text) {
  return Address::literal(text);
}

constexpr const char* kWantsAnAddress = R"({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
    "spec": {"type": "LoadBalancer", "loadBalancerIP": "192.0.2.10", "ports": [{"port": 80}]})";

// No controller will tell it of an address.
TEST(DecodeService, TheAddressThatAManifestAsksForIsItsOwn) {
  const auto wanted = only<Service>(decode(std::string(kWantsAnAddress) + "}"));
  ASSERT_TRUE(wanted);
  EXPECT_THAT(wanted->load_balancer_ips, ElementsAre(ip("192.0.2.10")));
  const auto assigned = only<Service>(
      decode(std::string(kWantsAnAddress) + R"(, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.11"}]}}})"));
  ASSERT_TRUE(assigned);
  EXPECT_THAT(assigned->load_balancer_ips, ElementsAre(ip("192.0.2.11")));
}

TEST(DecodeService, TheAddressThatIsAskedForInAClusterIsNotItsOwn) {
  Decoded decoded;
  decode_object(kService, boost::json::parse(std::string(kWantsAnAddress) + "}"), "", decoded);
  const auto service = only<Service>(decoded);
  ASSERT_TRUE(service);
  EXPECT_THAT(service->load_balancer_ips, IsEmpty());
}

TEST(DecodeService, ItsAddressesMayBeWrittenAsTheyWereOnce) {
  const auto service = only<Service>(
      decode("apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {clusterIP: 010.096.000.010, ports: [{port: "
             "80}], externalIPs: ['::ffff:192.0.2.1'], loadBalancerSourceRanges: ['::ffff:10.0.0.0/104']}\n"));
  ASSERT_TRUE(service);
  EXPECT_THAT(service->cluster_ips, ElementsAre(ip("10.96.0.10")));
  EXPECT_THAT(service->external_ips, ElementsAre(ip("192.0.2.1")));
  EXPECT_THAT(service->load_balancer_source_ranges, ElementsAre(*Prefix::parse("10.0.0.0/8")));
}

TEST(DecodeService, ItsHealthPortIsOfPolicyLocal) {
  for (const auto& [policy, port] : {std::pair("Local", 31000), std::pair("Cluster", 0)}) {
    const auto service = only<Service>(
        decode("apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: LoadBalancer, ports: [{port: 80}], "
               "healthCheckNodePort: 31000, externalTrafficPolicy: " +
               std::string(policy) + "}\n"));
    ASSERT_TRUE(service);
    EXPECT_EQ(service->health_check_node_port, port) << policy;
  }
}

TEST(DecodeService, ReadsEveryFieldThatTheProxyNeeds) {
  const Decoded decoded = decode(R"(
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
  uid: 6f1e
  creationTimestamp: "2026-01-02T03:04:05Z"
  labels: {service.kubernetes.io/service-proxy-name: other}
spec:
  type: LoadBalancer
  clusterIP: 10.96.0.10
  clusterIPs: [10.96.0.10, "fd00:10::a"]
  externalIPs: [203.0.113.7]
  ports:
  - {name: http, port: 80, targetPort: http, nodePort: 30080}
  - {name: dns, port: 53, protocol: UDP}
  externalTrafficPolicy: Local
  internalTrafficPolicy: Local
  loadBalancerSourceRanges: [" 198.51.100.0/24 ", "2001:db8::/32"]
  sessionAffinity: ClientIP
  sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}
  selector: {app: web}
status:
  loadBalancer:
    ingress:
    - {ip: 203.0.113.20}
    - {ip: 203.0.113.21, ipMode: VIP}
    - {ip: 203.0.113.22, ipMode: Proxy}
    - {hostname: web.example.com}
)");
  EXPECT_THAT(complaints(decoded), IsEmpty());
  const auto service = only<Service>(decoded);
  ASSERT_TRUE(service);
  EXPECT_EQ(service->name.to_string(), "shop/web");
  EXPECT_EQ(service->uid, "6f1e");
  EXPECT_EQ(service->created, "2026-01-02T03:04:05Z");
  EXPECT_EQ(service->proxy_name, "other");
  EXPECT_EQ(service->type, ServiceType::kLoadBalancer);
  EXPECT_FALSE(service->headless);
  EXPECT_THAT(service->cluster_ips, ElementsAre(ip("10.96.0.10"), ip("fd00:10::a")));
  EXPECT_THAT(service->external_ips, ElementsAre(ip("203.0.113.7")));
  EXPECT_THAT(service->load_balancer_ips, ElementsAre(ip("203.0.113.20"), ip("203.0.113.21")));
  EXPECT_THAT(service->ports,
              ElementsAre(ServicePort{"http", Protocol::kTcp, 80, 30080}, ServicePort{"dns", Protocol::kUdp, 53, 0}));
  EXPECT_EQ(service->external_traffic_policy, TrafficPolicy::kLocal);
  EXPECT_EQ(service->internal_traffic_policy, TrafficPolicy::kLocal);
  EXPECT_THAT(service->load_balancer_source_ranges,
              ElementsAre(*Prefix::parse("198.51.100.0/24"), *Prefix::parse("2001:db8::/32")));
  EXPECT_EQ(service->affinity_seconds, 60u);
}

TEST(DecodeService, FillsInWhatTheApiServerWould) {
  const Decoded decoded = decode(R"({"apiVersion": "v1", "kind": "Service",
    "metadata": {"name": "web", "creationTimestamp": null, "labels": null},
    "spec": {"clusterIP": "", "ports": [{"port": 80, "nodePort": 0}], "type": ""}})");
  EXPECT_THAT(complaints(decoded), IsEmpty());
  const auto service = only<Service>(decoded);
  ASSERT_TRUE(service);
  Service expected;
  expected.name = {"default", "web"};
  expected.ports = {{"", Protocol::kTcp, 80, 0}};
  EXPECT_EQ(*service, expected);
  const auto affine = only<Service>(decode(R"({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
    "spec": {"ports": [{"port": 80}], "sessionAffinity": "ClientIP"}})"));
  ASSERT_TRUE(affine);
  EXPECT_EQ(affine->affinity_seconds, 10800u);
}

// Of a service with one port and this in its spec.
Decoded with_spec(const std::string& spec) {
  return decode("apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}], " + spec + "}\n");
}

TEST(DecodeService, ClusterAddressesAreOneOfEachFamily) {
  const auto addresses = [](const std::string& spec) {
    const auto service = only<Service>(with_spec(spec));
    return service ? service->cluster_ips : std::vector<Address>();
  };
  EXPECT_THAT(addresses("clusterIP: 10.96.0.10"), ElementsAre(ip("10.96.0.10")));
  EXPECT_THAT(addresses("clusterIPs: ['fd00:10::a']"), ElementsAre(ip("fd00:10::a")));
  EXPECT_THAT(addresses("clusterIP: 10.96.0.10, clusterIPs: []"), ElementsAre(ip("10.96.0.10")));
  EXPECT_THAT(
      complaints(with_spec("clusterIPs: [10.96.0.10, 10.96.0.11]")),
      ElementsAre("Service default/web: spec.clusterIPs[1]: 10.96.0.11: there is another cluster address of this "
                  "family: 10.96.0.10"));
  EXPECT_THAT(complaints(with_spec("clusterIP: 10.96.0.999")),
              ElementsAre("Service default/web: spec.clusterIP: 10.96.0.999: is not an IP address"));
}

TEST(DecodeService, NoneIsHeadless) {
  for (const char* spec : {"clusterIP: None", "clusterIPs: [None]", "clusterIP: None, clusterIPs: [None]"}) {
    const auto service = only<Service>(with_spec(spec));
    ASSERT_TRUE(service) << spec;
    EXPECT_TRUE(service->headless) << spec;
    EXPECT_THAT(service->cluster_ips, IsEmpty()) << spec;
  }
}

TEST(DecodeService, PortsAreNeededWhereSomethingIsProxied) {
  const auto without_ports = [](const std::string& spec) {
    return decode("apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {" + spec + "}\n");
  };
  EXPECT_THAT(complaints(without_ports("type: ClusterIP")), ElementsAre("Service default/web: spec.ports: is missing"));
  EXPECT_TRUE(only<Service>(without_ports("clusterIP: None")));
  EXPECT_TRUE(only<Service>(without_ports("type: ExternalName, externalName: example.com")));
}

TEST(DecodeService, TheProxyNameCountsWhateverItsValue) {
  const auto service = only<Service>(decode(R"(
apiVersion: v1
kind: Service
metadata: {name: web, labels: {service.kubernetes.io/service-proxy-name: ""}}
spec: {ports: [{port: 80}]}
)"));
  ASSERT_TRUE(service);
  EXPECT_NE(service->proxy_name, "");
}

TEST(DecodeService, ABadAddressCostsOnlyItself) {
  const Decoded decoded = decode(R"(
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  ports: [{port: 80}]
  externalIPs: [203.0.113.1, example.com, "", 127.0.0.1, 224.0.0.1, 7, 203.0.113.2]
status:
  loadBalancer:
    ingress: [{ip: 300.1.1.1}, {ip: 203.0.113.3, ipMode: Vip}, 203.0.113.4, {ip: 203.0.113.5}]
)");
  EXPECT_THAT(
      complaints(decoded),
      ElementsAre(
          "Service default/web: spec.externalIPs[1]: example.com: is not an IP address",
          "Service default/web: spec.externalIPs[3]: 127.0.0.1: must not be a loopback, link-local or multicast "
          "address",
          "Service default/web: spec.externalIPs[4]: 224.0.0.1: must not be a loopback, link-local or multicast "
          "address",
          "Service default/web: spec.externalIPs[5]: 7: must be a string, not a number",
          "Service default/web: status.loadBalancer.ingress[0].ip: 300.1.1.1: is not an IP address",
          "Service default/web: status.loadBalancer.ingress[1].ipMode: Vip: must be VIP or Proxy",
          "Service default/web: status.loadBalancer.ingress[2]: 203.0.113.4: must be an object, not a string"));
  const auto service = only<Service>(decoded);
  ASSERT_TRUE(service);
  EXPECT_THAT(service->external_ips, ElementsAre(ip("203.0.113.1"), ip("203.0.113.2")));
  EXPECT_THAT(service->load_balancer_ips, ElementsAre(ip("203.0.113.5")));
}

struct Mistake {
  const char* spec;
  const char* complaint;
};

void PrintTo(const Mistake& mistake, std::ostream* out) {
  *out << mistake.spec;
}

class BadService : public testing::TestWithParam<Mistake> {};

TEST_P(BadService, IsReportedAndNotUsed) {
  const Decoded decoded =
      decode("apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: " + std::string(GetParam().spec) + "\n");
  EXPECT_THAT(complaints(decoded), ElementsAre("Service default/web: spec" + std::string(GetParam().complaint)));
  EXPECT_FALSE(only<Service>(decoded));
}

INSTANTIATE_TEST_SUITE_P(
    Ports, BadService,
    testing::Values(
        Mistake{"{ports: [{port: 0}]}", ".ports[0].port: 0: must be between 1 and 65535"},
        Mistake{"{ports: [{port: 80}, {name: b, port: 65536}]}", ".ports[1].port: 65536: must be between 1 and 65535"},
        Mistake{"{ports: [{port: -1}]}", ".ports[0].port: -1: must be between 1 and 65535"},
        Mistake{"{ports: [{port: 80.5}]}", ".ports[0].port: 8.05E1: must be between 1 and 65535"},
        Mistake{"{ports: [{port: '80'}]}", ".ports[0].port: 80: must be a number, not a string"},
        Mistake{"{ports: [{name: http}]}", ".ports[0].port: is missing"},
        Mistake{"{ports: [{port: 80, protocol: tcp}]}", ".ports[0].protocol: tcp: must be TCP, UDP or SCTP"},
        Mistake{"{ports: [{port: 80, name: A/B}]}",
                ".ports[0].name: A/B: must consist of lower-case letters, digits, '-' and '.'"},
        Mistake{"{type: NodePort, ports: [{port: 80, nodePort: 70000}]}",
                ".ports[0].nodePort: 70000: must be between 0 and 65535"},
        Mistake{"{ports: [{port: 80, nodePort: 30080}]}",
                ".ports[0].nodePort: 30080: needs type NodePort or LoadBalancer"},
        Mistake{"{ports: [{port: 80}, {port: 81}]}", ".ports[1].name: each port must have a name of its own"},
        Mistake{"{ports: [{name: a, port: 80}, {name: b, port: 80}]}", ".ports[1].port: 80: stands twice"},
        Mistake{"{ports: {port: 80}}", ".ports: {\"port\":80}: must be a list, not an object"},
        Mistake{"{ports: []}", ".ports: []: is missing"}));
INSTANTIATE_TEST_SUITE_P(
    Policies, BadService,
    testing::Values(
        Mistake{"{ports: [{port: 80}], type: clusterip}",
                ".type: clusterip: must be ClusterIP, NodePort, LoadBalancer or ExternalName"},
        Mistake{"{ports: [{port: 80}], externalTrafficPolicy: local}",
                ".externalTrafficPolicy: local: must be Cluster or Local"},
        Mistake{"{ports: [{port: 80}], internalTrafficPolicy: yes}",
                ".internalTrafficPolicy: true: must be a string, not a boolean"},
        Mistake{"{ports: [{port: 80}], sessionAffinity: ClientIp}",
                ".sessionAffinity: ClientIp: must be None or ClientIP"},
        Mistake{"{ports: [{port: 80}], sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: "
                "86401}}}",
                ".sessionAffinityConfig.clientIP.timeoutSeconds: 86401: must be between 1 and 86400"},
        Mistake{"{ports: [{port: 80}], clusterIP: 0.0.0.0}",
                ".clusterIP: 0.0.0.0: must not be the unspecified address"}));
// A range left out would shut the right clients out, and the last one left out let everybody in.
INSTANTIATE_TEST_SUITE_P(
    SourceRanges, BadService,
    testing::Values(Mistake{"{ports: [{port: 80}], loadBalancerSourceRanges: [10.0.0.0/33]}",
                            ".loadBalancerSourceRanges[0]: 10.0.0.0/33: is not an address range such as 192.0.2.0/24"},
                    Mistake{"{ports: [{port: 80}], loadBalancerSourceRanges: [10.0.0.0/8, '']}",
                            ".loadBalancerSourceRanges[1]: is not an address range such as 192.0.2.0/24"},
                    Mistake{"{ports: [{port: 80}], loadBalancerSourceRanges: 10.0.0.0/8}",
                            ".loadBalancerSourceRanges: 10.0.0.0/8: must be a list, not a string"}));

TEST(DecodeService, EverythingWrongIsFoundAtOnce) {
  EXPECT_THAT(
      complaints(with_spec("type: X, sessionAffinity: 1, externalTrafficPolicy: Z")),
      ElementsAre("Service default/web: spec.type: X: must be ClusterIP, NodePort, LoadBalancer or ExternalName",
                  "Service default/web: spec.externalTrafficPolicy: Z: must be Cluster or Local",
                  "Service default/web: spec.sessionAffinity: 1: must be a string, not a number"));
}

TEST(DecodeService, LongValuesAreShortened) {
  const Decoded decoded = with_spec("type: " + std::string(1000, 'x'));
  ASSERT_EQ(decoded.problems.size(), 1u);
  EXPECT_EQ(decoded.problems[0].value, std::string(60, 'x') + "...");
  const Decoded list = with_spec("type: [" + std::string(1000, 'x') + "]");
  ASSERT_EQ(list.problems.size(), 1u);
  EXPECT_EQ(list.problems[0].value, "[\"" + std::string(58, 'x') + "...");
}

}  // namespace
}  // namespace fairlead::source
