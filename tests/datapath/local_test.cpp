// SPDX-License-Identifier: Apache-2.0
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "tests/datapath/fixture.h"

namespace fairlead::test {
namespace {

struct Case {
  const char* family;
  const char* client;
  const char* vip;
  const char* pod;
};
const Case kCases[] = {{"IPv4", "198.51.100.7", "192.0.2.1", "10.210.1.11"},
                       {"IPv6", "2001:db8:7::7", "2001:db8:2::1", "fd00:210:1::11"}};

class LocalBackend : public DatapathTest, public testing::WithParamInterface<Case> {
 protected:
  void SetUp() override {
    DatapathTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    for (const std::uint8_t proto : {LB_IPPROTO_TCP, LB_IPPROTO_UDP})
      put_service("default/web/" + std::to_string(proto), {GetParam().vip}, 80, proto,
                  {{GetParam().pod, 8080, LB_BACKEND_LOCAL}});
  }
};

TEST_P(LocalBackend, FirstPacketGoesToThePodAndOnlyTheDestinationChanges) {
  const Packet syn = tcp(GetParam().client, 40000, GetParam().vip, 80, kSyn);
  const Outcome outcome = xdp(syn);
  Packet expected = syn;
  expected.dst = Address::literal(GetParam().pod);
  expected.dport = 8080;
  EXPECT_EQ(outcome.verdict, "local_new");
  EXPECT_EQ(outcome.action, XDP_PASS);
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.packet, expected) << to_string(outcome.packet);
}

TEST_P(LocalBackend, LaterPacketsFollowAndTheReplyGetsTheServicesAddress) {
  xdp(tcp(GetParam().client, 40000, GetParam().vip, 80, kSyn));
  const Packet reply = tcp(GetParam().pod, 8080, GetParam().client, 40000, kSyn | kAck);
  const Outcome back = tc_egress(reply);
  Packet expected = reply;
  expected.src = Address::literal(GetParam().vip);
  expected.sport = 80;
  EXPECT_EQ(back.verdict, "local_reply");
  EXPECT_EQ(back.action, TC_ACT_UNSPEC);
  EXPECT_EQ(back.error, "");
  EXPECT_EQ(back.packet, expected) << to_string(back.packet);

  const Outcome next = xdp(tcp(GetParam().client, 40000, GetParam().vip, 80, kAck));
  EXPECT_EQ(next.verdict, "local_hit");
  EXPECT_EQ(next.packet.dst, Address::literal(GetParam().pod));
  EXPECT_EQ(next.error, "");
}

TEST_P(LocalBackend, UdpWithoutAChecksumKeepsNone) {
  Packet packet = udp(GetParam().client, 40000, GetParam().vip, 80);
  packet.udp_checksum = false;
  const Outcome outcome = xdp(packet);
  EXPECT_EQ(outcome.verdict, "local_new");
  EXPECT_FALSE(outcome.packet.udp_checksum);
  EXPECT_EQ(outcome.packet.dport, 8080);
}

INSTANTIATE_TEST_SUITE_P(Families, LocalBackend, testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.family; });

}  // namespace
}  // namespace fairlead::test
