// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/scenario.h"

// What backends on other nodes see: an address by which their answers come back to this node.
namespace fairlead::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// Has eth0 lose its addresses, calls give_addresses, and gives it its routes again.
constexpr const char* kReaddress = R"(
  routes=$(mktemp -d)
  ip route save >$routes/4
  ip -6 route save >$routes/6
  ip address del 10.201.0.1/24 dev eth0
  ip address del fd00:201::1/64 dev eth0
  give_addresses
  ip route restore <$routes/4 2>/dev/null || true
  ip -6 route restore <$routes/6 2>/dev/null || true
  rm -r $routes
  ip route get 10.210.2.11
  ip -6 route get fd00:210:2::11
)";

class Ways : public Scenario {
 protected:
  void SetUp() override {
    Scenario::SetUp();
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
  }

  void shell(const Host& host, const std::string& script) const {
    const auto ran = lab_->run_in(host, {"sh", "-ec", script});
    ASSERT_TRUE(ran) << ran.error().message;
  }

  void start_on_node1(const Flags& flags = {}) {
    Daemon& daemon = add_daemon(1, {.more = flags});
    ASSERT_TRUE(daemon.put("node.yaml", R"(
apiVersion: v1
kind: Node
metadata: {name: node1}
status: {addresses: [{type: InternalIP, address: 10.201.0.1}, {type: InternalIP, address: "fd00:201::1"},
  {type: InternalIP, address: 10.201.0.7}]}
)"));
    put({}, {backend(2, 1)});
    ASSERT_NO_FATAL_FAILURE(start_daemons());
  }

  // Who asked, as the backend on node2 has seen it; nothing where nobody answers.
  std::string seen(Transport transport, const Endpoint& to) const {
    const auto answer = ask_from(lab_->client().netns, transport, to, std::chrono::seconds(1));
    return answer ? answer->peer.address.to_string() : answer.error().message;
  }

  void expect_seen(const std::string& ipv4, const std::string& ipv6) const {
    for (const Transport transport : kTransports) {
      EXPECT_EQ(seen(transport, vip_of(10, Family::IPv4)), ipv4);
      EXPECT_EQ(seen(transport, vip_of(10, Family::IPv6)), ipv6);
    }
  }

  bool soon_seen(const std::string& ipv4, const std::string& ipv6) const {
    return eventually(kSoon, [&] {
      return seen(Transport::Udp, vip_of(10, Family::IPv4)) == ipv4 &&
             seen(Transport::Udp, vip_of(10, Family::IPv6)) == ipv6;
    });
  }
};

struct Addresses {
  const char *what, *script;
};

class SourceOfSnat : public Ways, public testing::WithParamInterface<Addresses> {};

TEST_P(SourceOfSnat, IsReachedByTheBackend) {
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(1), GetParam().script));
  ASSERT_NO_FATAL_FAILURE(start_on_node1());
  expect_seen("10.201.0.1", "fd00:201::1");
  EXPECT_THAT(problems(), IsEmpty());
}

std::string readdressed(const std::string& give_addresses) {
  return "give_addresses() {\n" + give_addresses + "\n}\n" + kReaddress;
}

const std::string kStrangerFirst = readdressed(R"(
  ip address add 203.0.113.9/24 dev eth0
  ip address add 10.201.0.1/24 dev eth0
  ip address add fd00:201::1/64 dev eth0 nodad
  ip address add 2001:db8:99::9/64 dev eth0 nodad)");
const std::string kVipFirst = readdressed(R"(
  ip address add 192.0.2.10/32 dev eth0
  ip address add 10.201.0.1/24 dev eth0
  ip address add fd00:201::1/64 dev eth0 nodad
  ip address add 2001:db8:2::10/128 dev eth0 nodad)");
// Neighbours are told of the IPv6 address: the kernel answers solicitations only for those of the device.
const std::string kOnlyOnLo = readdressed(R"(
  ip address add 10.201.0.1/32 dev lo
  ip address add fd00:201::1/128 dev lo
  ip route add 10.201.0.0/24 dev eth0
  ip -6 route add fd00:201::/64 dev eth0)");
const std::string kByRoute = R"(
  ip address add 192.0.2.10/32 dev eth0
  ip address add 2001:db8:2::10/128 dev eth0 nodad
  ip route replace 10.210.2.0/24 via 10.201.0.2 src 192.0.2.10
  ip -6 route replace fd00:210:2::/64 via fd00:201::2 src 2001:db8:2::10)";

INSTANTIATE_TEST_SUITE_P(, SourceOfSnat,
                         testing::Values(Addresses{"WhereAnotherAddressIsFirst", kStrangerFirst.c_str()},
                                         Addresses{"WhereAVipIsFirst", kVipFirst.c_str()},
                                         Addresses{"WhereTheRouteSaysAVip", kByRoute.c_str()}),
                         [](const auto& info) { return info.param.what; });

TEST_F(Ways, AnAddressOnLoIsSeen) {
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(1), kOnlyOnLo));
  const std::string is_node1 =
      "ip -6 neighbour replace fd00:201::1 lladdr " + lab_->node(1).mac + " nud permanent dev ";
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(2), is_node1 + "eth0"));
  ASSERT_NO_FATAL_FAILURE(shell(lab_->router(), is_node1 + "nodes"));
  ASSERT_NO_FATAL_FAILURE(start_on_node1());
  expect_seen("10.201.0.1", "fd00:201::1");
}

// Docker's address was the next that no Service had: all Services of the node timed out for one more of another's.
TEST_F(Ways, AServiceWithTheNodesAddressTakesItFromNobody) {
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(1), R"(
    ip link add docker0 type bridge
    ip address add 10.88.0.1/16 dev docker0
    ip address add fd00:88::1/64 dev docker0 nodad
    ip link set docker0 up)"));
  ASSERT_NO_FATAL_FAILURE(start_on_node1());
  ASSERT_TRUE(daemon().put("k3s.yaml", R"(
apiVersion: v1
kind: Service
metadata: {name: k3s}
spec:
  ipFamilyPolicy: RequireDualStack
  ipFamilies: [IPv4, IPv6]
  externalIPs: [10.201.0.1, "fd00:201::1"]
  ports: [{port: 8443}]
)"));
  ASSERT_TRUE(
      eventually(kSoon, [&] { return daemon().lbctl({"service", "list"}).out().find("k3s") != std::string::npos; }));
  EXPECT_FALSE(eventually(std::chrono::seconds(2),
                          [&] { return seen(Transport::Udp, vip_of(10, Family::IPv4)) != "10.201.0.1"; }));
  expect_seen("10.201.0.1", "fd00:201::1");
}

// Two backends behind one device, to each from where its route says.
TEST_F(Ways, EachRouteHasASourceOfItsOwn) {
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(1), "ip -6 route replace fd00:210:2::/64 via fd00:201::2 src fd00:201::1"));
  for (const int node : {1, 2})
    ASSERT_NO_FATAL_FAILURE(shell(
        lab_->node(node), "ip address add 10.202.0." + std::to_string(node) +
                              "/24 dev eth0; ip address add fd00:202::" + std::to_string(node) + "/64 dev eth0 nodad"));
  auto server = lab_->serve(lab_->node(2), kTargetPort);
  ASSERT_TRUE(server) << server.error().message;
  ASSERT_NO_FATAL_FAILURE(start_on_node1());
  put({.name = "outside", .number = 11},
      {{Address::literal("10.202.0.2"), Address::literal("fd00:202::2"), lab_->node(2).name}});
  ASSERT_TRUE(balances_over(daemon(), "default/outside", 1));
  expect_seen("10.201.0.1", "fd00:201::1");
  EXPECT_EQ(seen(Transport::Tcp, vip_of(11, Family::IPv4)), "10.202.0.1");
  EXPECT_EQ(seen(Transport::Tcp, vip_of(11, Family::IPv6)), "fd00:202::1");
}

TEST_F(Ways, ARouteThatChangesIsFollowed) {
  ASSERT_NO_FATAL_FAILURE(start_on_node1());
  expect_seen("10.201.0.1", "fd00:201::1");
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(1), R"(
    ip address add 10.201.0.101/32 dev eth0
    ip address add fd00:201::101/128 dev eth0 nodad
    ip route replace 10.210.2.0/24 via 10.201.0.2 src 10.201.0.101
    ip -6 route replace fd00:210:2::/64 via fd00:201::2 src fd00:201::101)"));
  EXPECT_TRUE(soon_seen("10.201.0.101", "fd00:201::101"));
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(1),
                                "ip address del 10.201.0.101/32 dev eth0; ip address del fd00:201::101/128 dev eth0; "
                                "ip route replace 10.210.2.0/24 via 10.201.0.2; "
                                "ip -6 route replace fd00:210:2::/64 via fd00:201::2"));
  EXPECT_TRUE(soon_seen("10.201.0.1", "fd00:201::1"));
}

// A Service that takes the address over from the node.
TEST_F(Ways, AnAddressThatBecomesAVipIsLeftToIt) {
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(1), kByRoute));
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(2), "ip route add 192.0.2.10/32 via 10.201.0.1"));
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(2), "ip -6 route add 2001:db8:2::10/128 via fd00:201::1"));
  ASSERT_NO_FATAL_FAILURE(start_on_node1());
  ASSERT_TRUE(daemon().remove("web.yaml"));
  put({.name = "other", .number = 11}, {backend(2, 1)});
  ASSERT_TRUE(eventually(kSoon, [&] { return seen(Transport::Udp, vip_of(11, Family::IPv4)) == "192.0.2.10"; }));
  put({}, {backend(2, 1)});
  EXPECT_TRUE(soon_seen("10.201.0.1", "fd00:201::1"));
  EXPECT_TRUE(eventually(kSoon, [&] { return seen(Transport::Udp, vip_of(11, Family::IPv4)) == "10.201.0.1"; }));
}

TEST_F(Ways, TheSourceThatIsAskedForIsTaken) {
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(1), "ip address add 10.201.0.101/32 dev eth0"));
  ASSERT_NO_FATAL_FAILURE(start_on_node1({{"--snat-addresses", "10.201.0.101,fd00:201::101"}}));
  expect_seen("10.201.0.101", "fd00:201::1");
  const std::string missing = "--snat-addresses: fd00:201::101: is not an address of this node, and is not used";
  EXPECT_TRUE(eventually(kSoon, [&] { return problems() == std::vector{missing}; }));
  EXPECT_THAT(daemon().log(), HasSubstr(missing));
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(1), "ip address add fd00:201::101/128 dev eth0 nodad"));
  EXPECT_TRUE(soon_seen("10.201.0.101", "fd00:201::101"));
  EXPECT_THAT(problems(), IsEmpty());
}

// Answers of backends on the node itself would leave there with the backends' own addresses.
TEST_F(Ways, ClientsWhoseWayBackIsByAnotherDeviceAreRefused) {
  ASSERT_NO_FATAL_FAILURE(start_on_node1({{"--devices", "eth0"}}));
  put({}, {backend(1, 1)});
  ASSERT_TRUE(eventually(kSoon, [&] {
    return seen(Transport::Tcp, vip_of(10, Family::IPv4)) == lab_->client().ipv4.to_string();
  })) << seen(Transport::Tcp, vip_of(10, Family::IPv4));
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(1), R"(
    ip link add up2 type veth peer name peer2; ip link set up2 up; ip link set peer2 up
    ip address add 10.203.0.1/24 dev up2
    ip neighbour add 10.203.0.254 lladdr 02:00:00:00:00:01 dev up2
    ip route add 10.200.0.0/24 via 10.203.0.254)"));
  EXPECT_THAT(seen(Transport::Tcp, vip_of(10, Family::IPv4)), HasSubstr("timed out"));
  const std::string lost =
      "the way of some packets, to a backend or back to a client, is by up2, which lbd is not on: they are dropped "
      "(egress_unmanaged)";
  EXPECT_TRUE(eventually(kSoon, [&] { return problems() == std::vector{lost}; })) << testing::PrintToString(problems());
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(1), "ip route del 10.200.0.0/24 via 10.203.0.254"));
  EXPECT_EQ(seen(Transport::Tcp, vip_of(10, Family::IPv4)), lab_->client().ipv4.to_string());
}

// What keeps packets from their way: said while it is so.
struct Obstacle {
  const char *what, *make, *problem, *mend;
};

class WayProblems : public Ways, public testing::WithParamInterface<Obstacle> {};

TEST_P(WayProblems, AreSaidAtStartUntilTheyAreMended) {
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(1), GetParam().make));
  ASSERT_NO_FATAL_FAILURE(start_on_node1({{"--devices", "eth0"}}));
  EXPECT_TRUE(eventually(kSoon, [&] { return problems() == std::vector<std::string>{GetParam().problem}; }))
      << testing::PrintToString(problems());
  EXPECT_THAT(daemon().log(), HasSubstr(GetParam().problem));
  ASSERT_NO_FATAL_FAILURE(shell(lab_->node(1), GetParam().mend));
  EXPECT_TRUE(eventually(kSoon, [&] { return problems().empty(); })) << testing::PrintToString(problems());
  EXPECT_THAT(daemon().log(), HasSubstr(std::string("solved: ") + GetParam().problem));
}

INSTANTIATE_TEST_SUITE_P(
    , WayProblems,
    testing::Values(
        Obstacle{
            "ForwardingOfIPv4", "sysctl -qw net.ipv4.ip_forward=0",
            "net.ipv4.conf.eth0.forwarding is 0: what comes in by eth0 reaches no backend; net.ipv4.ip_forward sets it "
            "for all devices",
            "sysctl -qw net.ipv4.ip_forward=1"},
        Obstacle{"ForwardingOfIPv6", "sysctl -qw net.ipv6.conf.eth0.forwarding=0",
                 "net.ipv6.conf.eth0.forwarding is 0: what comes in by eth0 reaches no backend; "
                 "net.ipv6.conf.all.forwarding sets it for all devices",
                 "sysctl -qw net.ipv6.conf.eth0.forwarding=1"},
        Obstacle{
            "StrictReversePaths",
            "ip link add up2 type veth peer name peer2; ip link set up2 up; ip link set peer2 up; "
            "ip address add 10.203.0.1/24 dev up2; ip route replace default via 10.203.0.254 dev up2; "
            "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=1",
            "net.ipv4.conf.eth0.rp_filter is 1 (strict), and the default route is not by eth0: what comes in there "
            "from "
            "clients that another device is the way to is dropped before it reaches backends on this node; 2 (loose) "
            "lets it in",
            "sysctl -qw net.ipv4.conf.eth0.rp_filter=2"},
        Obstacle{"NoDefaultRoute", "ip -6 route delete default",
                 "no IPv6 default route: answers reach only clients that another route leads to",
                 "ip -6 route add default via fd00:201::254"},
        Obstacle{"NoWayToABackend", "ip route delete 10.210.2.0/24; ip route add unreachable 10.210.2.0/24",
                 "no way to backend 10.210.2.11: find the route to 10.210.2.11: No route to host",
                 "ip route replace 10.210.2.0/24 via 10.201.0.2"},
        Obstacle{"AWayByAnotherDevice",
                 "ip link add up2 type veth peer name peer2; ip link set up2 up; ip link set peer2 up; "
                 "ip route replace 10.210.2.0/24 dev up2",
                 "the way to backend 10.210.2.11 is by up2, which lbd is not on: connections by it are dropped "
                 "(egress_unmanaged)",
                 "ip route replace 10.210.2.0/24 via 10.201.0.2"},
        Obstacle{
            "AnInternalIpOfAnotherDevice",
            "ip link add up2 type veth peer name peer2; ip link set up2 up; ip link set peer2 up; "
            "ip address add 10.201.0.7/32 dev up2",
            "the Node's InternalIP 10.201.0.7 is an address of up2, which lbd is not on: what comes in there is not "
            "balanced",
            "ip address delete 10.201.0.7/32 dev up2"}),
    [](const auto& info) { return info.param.what; });

}  // namespace
}  // namespace fairlead::test
