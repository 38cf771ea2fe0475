// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/leftovers.h"
#include "tests/lab/scenario.h"

// The devices that lbd chooses by itself, without --devices.
namespace fairlead::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kNode = R"(
apiVersion: v1
kind: Node
metadata: {name: node1}
status: {addresses: [{type: InternalIP, address: 10.201.0.1}]}
)";

class ChosenDevices : public Scenario {
 protected:
  void SetUp() override {
    Scenario::SetUp();
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
    add_daemon(1, {.xdp_mode = "off", .more = {{"--devices", ""}}});
    put({}, {backend(1, 1), backend(2, 1)});
  }

  void shell(const std::string& script) const {
    const auto ran = lab_->run_in(lab_->node(1), {"sh", "-ec", script});
    ASSERT_TRUE(ran) << ran.error().message;
  }

  // To where the clients are, so that they are reached without a default route.
  void without_default_routes() const {
    ASSERT_NO_FATAL_FAILURE(
        shell("via4=$(ip route show default | cut -d' ' -f3); via6=$(ip -6 route show default | cut -d' ' -f3)\n"
              "ip route del default; ip -6 route del default\n"
              "ip route add 10.200.0.0/24 via $via4; ip -6 route add fd00:200::/64 via $via6"));
  }

  // A second way from node1 to node2, which lbd is not on.
  void add_second_way() const {
    ASSERT_NO_FATAL_FAILURE(shell("ip link add up2 type veth peer name up2 netns " + lab_->node(2).netns + R"(
      ip link set up2 up
      ip address add 10.203.0.1/24 dev up2
      ip address add fd00:203::1/64 dev up2 nodad)"));
    const auto ran = lab_->run_in(lab_->node(2), {"sh", "-ec", R"(
      ip link set up2 up
      ip address add 10.203.0.2/24 dev up2
      ip address add fd00:203::2/64 dev up2 nodad)"});
    ASSERT_TRUE(ran) << ran.error().message;
  }

  std::vector<std::string> attached() const {
    std::vector<std::string> names;
    const auto status = daemons_.at(1).query<admin::StatusView>({"status"});
    for (const auto& device : status->devices)
      names.push_back(device.name);
    return names;
  }

  bool soon_attached(const std::vector<std::string>& devices) const {
    return eventually(kSoon, [&] { return attached() == devices; });
  }

  bool soon_without_problems() {
    return eventually(kSoon, [&] { return problems().empty(); });
  }

  void expect_served() const {
    for (const Family family : kFamilies)
      EXPECT_EQ(ask(Transport::Tcp, vip_of(10, family)).failed, 0U);
  }
};

// As at boot, where lbd may be there before the network is.
TEST_F(ChosenDevices, MayComeAfterTheStart) {
  ASSERT_NO_FATAL_FAILURE(without_default_routes());
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  EXPECT_THAT(attached(), IsEmpty());
  EXPECT_THAT(problems(), Contains(HasSubstr("no device to attach to: no default route")));
  ASSERT_NO_FATAL_FAILURE(shell("ip route add default via 10.201.0.254 table 1000"));
  ASSERT_TRUE(soon_attached({"eth0"}));
  expect_served();
  EXPECT_THAT(problems(), Not(Contains(HasSubstr("no device to attach to"))));
}

TEST_F(ChosenDevices, AreThatOfTheInternalIpToo) {
  ASSERT_NO_FATAL_FAILURE(without_default_routes());
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  ASSERT_TRUE(daemon().put("node.yaml", kNode));
  ASSERT_TRUE(soon_attached({"eth0"}));
  expect_served();
}

// One that has no MAC addresses, as a VPN's.
TEST_F(ChosenDevices, DoWithoutOneThatCannotBeHad) {
  ASSERT_NO_FATAL_FAILURE(without_default_routes());
  ASSERT_NO_FATAL_FAILURE(shell("ip tuntap add dev tun0 mode tun; ip link set tun0 up; ip route add default dev tun0"));
  ASSERT_TRUE(daemon().put("node.yaml", kNode));
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  ASSERT_TRUE(soon_attached({"eth0"}));
  expect_served();
  EXPECT_THAT(problems(), Contains("attach to device tun0: not an Ethernet device"));
}

TEST_F(ChosenDevices, AreTheWaysToBackendsElsewhere) {
  ASSERT_NO_FATAL_FAILURE(add_second_way());
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  EXPECT_THAT(attached(), ElementsAre("eth0"));
  ASSERT_NO_FATAL_FAILURE(
      shell("ip route replace 10.210.2.0/24 via 10.203.0.2; ip -6 route replace fd00:210:2::/64 via fd00:203::2"));
  ASSERT_TRUE(soon_attached({"eth0", "up2"}));
  ASSERT_TRUE(soon_without_problems()) << testing::PrintToString(problems());
  expect_served();
  daemon().stop();
  ASSERT_NO_FATAL_FAILURE(
      shell("ip route replace 10.210.2.0/24 via 10.201.0.2; ip -6 route replace fd00:210:2::/64 via fd00:201::2"));
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  EXPECT_THAT(attached(), ElementsAre("eth0", "up2")) << "flows may be through it";
  expect_served();
  expect_clean_end(*lab_, daemon());
}

// Some flows take one of them, some the other.
TEST_F(ChosenDevices, AreAllOfTheWaysThatARouteHas) {
  ASSERT_NO_FATAL_FAILURE(add_second_way());
  ASSERT_NO_FATAL_FAILURE(shell(R"(
    ip route replace 10.210.2.0/24 nexthop via 10.201.0.2 dev eth0 nexthop via 10.203.0.2 dev up2
    ip -6 route del fd00:210:2::/64
    ip -6 route add fd00:210:2::/64 nexthop via fd00:201::2 dev eth0 nexthop via fd00:203::2 dev up2)"));
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  ASSERT_TRUE(soon_attached({"eth0", "up2"}));
  ASSERT_TRUE(soon_without_problems()) << testing::PrintToString(problems());
  expect_served();
}

}  // namespace
}  // namespace fairlead::test
