// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tests/lab/scenario.h"
#include "tests/support/netns.h"

// What has to live beside the balancer: connections of the node and its pods, and those that reach a pod without it.
namespace fairlead::test {
namespace {

constexpr std::uint16_t kNodePort = 30080, kClientPort = 45000, kServerPort = 9000;

struct Where {
  sockaddr_storage storage{};
  socklen_t length = 0;

  explicit Where(const Endpoint& endpoint) {
    if (endpoint.address.family == Family::IPv4) {
      auto* in = reinterpret_cast<sockaddr_in*>(&storage);
      in->sin_family = AF_INET;
      in->sin_port = htons(endpoint.port);
      std::memcpy(&in->sin_addr, endpoint.address.bytes.data(), 4);
      length = sizeof(*in);
    } else {
      auto* in = reinterpret_cast<sockaddr_in6*>(&storage);
      in->sin6_family = AF_INET6;
      in->sin6_port = htons(endpoint.port);
      std::memcpy(&in->sin6_addr, endpoint.address.bytes.data(), 16);
      length = sizeof(*in);
    }
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Fd udp_socket(const Host& host, Family family) {
  auto socket = in_namespace(host.netns, [&] {
    return Fd(::socket(family == Family::IPv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  });
  EXPECT_TRUE(socket && *socket);
  return socket ? std::move(*socket) : Fd();
}

// Never cut into fragments, so that it is told when it sends too much.
Fd unfragmented(const Host& host, Family family) {
  Fd socket = udp_socket(host, family);
  const int always = family == Family::IPv4 ? static_cast<int>(IP_PMTUDISC_DO) : static_cast<int>(IPV6_PMTUDISC_DO);
  EXPECT_EQ(family == Family::IPv4 ? setsockopt(socket.get(), IPPROTO_IP, IP_MTU_DISCOVER, &always, sizeof(always))
                                   : setsockopt(socket.get(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, &always, sizeof(always)),
            0);
  return socket;
}

class NeighboursTest : public Scenario, public testing::WithParamInterface<std::string> {
 protected:
  void build_node(std::uint16_t node_port = 0) {
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 1, .pods = 1}));
    add_daemon(1, {.xdp_mode = GetParam()});
    put({.node_port = node_port}, {backend(1, 1)});
    ASSERT_NO_FATAL_FAILURE(start_daemons());
  }

  // As what masquerades pods, or filters by state, has it.
  void track_connections() const {
    const auto tracking = lab_->run_in(lab_->node(1), {"nft",
                                                       "add table inet track; add chain inet track seen { type filter "
                                                       "hook prerouting priority 0; }; add rule inet track seen ct "
                                                       "state new accept"});
    ASSERT_TRUE(tracking) << tracking.error().message;
  }
};

TEST_P(NeighboursTest, AConnectionToThePodLivesBesideOneFromTheSamePortToTheVip) {
  ASSERT_NO_FATAL_FAILURE(build_node());
  ASSERT_NO_FATAL_FAILURE(track_connections());
  for (const Family family : kFamilies) {
    const Endpoint from{lab_->client().address(family), kClientPort};
    const Endpoint pod{lab_->pod(1, 1).address(family), kTargetPort};
    const auto connect = [&](const Endpoint& to) {
      return in_namespace(lab_->client().netns, [&] { return connect_to(Transport::Tcp, to, from); });
    };
    const auto direct = connect(pod);
    ASSERT_TRUE(direct) << direct.error().message;
    ASSERT_TRUE(ask_over(*direct));
    const auto balanced = connect(vip_of(10, family));
    ASSERT_TRUE(balanced) << balanced.error().message;
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(ask_over(*balanced));
      EXPECT_TRUE(ask_over(*direct));
    }
  }
}

TEST_P(NeighboursTest, ASocketOfTheNodeMayHaveANodePort) {
  ASSERT_NO_FATAL_FAILURE(build_node(kNodePort));
  ASSERT_NO_FATAL_FAILURE(track_connections());
  const auto server = lab_->serve(lab_->client(), kServerPort);
  ASSERT_TRUE(server) << server.error().message;
  for (const Family family : kFamilies) {
    // Not connected, as a resolver's: only the kernel's connection tracking knows whom it has asked.
    const Fd socket = udp_socket(lab_->node(1), family);
    const Where here(node_endpoint(1, family, kNodePort)), there({lab_->client().address(family), kServerPort});
    ASSERT_EQ(bind(socket.get(), here.get(), here.length), 0) << strerror(errno);
    const timeval patience{2, 0};
    ASSERT_EQ(setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    for (int i = 0; i < 5; ++i) {
      std::array<char, 512> answer{};
      ASSERT_EQ(sendto(socket.get(), "?", 1, 0, there.get(), there.length), 1) << strerror(errno);
      EXPECT_GT(recv(socket.get(), answer.data(), answer.size(), 0), 0) << strerror(errno);
    }
  }
  EXPECT_EQ(ask(Transport::Udp, node_endpoint(1, Family::IPv4, kNodePort)).failed, 0U);
}

// The stack of the node finds out, and tells a client who knows only the VIP.
TEST_P(NeighboursTest, AClientHearsOfAPodsSmallerMtu) {
  ASSERT_NO_FATAL_FAILURE(build_node());
  const auto narrow =
      lab_->run_in(lab_->node(1), {"ip", "link", "set", "dev", lab_->pod(1, 1).node_device, "mtu", "1400"});
  ASSERT_TRUE(narrow) << narrow.error().message;
  for (const Family family : kFamilies) {
    const Fd socket = unfragmented(lab_->client(), family);
    const Where vip(vip_of(10, family));
    ASSERT_EQ(connect(socket.get(), vip.get(), vip.length), 0) << strerror(errno);
    const std::string datagram(1440, 'x');
    EXPECT_TRUE(eventually(
        kSoon, [&] { return send(socket.get(), datagram.data(), datagram.size(), 0) < 0 && errno == EMSGSIZE; }));
  }
}

INSTANTIATE_TEST_SUITE_P(, NeighboursTest, testing::Values("native", "off"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace fairlead::test
