// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <sys/socket.h>

#include <cstring>

#include "tests/datapath/scene.h"
#include "userspace/util/fd.h"

// What comes to a NodePort and is no new flow: this node's own connections, and what XDP has rewritten already.
namespace fairlead::test {
namespace {

constexpr std::uint16_t kTheirPort = 53, kHostPort = 91;

sockaddr_in6 endpoint(const std::string& address, std::uint16_t port) {
  sockaddr_in6 where{};
  where.sin6_port = htons(port);
  where.sin6_family = AF_INET6;
  const Address parsed = Address::literal(address);
  auto* bytes = where.sin6_addr.s6_addr;
  if (parsed.family == Family::IPv4) {
    bytes[10] = bytes[11] = 0xff;
    std::memcpy(bytes + 12, parsed.bytes.data(), 4);
  } else {
    std::memcpy(bytes, parsed.bytes.data(), 16);
  }
  return where;
}

class HostTest : public Scene, public testing::WithParamInterface<std::tuple<Family, lb_hook>> {
 protected:
  void SetUp() override {
    Scene::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) make(std::get<Family>(GetParam()));
  }

  lb_hook hook() const { return std::get<lb_hook>(GetParam()); }
  std::string verdict_of(const Packet& packet) { return run(hook(), packet).verdict; }
  // Of UDP, on this node, with a NodePort as its own.
  Fd node_socket() const {
    Fd socket(::socket(AF_INET6, SOCK_DGRAM, 0));
    const sockaddr_in6 here = endpoint(at().node, kNodePort);
    EXPECT_EQ(bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof(here)), 0) << strerror(errno);
    return socket;
  }
  Packet answer_by_udp() const { return udp(at().client, kTheirPort, at().node, kNodePort); }
};

TEST_P(HostTest, OnlyASynBeginsAFlowToANodePort) {
  for (const unsigned flags : {kSyn | kAck, kAck + 0, kAck | kPsh, kFin | kAck, kRst + 0, kRst | kAck}) {
    const Packet answer = tcp(at().client, 443, at().node, kNodePort, static_cast<std::uint8_t>(flags));
    const Outcome outcome = run(hook(), answer);
    EXPECT_EQ(outcome.verdict, "own_connection") << flags;
    EXPECT_EQ(outcome.frame, fairlead::test::build(answer)) << flags;
  }
  EXPECT_EQ(verdict_of(tcp(at().client, 443, at().node, kNodePort, kSyn)), "remote_new");
}

TEST_P(HostTest, AnswersToAConnectedSocketAreItsOwn) {
  const Fd socket = node_socket();
  const sockaddr_in6 them = endpoint(at().client, kTheirPort);
  ASSERT_EQ(connect(socket.get(), reinterpret_cast<const sockaddr*>(&them), sizeof(them)), 0) << strerror(errno);
  EXPECT_EQ(verdict_of(answer_by_udp()), "own_connection");
  Packet other = answer_by_udp();
  other.sport = kTheirPort + 1;
  EXPECT_EQ(verdict_of(other), "remote_new") << "another's question";
}

TEST_P(HostTest, AListeningSocketDoesNotKeepANodePortFromBeingServed) {
  const Fd socket = node_socket();
  EXPECT_EQ(verdict_of(answer_by_udp()), "remote_new");
}

// A host network backend's port may be a NodePort of another service.
TEST_P(HostTest, WhatXdpHasRewrittenIsNotRewrittenAgain) {
  put_service("default/host", {at().vip}, kHostPort, LB_IPPROTO_TCP, {{at().node, kNodePort, LB_BACKEND_LOCAL}});
  put_service("default/host-udp", {at().vip}, kHostPort, LB_IPPROTO_UDP, {{at().node, kNodePort, LB_BACKEND_LOCAL}});
  for (const Packet& packet : {to_vip(kHostPort), to_vip(kHostPort, kAck), to_vip_udp(kHostPort)}) {
    const Outcome first = xdp(packet);
    ASSERT_EQ(first.packet.dport, kNodePort) << first.verdict;
    const Outcome second = run(LB_HOOK_TC_INGRESS, first.packet);
    EXPECT_EQ(second.verdict, "own_connection");
    EXPECT_EQ(second.frame, first.frame);
  }
}

INSTANTIATE_TEST_SUITE_P(, HostTest,
                         testing::Combine(testing::Values(Family::IPv4, Family::IPv6),
                                          testing::Values(LB_HOOK_XDP, LB_HOOK_TC_INGRESS)),
                         [](const auto& info) {
                           return std::string(hosts(std::get<0>(info.param)).family) +
                                  (std::get<1>(info.param) == LB_HOOK_XDP ? "Xdp" : "Tc");
                         });

}  // namespace
}  // namespace fairlead::test
