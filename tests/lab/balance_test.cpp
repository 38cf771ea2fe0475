// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/scenario.h"

// New connections from outside: every one is answered, every backend gets its share, and backends see the address that
// they should.
namespace fairlead::test {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

constexpr std::uint16_t kNodePort = 30080;

class Balance : public Scenario, public testing::WithParamInterface<std::string> {
 protected:
  DaemonOptions mode() const { return {.xdp_mode = GetParam()}; }

  // All of `count` requests are answered by these servers and no others, none by far too few.
  void expect_spread(Transport transport, const Endpoint& to, const std::vector<std::string>& servers) const {
    SCOPED_TRACE(std::string(name_of(transport)) + " " + to.to_string());
    constexpr unsigned kRequests = 80;
    const AskReport report = ask(transport, to, {.count = kRequests});
    EXPECT_EQ(report.answered, kRequests) << testing::PrintToString(report.failures);
    EXPECT_THAT(names(report.servers), testing::UnorderedElementsAreArray(servers));
    // An eighth of its share is what a backend misses once in a hundred million times.
    for (const auto& [server, count] : report.servers)
      EXPECT_GE(count, kRequests / servers.size() / 8) << server;
  }

  // Each server alone tells whom it saw, so the requests are asked one by one.
  void expect_sources(Transport transport, const Endpoint& to, const std::map<std::string, Address>& source_of) const {
    SCOPED_TRACE(std::string(name_of(transport)) + " " + to.to_string());
    std::map<std::string, unsigned> seen;
    for (int i = 0; i < 40; ++i) {
      const auto answer = ask_from(lab_->client().netns, transport, to);
      ASSERT_TRUE(answer) << answer.error().message;
      EXPECT_EQ(answer->peer.address.to_string(), source_of.at(answer->server).to_string()) << answer->server;
      ++seen[answer->server];
    }
    EXPECT_EQ(seen.size(), source_of.size()) << testing::PrintToString(seen);
  }
};

TEST_P(Balance, VipAndNodePortReachAllBackendsOnBothNodes) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 2}));
  add_daemon(1, mode());
  put({.node_port = kNodePort}, {backend(1, 1), backend(1, 2), backend(2, 1), backend(2, 2)});
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  for (const Family family : kFamilies)
    for (const Transport transport : kTransports)
      for (const Endpoint& to : {vip_of(10, family), node_endpoint(1, family, kNodePort)})
        expect_spread(transport, to, {"node1-pod1", "node1-pod2", "node2-pod1", "node2-pod2"});
}

TEST_P(Balance, LocalBackendsSeeTheClientAndRemoteOnesTheNode) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
  add_daemon(1, mode());
  put({.node_port = kNodePort}, {backend(1, 1), backend(2, 1)});
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  for (const Family family : kFamilies)
    for (const Transport transport : kTransports)
      for (const Endpoint& to : {vip_of(10, family), node_endpoint(1, family, kNodePort)})
        expect_sources(transport, to,
                       {{"node1-pod1", lab_->client().address(family)}, {"node2-pod1", lab_->node(1).address(family)}});
}

TEST_P(Balance, NodePortOfANodeWithoutBackends) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 2}));
  add_daemon(1, mode());
  put({.node_port = kNodePort}, {backend(2, 1), backend(2, 2)});
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  for (const Family family : kFamilies)
    for (const Transport transport : kTransports)
      expect_spread(transport, node_endpoint(1, family, kNodePort), {"node2-pod1", "node2-pod2"});
}

// What is asked of a daemon to do is what it says that it does.
TEST_P(Balance, AttachesAsTold) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 1, .pods = 1}));
  Daemon& daemon = add_daemon(1, mode());
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  const auto status = daemon.query<admin::StatusView>({"status"});
  ASSERT_TRUE(status) << status.error().message;
  ASSERT_EQ(status->devices.size(), 1U);
  EXPECT_EQ(status->devices[0].name, lab_->node(1).device);
  EXPECT_EQ(status->devices[0].xdp, GetParam());
  const auto link = lab_->run_in(lab_->node(1), {"ip", "-details", "link", "show", "dev", lab_->node(1).device});
  ASSERT_TRUE(link) << link.error().message;
  EXPECT_EQ(link->find(" xdpgeneric ") != link->npos, GetParam() == "generic") << *link;
  EXPECT_EQ(link->find(" xdp ") != link->npos, GetParam() == "native") << *link;
}

INSTANTIATE_TEST_SUITE_P(, Balance, testing::Values("native", "generic", "off"),
                         [](const auto& info) { return info.param; });

class Entrances : public Scenario {};

// Every node is an entrance, and every one finds the backends of the others.
TEST_F(Entrances, EveryNodeServesEveryNodePort) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 3, .pods = 1}));
  for (int node = 1; node <= 3; ++node)
    add_daemon(node);
  put({.node_port = kNodePort}, {backend(1, 1), backend(2, 1), backend(3, 1)});
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  for (int node = 1; node <= 3; ++node)
    for (const Family family : kFamilies) {
      const AskReport report = ask(Transport::Tcp, node_endpoint(node, family, kNodePort));
      EXPECT_EQ(report.failed, 0U) << testing::PrintToString(report.failures);
      EXPECT_THAT(names(report.servers), UnorderedElementsAre("node1-pod1", "node2-pod1", "node3-pod1"));
    }
}

// Two ways of the router to the VIP: the packets of a connection all take one of them.
TEST_F(Entrances, VipBehindTwoNodesAtOnce) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1, .vip_via = "all"}));
  for (int node = 1; node <= 2; ++node)
    add_daemon(node);
  put({}, {backend(1, 1), backend(2, 1)});
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  for (const Family family : kFamilies) {
    const AskReport report = ask(Transport::Tcp, vip_of(10, family));
    EXPECT_EQ(report.failed, 0U) << testing::PrintToString(report.failures);
    EXPECT_THAT(names(report.servers), ElementsAre("node1-pod1", "node2-pod1"));
  }
}

}  // namespace
}  // namespace fairlead::test
