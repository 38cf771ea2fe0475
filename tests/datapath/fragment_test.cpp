// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "tests/datapath/scene.h"

// The numbers of datagrams in pieces: whose sender is one of many behind an address, its number is this node's choice.
namespace fairlead::test {
namespace {

constexpr std::uint16_t kId = 0x4711, kSenders = 20;

Packet head_of(Packet packet) {
  packet.ip_id = kId;
  packet.more_fragments = true;
  packet.payload = Bytes(32, 0x55);
  return packet;
}

Packet rest_of(Packet head) {
  head.sport = head.dport = 0;
  head.fragment_offset = 40;
  head.more_fragments = false;
  head.payload = Bytes(24, 0x66);
  return head;
}

class FragmentTest : public Scene, public testing::WithParamInterface<std::tuple<Family, lb_hook>> {
 protected:
  void SetUp() override {
    Scene::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) make(std::get<Family>(GetParam()));
  }
  lb_hook hook() const { return std::get<lb_hook>(GetParam()); }

  // As one of many clients.
  Packet question(Port port, std::uint16_t client) const {
    Packet packet = to_vip_udp(port);
    packet.src.bytes[is_ipv4() ? 3 : 15] = static_cast<std::uint8_t>(100 + client);
    return packet;
  }
};
INSTANTIATE_TEST_SUITE_P(, FragmentTest,
                         testing::Combine(testing::Values(Family::IPv4, Family::IPv6),
                                          testing::Values(LB_HOOK_XDP, LB_HOOK_TC_INGRESS)),
                         [](const auto& info) {
                           return std::string(hosts(std::get<0>(info.param)).family) +
                                  (std::get<1>(info.param) == LB_HOOK_XDP ? "Xdp" : "Tc");
                         });

TEST_P(FragmentTest, HaveTheirDatagramsNumberTowardsABackendElsewhere) {
  std::set<std::uint16_t> numbers;
  for (std::uint16_t client = 0; client < kSenders; ++client) {
    const Packet head = head_of(question(kRemote, client));
    const std::uint16_t number = run(hook(), head).packet.ip_id;
    EXPECT_EQ(run(hook(), rest_of(head)).packet.ip_id, number);
    EXPECT_EQ(run(hook(), head).packet.ip_id, number) << "the same piece once more";
    numbers.insert(number);
  }
  EXPECT_GE(numbers.size(), kSenders - 2U) << "all clients have the same number";
}

// Backends answer under one address, the service's.
TEST_P(FragmentTest, OfRepliesHaveTheirDatagramsNumberTowardsTheClient) {
  unsigned own = 0;
  for (std::uint16_t client = 0; client < kSenders; ++client) {
    Packet head = head_of(reverse(xdp(question(kRemote, client)).packet));
    head.ip_id = static_cast<std::uint16_t>(kId + client);
    const Outcome first = run(hook(), head);
    ASSERT_EQ(first.verdict, "remote_reply");
    EXPECT_EQ(run(hook(), rest_of(head)).packet.ip_id, first.packet.ip_id);
    own += first.packet.ip_id == head.ip_id;
  }
  EXPECT_LE(own, 2U);
}

TEST_P(FragmentTest, OfLocalRepliesHaveTheirDatagramsNumberTowardsTheClient) {
  unsigned own = 0;
  for (std::uint16_t client = 0; client < kSenders; ++client) {
    Packet head = head_of(reverse(run(hook(), question(kLocal, client)).packet));
    head.ip_id = static_cast<std::uint16_t>(kId + client);
    const Outcome first = tc_egress(head);
    ASSERT_EQ(first.verdict, "local_reply");
    EXPECT_EQ(tc_egress(rest_of(head)).packet.ip_id, first.packet.ip_id);
    own += first.packet.ip_id == head.ip_id;
  }
  EXPECT_LE(own, 2U);
}

// Its sender is the client still, who tells its datagrams apart.
TEST_P(FragmentTest, KeepTheClientsNumberTowardsABackendHere) {
  const Packet head = head_of(question(kLocal, 0));
  EXPECT_EQ(run(hook(), head).packet.ip_id, kId);
  EXPECT_EQ(run(hook(), rest_of(head)).packet.ip_id, kId);
}

}  // namespace
}  // namespace fairlead::test
