// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>

#include "tests/support/answer.h"
#include "tests/support/lab.h"
#include "tests/support/netns.h"

// Is the lab the network that it says it is? What a load balancer changes can only be told from what was there before.
namespace fairlead::test {
namespace {

constexpr std::uint16_t kPort = 8080;
constexpr Family kFamilies[] = {Family::IPv4, Family::IPv6};
constexpr Transport kTransports[] = {Transport::Tcp, Transport::Udp};

class LabPaths : public testing::TestWithParam<Cni> {
 protected:
  void SetUp() override {
    if (const auto missing = missing_requirement()) GTEST_SKIP() << *missing;
  }

  void build(LabOptions options = {}) {
    options.cni = GetParam();
    auto lab = Lab::up(options);
    ASSERT_TRUE(lab) << lab.error().message;
    lab_ = std::make_unique<Lab>(std::move(*lab));
  }

  void serve_on(const Host& host) {
    auto server = lab_->serve(host, kPort);
    ASSERT_TRUE(server) << server.error().message;
    servers_.push_back(std::move(*server));
  }

  // `from` reaches `to` and is seen there with its own address.
  static void expect_path(const Host& from, const Host& to) {
    for (const Family family : kFamilies)
      for (const Transport transport : kTransports) {
        const Endpoint target{to.address(family), kPort};
        SCOPED_TRACE(from.name + " to " + to.name + " " + target.to_string() +
                     (transport == Transport::Tcp ? " tcp" : " udp"));
        const auto answer = ask_from(from.netns, transport, target);
        ASSERT_TRUE(answer) << answer.error().message;
        EXPECT_EQ(answer->server, to.name);
        EXPECT_EQ(answer->peer.address.to_string(), from.address(family).to_string());
        EXPECT_EQ(answer->local, target);
      }
  }

  std::unique_ptr<Lab> lab_;
  std::vector<Process> servers_;
};

TEST_P(LabPaths, EveryPodReachesEveryOtherPod) {
  ASSERT_NO_FATAL_FAILURE(build());
  const auto pods = lab_->all_pods();
  ASSERT_EQ(pods.size(), 6U);
  for (const Pod& pod : pods)
    ASSERT_NO_FATAL_FAILURE(serve_on(pod));
  for (const Pod& from : pods)
    for (const Pod& to : pods)
      expect_path(from, to);
}

TEST_P(LabPaths, ClientAndNodesReachPodsAndEachOther) {
  ASSERT_NO_FATAL_FAILURE(build());
  for (const Pod& pod : lab_->all_pods())
    ASSERT_NO_FATAL_FAILURE(serve_on(pod));
  ASSERT_NO_FATAL_FAILURE(serve_on(lab_->node(2)));
  ASSERT_NO_FATAL_FAILURE(serve_on(lab_->client()));
  for (const Pod& pod : lab_->all_pods()) {
    expect_path(lab_->client(), pod);
    expect_path(pod, lab_->client());
    expect_path(pod, lab_->node(2));
  }
  expect_path(lab_->client(), lab_->node(2));
  expect_path(lab_->node(1), lab_->node(2));
  expect_path(lab_->node(2), lab_->pod(1, 1));
}

TEST_P(LabPaths, PodsWithOffloadsOnReachEverybody) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pod_offload = true}));
  ASSERT_NO_FATAL_FAILURE(serve_on(lab_->pod(2, 1)));
  ASSERT_NO_FATAL_FAILURE(serve_on(lab_->client()));
  expect_path(lab_->pod(1, 1), lab_->pod(2, 1));
  expect_path(lab_->pod(2, 2), lab_->pod(2, 1));
  expect_path(lab_->pod(1, 1), lab_->client());
  expect_path(lab_->client(), lab_->pod(2, 1));
}

std::string feature(const Lab& lab, const Host& host, const std::string& device, const std::string& name) {
  const auto features = lab.run_in(host, {"ethtool", "-k", device});
  if (!features) return features.error().message;
  const auto start = features->find(name + ": ");
  return start == std::string::npos ? "none" : features->substr(start + name.size() + 2, 3);
}

TEST_P(LabPaths, DevicesSuitXdp) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 1, .pods = 1}));
  const std::pair<Host, std::string> devices[] = {{lab_->client(), lab_->client().device},
                                                  {lab_->router(), "client"},
                                                  {lab_->router(), "node1"},
                                                  {lab_->node(1), lab_->node(1).device},
                                                  {lab_->pod(1, 1), lab_->pod(1, 1).device}};
  for (const auto& [host, device] : devices) {
    EXPECT_EQ(feature(*lab_, host, device, "tx-checksumming"), "off") << host.name << " " << device;
    EXPECT_EQ(feature(*lab_, host, device, "generic-receive-offload"), "on\n") << host.name << " " << device;
  }
}

// errno of a datagram that must not be fragmented, 0 if it left.
Result<int> send_whole(const Host& from, const Endpoint& to, std::size_t size) {
  return in_namespace(from.netns, [&]() -> Result<int> {
    const auto socket = connect_to(Transport::Udp, to);
    if (!socket) return socket.error();
    const int probe = IP_PMTUDISC_PROBE;
    setsockopt(socket->get(), IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof(probe));
    setsockopt(socket->get(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe, sizeof(probe));
    const std::string data(size, '.');
    return send(socket->get(), data.data(), data.size(), 0) < 0 ? errno : 0;
  });
}

TEST_P(LabPaths, MtuIsThatOfEveryLink) {
  constexpr std::size_t kMtu = 1400;
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1, .mtu = kMtu}));
  ASSERT_NO_FATAL_FAILURE(serve_on(lab_->pod(2, 1)));
  for (const Family family : kFamilies) {
    const std::size_t headers = (family == Family::IPv4 ? 20 : 40) + 8;
    const Endpoint to{lab_->pod(2, 1).address(family), kPort};
    for (const Host& from : {lab_->client(), static_cast<Host>(lab_->pod(1, 1))}) {
      EXPECT_EQ(*send_whole(from, to, kMtu - headers), 0) << from.name << " " << to.to_string();
      EXPECT_EQ(*send_whole(from, to, kMtu - headers + 1), EMSGSIZE) << from.name << " " << to.to_string();
    }
  }
  for (const char* request : {"100", "5000", "60000"}) {
    const auto asked = run({"nsenter", "--net=/run/netns/" + lab_->client().netns, peer_program(), "ask", "--tcp",
                            Endpoint{lab_->pod(2, 1).ipv4, kPort}.to_string(), "--size", request},
                           std::chrono::seconds(10));
    EXPECT_TRUE(asked) << asked.error().message;
  }
}

std::set<std::string> servers_of(const Lab& lab, const Endpoint& vip) {
  std::set<std::string> servers;
  for (int i = 0; i < 64; ++i) {
    const auto answer = ask_from(lab.client().netns, Transport::Tcp, vip);
    servers.insert(answer ? answer->server : answer.error().message);
  }
  return servers;
}

TEST_P(LabPaths, VipsGoWhereTheRouterIsTold) {
  ASSERT_NO_FATAL_FAILURE(build({.pods = 1}));
  const Endpoint vips[] = {{Address::literal("192.0.2.1"), kPort}, {Address::literal("2001:db8:2::1"), kPort}};
  for (const Node& node : lab_->nodes()) {
    for (const Endpoint& vip : vips) {
      ASSERT_TRUE(lab_->vip_net(vip.address.family).contains(vip.address));
      ASSERT_TRUE(lab_->run_in(node, {"ip", "address", "add", vip.address.to_string(), "dev", "lo"}));
    }
    ASSERT_NO_FATAL_FAILURE(serve_on(node));
  }
  using Names = std::set<std::string>;
  const std::pair<std::string, Names> steps[] = {{"", {"node1"}},
                                                 {"node2", {"node2"}},
                                                 {"all", {"node1", "node2", "node3"}},
                                                 {"node1,node3", {"node1", "node3"}},
                                                 {"node3", {"node3"}}};
  for (const auto& [to, expected] : steps) {
    if (!to.empty()) {
      ASSERT_TRUE(lab_->send_vips_via(to)) << to;
    }
    for (const Endpoint& vip : vips)
      EXPECT_EQ(servers_of(*lab_, vip), expected) << to << " " << vip.to_string();
  }
}

INSTANTIATE_TEST_SUITE_P(, LabPaths, testing::Values(Cni::Routed, Cni::Bridge),
                         [](const auto& info) { return info.param == Cni::Routed ? "Routed" : "Bridge"; });

// Not so on a bridge, where the node asks for the neighbour for seconds.
TEST(LabRouted, AbsentPodIsUnreachable) {
  if (const auto missing = missing_requirement()) GTEST_SKIP() << *missing;
  const auto lab = Lab::up({.nodes = 2, .pods = 1});
  ASSERT_TRUE(lab) << lab.error().message;
  for (const char* absent : {"10.210.2.99", "fd00:210:2::99"}) {
    const auto answer = ask_from(lab->client().netns, Transport::Udp, {Address::literal(absent), kPort});
    ASSERT_FALSE(answer);
    EXPECT_TRUE(answer.error().code == EHOSTUNREACH || answer.error().code == ENETUNREACH) << answer.error().message;
  }
}

}  // namespace
}  // namespace fairlead::test
