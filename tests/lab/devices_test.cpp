// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/leftovers.h"
#include "tests/lab/scenario.h"

// The devices that lbd is told to be on.
namespace fairlead::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// As many as lb_devices has room for.
constexpr int kRoom = 64;

class Devices : public Scenario {
 protected:
  void SetUp() override {
    Scenario::SetUp();
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
  }

  void in_node(const std::vector<std::string>& command) const {
    const auto ran = lab_->run_in(lab_->node(1), command);
    ASSERT_TRUE(ran) << ran.error().message;
  }

  void shell(const std::string& script) const { in_node({"sh", "-ec", script}); }
};

// Those beyond are named, have no programs, and hold up nothing; one that goes makes room.
TEST_F(Devices, ThatDoNotFitAreRefusedByName) {
  std::string names = "eth0";
  for (int i = 1; i <= kRoom; ++i)
    names += ",more" + std::to_string(i);
  shell("for i in $(seq " + std::to_string(kRoom) + "); do ip link add more$i type veth peer name peer$i; done");
  add_daemon(1, {.xdp_mode = "off", .more = {{"--devices", names}}});
  put({}, {backend(1, 1), backend(2, 1)});
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  EXPECT_THAT(problems(), ElementsAre("attach to device more64: lbd can be on no more than 64 devices"));
  EXPECT_EQ(daemon().query<admin::StatusView>({"status"})->devices.size(), std::size_t{kRoom});
  shell("test -z \"$(tc qdisc show dev more64 | grep clsact)\"");
  shell("ip link delete more7");
  EXPECT_TRUE(eventually(kSoon, [&] { return programs_on(*lab_, lab_->node(1)).contains("more64 tc egress"); }));
  EXPECT_THAT(problems(), ElementsAre("attach to device more7: No such device"));
  EXPECT_EQ(daemon().query<admin::StatusView>({"status"})->failed_writes, 0);
  EXPECT_THAT(daemon().log(), Not(HasSubstr("lb_devices")));
}

// As an overlay's: the kernel's vxlan takes no XDP program. tc does all there.
TEST_F(Devices, ThatHaveNoNativeXdpKeepNoOtherFromIt) {
  shell("ip link add vx0 type vxlan id 7 dstport 4789; ip link set vx0 up");
  add_daemon(1, {.xdp_mode = "native", .more = {{"--devices", "vx0,eth0"}}});
  put({}, {backend(1, 1), backend(2, 1)});
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  std::map<std::string, std::string> modes;
  const auto status = daemon().query<admin::StatusView>({"status"});
  for (const auto& device : status->devices)
    modes[device.name] = device.xdp;
  EXPECT_EQ(modes, (std::map<std::string, std::string>{{"eth0", "native"}, {"vx0", "off"}}));
  EXPECT_TRUE(programs_on(*lab_, lab_->node(1)).contains("vx0 tc egress"));
  EXPECT_THAT(problems(), Contains(HasSubstr("vx0")));
  EXPECT_EQ(ask(Transport::Tcp, vip_of(10, Family::IPv4)).failed, 0U);
}

// As when a VPN takes the default route, or a network's restart takes it away, just before lbd starts again.
TEST_F(Devices, ThatWereChosenStayWhereTheDefaultRouteIsElsewhere) {
  shell(
      "ip link add up1 type veth peer name peer1; ip link set up1 up; ip link set peer1 up; "
      "ip address add 10.99.2.1/24 dev up1");
  add_daemon(1, {.xdp_mode = "off", .more = {{"--devices", ""}}});
  put({}, {backend(1, 1), backend(2, 1)});
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  auto hold = Hold::start(*lab_, lab_->client(), vip_of(10, Family::IPv4), 10);
  ASSERT_TRUE(hold) << hold.error().message;
  daemon().stop();
  shell(
      "via=$(ip route show default | cut -d' ' -f3); ip route add 10.200.0.0/24 via $via; "
      "ip route replace default via 10.99.2.254 dev up1; ip -6 route del default || true");
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  EXPECT_TRUE(programs_on(*lab_, lab_->node(1)).contains("up1 tc egress"));
  daemon().stop();
  shell("ip route del default");
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  EXPECT_EQ(ask(Transport::Tcp, vip_of(10, Family::IPv4)).failed, 0U);
  for (const HeldConnection& connection : *hold->finish())
    EXPECT_EQ(connection.broken, "") << connection.server;
  expect_clean_end(*lab_, daemon());
}

}  // namespace
}  // namespace fairlead::test
