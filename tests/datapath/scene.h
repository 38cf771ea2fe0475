// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/datapath/fixture.h"

namespace fairlead::test {

// One family's addresses; fixture.h says how the node's routes lead to them.
struct Hosts {
  const char* family;
  std::string client, router, vip, elsewhere, node, other_node_address;
  std::string pod, remote, unresolved, unmanaged, narrow, unreachable;
  std::uint8_t icmp, echo, echo_reply, unreachable_type, time_exceeded;
};
const Hosts& hosts(Family family);

// Ports of the VIP, each in TCP and UDP, named by what becomes of a new flow.
enum Port : std::uint16_t {
  kLocal = 80,
  kRemote = 81,
  kUnresolved = 82,
  kUnmanaged = 83,
  kUnreachable = 84,
  kNarrow = 85,   // the way to its backend has an MTU of 1400
  kRefused = 86,  // no backend at all
  kSilent = 87,   // the traffic policy keeps this node from its backends
  kAlsoLocal = 88,
  kClosed = 99,           // no service
  kNodePort = 30080,      // remote backend
  kFreeNodePort = 30099,  // in the range, but nobody's
};
constexpr std::uint16_t kBackendPort = 8080, kClientPort = 40000;

constexpr Mac kElsewhereMac{2, 0, 0, 0, 7, 7}, kBroadcastMac{255, 255, 255, 255, 255, 255},
    kMulticastMac{1, 0, 0x5e, 0, 0, 1};

// What a test sends: a packet, or bytes that are none.
struct Sent {
  Sent(Packet value) : packet(std::move(value)), bytes(build(packet)) {}
  Sent(Bytes value) : packet(dissect(value).packet), bytes(std::move(value)) {}

  Packet packet;
  Bytes bytes;
};

// A node that serves one VIP (and one NodePort) of one family, on the ports above.
class Scene : public DatapathTest {
 public:
  void make(Family family);

  const Hosts& at() const { return *hosts_; }
  bool is_ipv4() const { return hosts_ == &hosts(Family::IPv4); }
  std::size_t ip_header() const { return is_ipv4() ? 20 : 40; }
  // Offsets in an untagged frame without options.
  std::size_t l3() const { return 14; }
  std::size_t l4() const { return l3() + ip_header(); }

  Packet to_vip(std::uint16_t port, std::uint8_t flags = kSyn) const;
  Packet to_vip_udp(std::uint16_t port, std::size_t payload = 3) const;
  Packet echo() const;

  Outcome run(lb_hook hook, const Sent& sent);

  // Begins a flow with a SYN (or a datagram) and returns what the backend saw.
  Packet begin(std::uint16_t port, lb_hook hook = LB_HOOK_XDP);
  Packet begin_udp(std::uint16_t port);
  // The flow's backend has left, and its slot may be another's.
  void lose_backend(std::uint16_t port);

  void manage_other_device(std::uint32_t flags);
  void fill_snat_pools();
  void empty_snat_pools();
  // Takes out the entries of one direction: LB_FLOW_REPLY or 0.
  void lose_entries(std::uint8_t direction);
  // Makes everything older.
  void pass(std::chrono::seconds time);
  // Every entry of the table is an established flow that was active just now.
  void fill_flow_table();
  // Every entry looks as if another CPU were writing it.
  void hold_flow_table();

  using DatapathTest::object;
  using DatapathTest::placement;
  using DatapathTest::put_service;
  using DatapathTest::tc_egress;
  using DatapathTest::tc_ingress;
  using DatapathTest::uplink;
  using DatapathTest::xdp;
  Packet remembered;  // what a row compares with later

  static constexpr Mac node_mac = kNodeMac, gateway_mac = kGatewayMac, node2_mac = kNode2Mac, other_mac = kOtherMac,
                       other_hop_mac = kOtherHopMac;

 private:
  void serve(const std::string& name, std::uint16_t port, const std::vector<TestBackend>& backends,
             std::uint32_t flags_when_empty = LB_SERVICE_REJECT);

  const Hosts* hosts_ = nullptr;
};

// The packet that goes the other way, as its receiver would answer it.
Packet reverse(const Packet& packet, std::uint8_t flags = kAck);
Bytes cut(Bytes bytes, std::size_t length);
Bytes patched(Bytes bytes, std::size_t at, const Bytes& with);
// An IPv4 frame whose header was patched, with its checksum made right again: only what was patched is wrong.
Bytes with_ipv4_checksum(Bytes bytes);

}  // namespace fairlead::test
