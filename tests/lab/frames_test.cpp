// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include "tests/lab/scenario.h"
#include "tests/support/wire.h"

// Frames that reach a node and are not for it, by XDP and by tc.
namespace fairlead::test {
namespace {

Mac mac_of(const Host& host) {
  Mac mac{};
  std::sscanf(host.mac.c_str(), "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]);
  return mac;
}

class FramesTest : public Scenario, public testing::WithParamInterface<std::string> {
 protected:
  void build_nodes(int nodes) {
    ASSERT_NO_FATAL_FAILURE(build({.nodes = nodes, .pods = 1}));
    std::vector<Backend> backends;
    for (int node = 1; node <= nodes; ++node) {
      add_daemon(node, {.xdp_mode = GetParam()});
      backends.push_back(backend(node, 1));
    }
    put({}, backends);
    ASSERT_NO_FATAL_FAILURE(start_daemons());
  }

  // A client's first packet to the VIP, as the router would send it to the first node.
  Packet syn(Family family) const {
    const Endpoint vip = vip_of(10, family);
    Packet packet = tcp(lab_->client().address(family).to_string(), 40000, vip.address.to_string(), vip.port, kSyn);
    packet.smac = mac_of(lab_->router());
    packet.dmac = mac_of(lab_->node(1));
    return packet;
  }

  void send_to_first_node(const Packet& packet) const {
    const auto wire = Wire::open(lab_->router().netns, "node1");
    ASSERT_TRUE(wire) << wire.error().message;
    const auto sent = wire->send(fairlead::test::build(packet));
    ASSERT_TRUE(sent) << sent.error().message;
  }

  static std::uint64_t new_flows(const Daemon& daemon) {
    auto counts = verdicts(daemon, kArriving);
    return counts["local_new"] + counts["remote_new"];
  }
};

TEST_P(FramesTest, NodesBehindASwitchThatFloodsLeaveEachOthersFramesAlone) {
  ASSERT_NO_FATAL_FAILURE(build_nodes(3));
  const auto flooding = lab_->run_in(
      lab_->router(), {"ip", "link", "set", "dev", "nodes", "type", "bridge", "ageing_time", "0", "fdb_flush"});
  ASSERT_TRUE(flooding) << flooding.error().message;
  for (const Family family : kFamilies) {
    const AskReport report = ask(Transport::Tcp, vip_of(10, family));
    EXPECT_EQ(report.failed, 0U) << testing::PrintToString(report.failures);
  }
  for (const int node : {2, 3}) {
    EXPECT_GT(verdicts(daemon(node), kArriving)["other_host"], 0U) << node;
    EXPECT_EQ(new_flows(daemon(node)), 0U) << node;
  }
}

TEST_P(FramesTest, AVlanThatTheNodeIsNotInIsNotServed) {
  ASSERT_NO_FATAL_FAILURE(build_nodes(2));
  for (const Family family : kFamilies) {
    const auto before = verdicts(daemon(), kArriving)["other_vlan"];
    Packet packet = syn(family);
    packet.vlan = 100;
    ASSERT_NO_FATAL_FAILURE(send_to_first_node(packet));
    EXPECT_TRUE(eventually(kSoon, [&] { return verdicts(daemon(), kArriving)["other_vlan"] > before; }));
    EXPECT_EQ(new_flows(daemon()), 0U);
  }
}

TEST_P(FramesTest, ATagThatIsOnlyAPriorityIsNone) {
  ASSERT_NO_FATAL_FAILURE(build_nodes(2));
  for (const Family family : kFamilies) {
    const auto before = new_flows(daemon());
    Packet packet = syn(family);
    packet.vlan = 0xe000;
    ASSERT_NO_FATAL_FAILURE(send_to_first_node(packet));
    EXPECT_TRUE(eventually(kSoon, [&] { return new_flows(daemon()) == before + 1; }));
  }
}

TEST_P(FramesTest, ADeviceWithANewMacAddressIsServedByIt) {
  ASSERT_NO_FATAL_FAILURE(build_nodes(1));
  const auto changed =
      lab_->run_in(lab_->node(1), {"ip", "link", "set", "dev", lab_->node(1).device, "address", "02:00:0a:c9:77:77"});
  ASSERT_TRUE(changed) << changed.error().message;
  for (const Family family : kFamilies)
    EXPECT_TRUE(eventually(
        kSoon, [&] { return ask_from(lab_->client().netns, Transport::Tcp, vip_of(10, family)).has_value(); }));
}

INSTANTIATE_TEST_SUITE_P(, FramesTest, testing::Values("native", "off"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace fairlead::test
