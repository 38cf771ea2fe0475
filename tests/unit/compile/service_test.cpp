// SPDX-License-Identifier: Apache-2.0
#include "userspace/compile/service.h"

#include <gmock/gmock.h>

#include "tests/unit/compile/objects.h"

namespace fairlead::compile {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const state::PoolSpec& pool_of(const state::PortSpec& port, const std::string& frontend) {
  for (const state::FrontendSpec& one : port.frontends)
    if (state::describe(one.key) == frontend) return port.pools.at(one.pool);
  throw std::out_of_range(frontend);
}

TEST(CompileService, EveryKindOfFrontendOfAService) {
  auto web = service({"192.0.2.1"});
  web.external_ips = {Address::literal("198.51.100.1")};
  const ServiceSpec spec = compile_service(web, slices({slice({{"10.0.0.1"}})}), kNode);
  ASSERT_THAT(spec.ports, SizeIs(1));
  EXPECT_EQ(spec.ports[0].name, "default/web:80/TCP/IPv4");
  EXPECT_THAT(frontends(spec.ports[0]),
              ElementsAre("10.96.0.1:80/TCP", "198.51.100.1:80/TCP", "192.0.2.1:80/TCP", "nodeport 30080/TCP/IPv4"));
  EXPECT_THAT(spec.problems, IsEmpty());
}

TEST(CompileService, EachFamilyIsAPortOfItsOwn) {
  auto web = service({"192.0.2.1", "2001:db8::1"});
  web.cluster_ips.push_back(Address::literal("fd00::1"));
  const ServiceSpec spec = compile_service(web, slices({slice({{"10.0.0.1"}}, "4"), slice({{"fd00::9"}}, "6")}), kNode);
  ASSERT_THAT(spec.ports, ElementsAre(Field(&state::PortSpec::name, "default/web:80/TCP/IPv4"),
                                      Field(&state::PortSpec::name, "default/web:80/TCP/IPv6")));
  EXPECT_THAT(frontends(spec.ports[1]),
              ElementsAre("[fd00::1]:80/TCP", "[2001:db8::1]:80/TCP", "nodeport 30080/TCP/IPv6"));
  EXPECT_THAT(spec.ports[1].backends, SizeIs(1));
}

TEST(CompileService, NodePortsExistOnlyInTheServicesFamilies) {
  const ServiceSpec spec = compile_service(service(), slices({slice({{"fd00::9"}})}), kNode);
  ASSERT_THAT(spec.ports, SizeIs(1));
  EXPECT_THAT(frontends(spec.ports[0]), ElementsAre("10.96.0.1:80/TCP", "nodeport 30080/TCP/IPv4"));
}

TEST(CompileService, AddressesOfAFamilyThatTheServiceHasNotAreNotServed) {
  const ServiceSpec spec =
      compile_service(service({"192.0.2.1", "2001:db8::1"}), slices({slice({{"fd00::9"}})}), kNode);
  ASSERT_THAT(spec.ports, ElementsAre(Field(&state::PortSpec::name, "default/web:80/TCP/IPv4")));
  ASSERT_THAT(spec.problems, SizeIs(1));
  EXPECT_THAT(spec.problems[0].to_string(), HasSubstr("status.loadBalancer.ingress: 2001:db8::1: is not served"));
}

// Ready although it is terminating: what publishNotReadyAddresses makes of it.
TEST(CompileService, WhatTerminatesIsDrainingWhateverElseItIs) {
  const At ready_too{"10.0.0.1", "", true, true, true};
  const ServiceSpec spec =
      compile_service(service(), slices({slice({ready_too, terminating("10.0.0.2"), {"10.0.0.3"}})}), kNode);
  ASSERT_THAT(spec.ports.at(0).backends, SizeIs(3));
  EXPECT_EQ(spec.ports[0].backends[0].flags, static_cast<std::uint32_t>(LB_BACKEND_DRAINING));
  EXPECT_EQ(spec.ports[0].backends[1].flags, static_cast<std::uint32_t>(LB_BACKEND_DRAINING));
  EXPECT_EQ(spec.ports[0].backends[2].flags, 0u);
}

TEST(CompileService, ExternalIPsOfAClusterIPServiceFollowThePolicyForClientsOutside) {
  auto web = service();
  web.type = model::ServiceType::kClusterIp;
  web.external_ips = {Address::literal("198.51.100.1")};
  web.ports[0].node_port = 0;
  web.external_traffic_policy = model::TrafficPolicy::kLocal;
  const ServiceSpec spec = compile_service(web, slices({slice({{"10.0.0.1", "node2"}})}), kNode);
  EXPECT_THAT(pool_of(spec.ports.at(0), "10.96.0.1:80/TCP").members, SizeIs(1));
  EXPECT_EQ(pool_of(spec.ports[0], "198.51.100.1:80/TCP").flags, static_cast<std::uint32_t>(LB_SERVICE_DROP));
}

TEST(CompileService, FrontendsWithTheSameBackendsShareARing) {
  auto web = service({"192.0.2.1"});
  const auto all = slices({slice({{"10.0.0.1", "node1"}, {"10.0.0.2", "node2"}})});
  EXPECT_THAT(compile_service(web, all, kNode).ports[0].pools, SizeIs(1));
  web.external_traffic_policy = model::TrafficPolicy::kLocal;
  const ServiceSpec spec = compile_service(web, all, kNode);
  EXPECT_THAT(spec.ports[0].pools, SizeIs(2));
  EXPECT_THAT(pool_of(spec.ports[0], "10.96.0.1:80/TCP").members, ElementsAre(0, 1));
  EXPECT_THAT(pool_of(spec.ports[0], "192.0.2.1:80/TCP").members, ElementsAre(0));
  EXPECT_THAT(pool_of(spec.ports[0], "nodeport 30080/TCP/IPv4").members, ElementsAre(0));
}

TEST(CompileService, InternalPolicyIsForClusterIpsAlone) {
  auto web = service({"192.0.2.1"});
  web.internal_traffic_policy = model::TrafficPolicy::kLocal;
  const ServiceSpec spec = compile_service(web, slices({slice({{"10.0.0.1", "node1"}, {"10.0.0.2", "node2"}})}), kNode);
  EXPECT_THAT(pool_of(spec.ports[0], "10.96.0.1:80/TCP").members, ElementsAre(0));
  EXPECT_THAT(pool_of(spec.ports[0], "192.0.2.1:80/TCP").members, ElementsAre(0, 1));
}

TEST(CompileService, WithoutEndpointsItIsRefused) {
  auto web = service({"192.0.2.1"});
  web.external_traffic_policy = model::TrafficPolicy::kLocal;
  const ServiceSpec spec = compile_service(web, {}, kNode);
  EXPECT_EQ(pool_of(spec.ports[0], "10.96.0.1:80/TCP").flags, static_cast<std::uint32_t>(LB_SERVICE_REJECT));
  EXPECT_EQ(pool_of(spec.ports[0], "192.0.2.1:80/TCP").flags, static_cast<std::uint32_t>(LB_SERVICE_REJECT));
}

// Another node has them: the packet was sent to the wrong one, and a refusal would end the client's attempts.
TEST(CompileService, WithoutLocalEndpointsPolicyLocalDrops) {
  auto web = service({"192.0.2.1"});
  web.external_traffic_policy = model::TrafficPolicy::kLocal;
  const ServiceSpec spec = compile_service(web, slices({slice({{"10.0.0.2", "node2"}})}), kNode);
  EXPECT_EQ(pool_of(spec.ports[0], "192.0.2.1:80/TCP").flags, static_cast<std::uint32_t>(LB_SERVICE_DROP));
  EXPECT_THAT(pool_of(spec.ports[0], "10.96.0.1:80/TCP").members, ElementsAre(0));
}

TEST(CompileService, BackendsOutsideEveryPoolStayKnown) {
  const ServiceSpec spec = compile_service(
      service(), slices({slice({{"10.0.0.1", "node1"}, terminating("10.0.0.2"), unready("10.0.0.3")})}), kNode);
  ASSERT_THAT(spec.ports[0].backends, SizeIs(3));
  EXPECT_EQ(spec.ports[0].backends[0].flags, static_cast<std::uint32_t>(LB_BACKEND_LOCAL));
  EXPECT_EQ(spec.ports[0].backends[1].flags, static_cast<std::uint32_t>(LB_BACKEND_DRAINING));
  EXPECT_EQ(spec.ports[0].backends[2].flags, 0u);
  EXPECT_THAT(spec.ports[0].pools[0].members, ElementsAre(0));
}

// kube-proxy ends UDP flows of endpoints that do not serve, and leaves connections to themselves.
TEST(CompileService, DatagramsKeepNoFlowsWithWhoDoesNotServe) {
  auto web = service();
  web.ports.push_back({"dns", model::Protocol::kUdp, 53, 0});
  const At still_serving{"10.0.0.2", "", false, true, true}, not_yet{"10.0.0.3", "", false, false, false},
      not_any_more{"10.0.0.4", "", false, false, true}, published{"10.0.0.5", "", true, false, false};
  const auto all = slice({{"10.0.0.1"}, still_serving, not_yet, not_any_more, published}, "web-1", kWeb,
                         {{"", model::Protocol::kTcp, 8080}, {"dns", model::Protocol::kUdp, 53}});
  const ServiceSpec spec = compile_service(web, slices({all}), kNode);
  const auto keep = [&](std::size_t port) {
    std::vector<bool> keep;
    for (const state::BackendSpec& backend : spec.ports.at(port).backends)
      keep.push_back(backend.keeps_flows);
    return keep;
  };
  EXPECT_THAT(keep(0), ElementsAre(true, true, true, true, true));
  EXPECT_THAT(keep(1), ElementsAre(true, true, false, false, true));
}

TEST(CompileService, ServicesThatAreNotForThisProxyAskForNothing) {
  const auto all = slices({slice({{"10.0.0.1"}})});
  auto external_name = service({"192.0.2.1"});
  external_name.type = model::ServiceType::kExternalName;
  auto headless = service({"192.0.2.1"});
  headless.headless = true;
  auto of_another = service({"192.0.2.1"});
  of_another.proxy_name = "other-proxy";
  for (const model::Service& one : {external_name, headless, of_another}) {
    EXPECT_THAT(compile_service(one, all, kNode).ports, IsEmpty());
    EXPECT_THAT(compile_service(one, all, kNode).problems, IsEmpty());
  }
}

TEST(CompileService, WhatIsNotBuiltIsSaid) {
  auto web = service({"192.0.2.1"});
  web.load_balancer_source_ranges = {*Prefix::parse("10.0.0.0/8")};
  web.affinity_seconds = 10800;
  web.ports.push_back({"sctp", model::Protocol::kSctp, 81, 0});
  const ServiceSpec spec = compile_service(web, {}, kNode);
  EXPECT_THAT(spec.problems, ElementsAre(Field(&model::Problem::field, "spec.loadBalancerSourceRanges"),
                                         Field(&model::Problem::field, "spec.sessionAffinity"),
                                         Field(&model::Problem::field, "spec.ports[1].protocol")));
}

// Rather served to nobody than to everybody; but owned, or its packets would go round between the node and its router.
TEST(CompileService, AnAddressThatIsRestrictedIsOwnedAndDropped) {
  auto web = service({"192.0.2.1"});
  web.load_balancer_source_ranges = {*Prefix::parse("10.0.0.0/8")};
  for (const auto& all : {slices({slice({{"10.0.0.1"}})}), slices({})}) {
    const ServiceSpec spec = compile_service(web, all, kNode);
    ASSERT_THAT(spec.ports, SizeIs(1));
    EXPECT_THAT(frontends(spec.ports[0]),
                ElementsAre("10.96.0.1:80/TCP", "192.0.2.1:80/TCP", "nodeport 30080/TCP/IPv4"));
    const state::PoolSpec pool = pool_of(spec.ports[0], "192.0.2.1:80/TCP");
    EXPECT_THAT(pool.members, IsEmpty());
    EXPECT_EQ(pool.flags, static_cast<std::uint32_t>(LB_SERVICE_DROP));
    EXPECT_EQ(pool_of(spec.ports[0], "nodeport 30080/TCP/IPv4").members.size(), all.size());
  }
}

TEST(CompileService, ANodePortThatCannotBeServedIsSaid) {
  auto web = service();
  NodeView node = kNode;
  node.node_ports = {31000, 32000};
  const ServiceSpec outside = compile_service(web, {}, node);
  ASSERT_THAT(outside.ports, SizeIs(1));
  EXPECT_THAT(frontends(outside.ports[0]), ElementsAre("10.96.0.1:80/TCP"));
  ASSERT_THAT(outside.problems, SizeIs(1));
  EXPECT_EQ(outside.problems[0].to_string(),
            "Service default/web: spec.ports[0].nodePort: 30080: is not served: it is not in "
            "--service-node-port-range, which is 31000-32000");
  web.cluster_ips.clear();
  const ServiceSpec without_family = compile_service(web, {}, kNode);
  EXPECT_THAT(without_family.ports, IsEmpty());
  ASSERT_THAT(without_family.problems, SizeIs(1));
  EXPECT_THAT(without_family.problems[0].to_string(), HasSubstr("spec.ports[0].nodePort: 30080: is not served: node"));
}

TEST(CompileService, AHealthPortThatNobodyAnswersIsSaid) {
  auto web = service({"192.0.2.1"});
  web.health_check_node_port = 31000;
  const ServiceSpec spec = compile_service(web, {}, kNode);
  ASSERT_THAT(spec.problems, SizeIs(1));
  EXPECT_THAT(spec.problems[0].to_string(), HasSubstr("spec.healthCheckNodePort: 31000: is not answered yet"));
}

TEST(NoteOnService, SaysWhyItIsNotServed) {
  auto web = service({"192.0.2.1"});
  EXPECT_EQ(note_on(web, true), "");
  EXPECT_THAT(note_on(web, false), HasSubstr("see its problems"));
  web.load_balancer_ips.clear();
  EXPECT_THAT(note_on(web, true), HasSubstr("has no load balancer address"));
  web.type = model::ServiceType::kNodePort;
  EXPECT_EQ(note_on(web, true), "");
  web.cluster_ips.clear();
  EXPECT_THAT(note_on(web, false), HasSubstr("it has no address"));
  web.headless = true;
  EXPECT_THAT(note_on(web, false), HasSubstr("is headless"));
  web.type = model::ServiceType::kExternalName;
  EXPECT_THAT(note_on(web, false), HasSubstr("ExternalName"));
  web.proxy_name = "other";
  EXPECT_THAT(note_on(web, false), HasSubstr("another proxy's"));
}

struct Ranges {
  std::vector<const char*> ranges;
  std::vector<std::string> served;
};

class SourceRanges : public testing::TestWithParam<Ranges> {};

TEST_P(SourceRanges, KeepAwayWhatTheyRestrictAlone) {
  auto web = service({"192.0.2.1", "2001:db8::1"});
  web.cluster_ips.clear();
  web.ports[0].node_port = 0;
  for (const char* range : GetParam().ranges)
    web.load_balancer_source_ranges.push_back(*Prefix::parse(range));
  const ServiceSpec spec = compile_service(web, {}, kNode);
  std::vector<std::string> served;
  for (const state::PortSpec& port : spec.ports)
    for (const std::string& frontend : frontends(port))
      if (!pool_of(port, frontend).for_nobody) served.push_back(frontend);
  EXPECT_EQ(served, GetParam().served);
  EXPECT_EQ(spec.problems.size(), GetParam().served.size() == 2 ? 0U : 1U);
}

const std::string kFour = "192.0.2.1:80/TCP", kSix = "[2001:db8::1]:80/TCP";
INSTANTIATE_TEST_SUITE_P(CompileService, SourceRanges,
                         testing::Values(Ranges{{}, {kFour, kSix}}, Ranges{{"0.0.0.0/0", "::/0"}, {kFour, kSix}},
                                         Ranges{{"0.0.0.0/0"}, {kFour, kSix}}, Ranges{{"::/0"}, {kFour, kSix}},
                                         Ranges{{"10.0.0.0/8", "0.0.0.0/0"}, {kFour, kSix}},
                                         Ranges{{"0.0.0.0/0", "2001:db8::/32"}, {kFour}},
                                         Ranges{{"10.0.0.0/8", "::/0"}, {kSix}}, Ranges{{"10.0.0.0/8"}, {}},
                                         Ranges{{"2001:db8::/32"}, {}}));

TEST(CompileService, ANameThatIsAnothersNumberIsAnotherPort) {
  auto web = service();
  web.ports = {{"", model::Protocol::kTcp, 80, 0}, {"80", model::Protocol::kTcp, 90, 0}};
  const ServiceSpec spec = compile_service(web, {}, kNode);
  EXPECT_THAT(spec.problems, IsEmpty());
  ASSERT_THAT(spec.ports, ElementsAre(Field(&state::PortSpec::name, "default/web:80/TCP/IPv4"),
                                      Field(&state::PortSpec::name, "default/web:80=90/TCP/IPv4")));
  EXPECT_THAT(frontends(spec.ports[1]), ElementsAre("10.96.0.1:90/TCP"));
}

// The API server refuses it, a directory of manifests does not.
TEST(CompileService, OfTwoPortsWithOneNameTheSecondIsRefused) {
  auto web = service();
  web.ports = {{"http", model::Protocol::kTcp, 80, 0},
               {"http", model::Protocol::kUdp, 80, 0},
               {"http", model::Protocol::kTcp, 90, 0}};
  const ServiceSpec spec = compile_service(web, {}, kNode);
  ASSERT_THAT(spec.ports, ElementsAre(Field(&state::PortSpec::name, "default/web:http/TCP/IPv4"),
                                      Field(&state::PortSpec::name, "default/web:http/UDP/IPv4")));
  EXPECT_THAT(frontends(spec.ports[0]), ElementsAre("10.96.0.1:80/TCP"));
  ASSERT_THAT(spec.problems, SizeIs(1));
  EXPECT_EQ(spec.problems[0].to_string(),
            "Service default/web: spec.ports[2]: http/TCP: is not served: a port before it has the same name");
}

// Nodes choose alike only if they compute the same ring, whoever of them has the backends.
TEST(CompileService, RingsAreEqualOnAllNodes) {
  const auto all = slices({slice({{"10.0.0.1", "node1"}, {"10.0.0.2", "node2"}, {"10.0.0.3", "node3"}})});
  const ServiceSpec here = compile_service(service(), all, kNode),
                    there = compile_service(service(), all, {"node3", "", {}});
  EXPECT_EQ(*here.ports[0].pools[0].ring, *there.ports[0].pools[0].ring);
}

// Of 10,000 services most are for the cluster itself, and an arena is not to be full of them.
TEST(CompileService, RingsAreLargerWhereClientsOutsideComeIn) {
  std::vector<At> endpoints;
  for (int i = 1; i <= 10; ++i)
    endpoints.push_back({"10.0.0." + std::to_string(i)});
  const auto all = slices({slice(endpoints)});
  model::Service web = service();
  EXPECT_EQ(compile_service(web, all, kNode).ports[0].pools[0].ring->size(), 1024u);
  web.type = model::ServiceType::kClusterIp;
  web.ports[0].node_port = 0;
  EXPECT_EQ(compile_service(web, all, kNode).ports[0].pools[0].ring->size(), 256u);
  web.external_ips = {Address::literal("192.0.2.1")};
  EXPECT_EQ(compile_service(web, all, kNode).ports[0].pools[0].ring->size(), 1024u);
}

}  // namespace
}  // namespace fairlead::compile
