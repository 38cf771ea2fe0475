// SPDX-License-Identifier: Apache-2.0
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "tests/datapath/rows.h"

// Client to backend, and back.
namespace fairlead::test {
namespace {

constexpr Bytes::value_type kNop = 1;
const Bytes kDestinationOptions = {0, 0, 1, 4, 0, 0, 0, 0};

bool is_snat_port(std::uint16_t port) {
  const datapath::PortRange range = datapath::Config().snat_ports;
  return port >= range.first && port <= range.last;
}

Packet to_pod(const Scene& s, const Packet& sent, const Packet&) {
  Packet packet = sent;
  packet.dst = Address::literal(s.at().pod);
  packet.dport = kBackendPort;
  return packet;
}

// After SNAT by tc: the kernel's neighbour code fills in the Ethernet header later.
Packet translated(const Scene& s, const Packet& sent, const Packet& got, const std::string& backend) {
  Packet packet = sent;
  packet.src = Address::literal(s.at().node);
  packet.sport = got.sport;
  EXPECT_TRUE(is_snat_port(got.sport)) << got.sport;
  packet.dst = Address::literal(backend);
  packet.dport = kBackendPort;
  packet.ttl -= 1;
  return packet;
}

Packet to_remote_by_tc(const Scene& s, const Packet& sent, const Packet& got) {
  return translated(s, sent, got, s.at().remote);
}

Packet to_remote(const Scene& s, const Packet& sent, const Packet& got) {
  Packet packet = to_remote_by_tc(s, sent, got);
  packet.dmac = s.node2_mac;
  packet.smac = s.node_mac;
  return packet;
}

Packet to_unresolved(const Scene& s, const Packet& sent, const Packet& got) {
  return translated(s, sent, got, s.at().unresolved);
}

Packet to_other_device(const Scene& s, const Packet& sent, const Packet& got) {
  Packet packet = translated(s, sent, got, s.at().unmanaged);
  packet.src = Address::literal(s.at().other_node_address);
  packet.dmac = s.other_hop_mac;
  packet.smac = s.other_mac;
  return packet;
}

Packet from_vip(const Scene& s, const Packet& sent, std::uint16_t port) {
  Packet packet = sent;
  packet.src = Address::literal(s.at().vip);
  packet.sport = port;
  return packet;
}

Packet local_reply(const Scene& s, const Packet& sent, const Packet&) {
  return from_vip(s, sent, kLocal);
}

Packet remote_reply_by_tc(const Scene& s, const Packet& sent, const Packet&) {
  Packet packet = from_vip(s, sent, kRemote);
  packet.dst = Address::literal(s.at().client);
  packet.dport = kClientPort;
  packet.ttl -= 1;
  return packet;
}

Packet remote_reply(const Scene& s, const Packet& sent, const Packet& got) {
  Packet packet = remote_reply_by_tc(s, sent, got);
  packet.dmac = s.gateway_mac;
  packet.smac = s.node_mac;
  return packet;
}

Packet node_port_reply(const Scene& s, const Packet& sent, const Packet& got) {
  Packet packet = remote_reply(s, sent, got);
  packet.src = Address::literal(s.at().node);
  packet.sport = kNodePort;
  return packet;
}

Sent tagged(Packet packet, std::uint16_t tag) {
  packet.vlan = tag;
  return packet;
}

}  // namespace

std::vector<Row> forward_rows() {
  using enum Families;
  return {
      {"LocalNewTcp", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip(kLocal); }, "local_new", to_pod},
      {"LocalNewUdp", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip_udp(kLocal); }, "local_new", to_pod},
      {"LocalNewUdpOddLength", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip_udp(kLocal, 1001); }, "local_new",
       to_pod},
      {"LocalNewByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return s.to_vip(kLocal); }, "local_new", to_pod},
      {"LocalNewUdpByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return s.to_vip_udp(kLocal); }, "local_new",
       to_pod},
      {"LocalNewUdpWithoutChecksumByTc", kIpv4, LB_HOOK_TC_INGRESS,
       [](Scene& s) {
         Packet packet = s.to_vip_udp(kLocal);
         packet.udp_checksum = false;
         return packet;
       },
       "local_new", to_pod},
      {"LocalNewWithoutSyn", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip(kLocal, kAck); }, "local_new", to_pod},
      {"LocalNewTagged", kBoth, LB_HOOK_XDP, [](Scene& s) { return tagged(s.to_vip(kLocal), 0x6007); }, "local_new",
       to_pod},
      {"LocalNewIpOptions", kIpv4, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = s.to_vip(kLocal);
         packet.ip_options = Bytes(40, kNop);
         return packet;
       },
       "local_new", to_pod},
      {"LocalNewIpOptionsByTc", kIpv4, LB_HOOK_TC_INGRESS,
       [](Scene& s) {
         Packet packet = s.to_vip(kLocal);
         packet.ip_options = Bytes(4, kNop);
         return packet;
       },
       "local_new", to_pod},
      {"LocalNewExtension", kIpv6, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = s.to_vip(kLocal);
         packet.extension = kDestinationOptions;
         return packet;
       },
       "local_new", to_pod},
      {"LocalNewExtensionByTc", kIpv6, LB_HOOK_TC_INGRESS,
       [](Scene& s) {
         Packet packet = s.to_vip(kLocal);
         packet.extension = kDestinationOptions;
         return packet;
       },
       "local_new", to_pod},
      // The stack takes the hop off, or answers.
      {"LocalNewLastHop", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = s.to_vip(kLocal);
         packet.ttl = 1;
         return packet;
       },
       "local_new", to_pod},
      {"LocalHit", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kLocal);
         return s.to_vip(kLocal, kAck);
       },
       "local_hit", to_pod},
      {"LocalHitByTc", kBoth, LB_HOOK_TC_INGRESS,
       [](Scene& s) {
         s.begin(kLocal);
         return s.to_vip(kLocal, kAck);
       },
       "local_hit", to_pod},
      {"LocalHitSynAgain", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kLocal);
         return s.to_vip(kLocal);
       },
       "local_hit", to_pod},
      {"LocalNewAfterReset", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kLocal);
         s.xdp(s.to_vip(kLocal, kRst));
         return s.to_vip(kLocal);
       },
       "local_new", to_pod},
      // One client port, two frontends, one backend: the second flow gets another source port.
      {"LocalNewClash", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kLocal);
         return s.to_vip(kAlsoLocal);
       },
       "local_new",
       [](const Scene& s, const Packet& sent, const Packet& got) {
         Packet packet = to_pod(s, sent, got);
         packet.sport = got.sport;
         EXPECT_TRUE(is_snat_port(got.sport)) << got.sport;
         return packet;
       }},

      {"RemoteNewTcp", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip(kRemote); }, "remote_new", to_remote},
      {"RemoteNewUdp", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip_udp(kRemote); }, "remote_new", to_remote},
      {"RemoteNewByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return s.to_vip(kRemote); }, "remote_new",
       to_remote_by_tc},
      {"RemoteNewIpOptions", kIpv4, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = s.to_vip(kRemote);
         packet.ip_options = Bytes(12, kNop);
         return packet;
       },
       "remote_new", to_remote},
      {"RemoteNewExtension", kIpv6, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = s.to_vip(kRemote);
         packet.extension = kDestinationOptions;
         return packet;
       },
       "remote_new", to_remote},
      {"RemoteNewNodePort", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return tcp(s.at().client, kClientPort, s.at().node, kNodePort, kSyn); }, "remote_new", to_remote},
      {"RemoteNewNeighbourUnknownByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return s.to_vip(kUnresolved); },
       "remote_new", to_unresolved},
      {"RemoteNewOtherDevice", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.manage_other_device(LB_DEVICE_XDP_REDIRECT);
         return s.to_vip(kUnmanaged);
       },
       "remote_new", to_other_device, XDP_REDIRECT},
      {"RemoteNewSourceOfTheBackend", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.object().sources[5].addr = state::to_abi(Address::literal(s.at().other_node_address));
         for (lb_backend& backend : s.object().backends.values())
           backend.source = 5;
         return s.to_vip(kRemote);
       },
       "remote_new",
       [](const Scene& s, const Packet& sent, const Packet& got) {
         Packet packet = to_remote(s, sent, got);
         packet.src = Address::literal(s.at().other_node_address);
         return packet;
       }},
      {"RemoteNewTagIsExchanged", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const auto uplink = static_cast<std::uint32_t>(s.uplink());
         lb_device device = *s.object().devices.get(uplink);
         device.parent = uplink;
         device.vlan_id = 0x123;
         EXPECT_TRUE(s.object().devices.put(uplink, device));
         return tagged(s.to_vip(kRemote), 0x6007);
       },
       "remote_new",
       [](const Scene& s, const Packet& sent, const Packet& got) {
         Packet packet = to_remote(s, sent, got);
         packet.vlan = 0x6123;
         return packet;
       }},
      {"RemoteHit", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kRemote);
         return s.to_vip(kRemote, kAck);
       },
       "remote_hit", to_remote},
      {"RemoteHitUdp", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin_udp(kRemote);
         return s.to_vip_udp(kRemote, 33);
       },
       "remote_hit", to_remote},
      {"RemoteHitByTc", kBoth, LB_HOOK_TC_INGRESS,
       [](Scene& s) {
         s.begin(kRemote);
         return s.to_vip(kRemote, kAck);
       },
       "remote_hit", to_remote_by_tc},
      {"RemoteNewWhenDraining", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kRemote);
         for (lb_backend& backend : s.object().backends.values())
           backend.flags |= LB_BACKEND_DRAINING;
         return s.to_vip(kRemote);
       },
       "remote_new", to_remote},
      {"RemoteHitWhenDraining", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kRemote);
         for (lb_backend& backend : s.object().backends.values())
           backend.flags |= LB_BACKEND_DRAINING;
         return s.to_vip(kRemote, kAck);
       },
       "remote_hit", to_remote},

      {"UnresolvedNeighbour", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip(kUnresolved); }, "unresolved"},
      {"UnresolvedDevice", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.manage_other_device(0);
         return s.to_vip(kUnmanaged);
       },
       "unresolved"},
      {"UnresolvedTagged", kBoth, LB_HOOK_XDP, [](Scene& s) { return tagged(s.to_vip(kRemote), 7); }, "unresolved"},
  };
}

std::vector<Row> reply_rows() {
  using enum Families;
  return {
      {"LocalReply", kBoth, LB_HOOK_TC_EGRESS, [](Scene& s) { return reverse(s.begin(kLocal), kSyn | kAck); },
       "local_reply", local_reply},
      {"LocalReplyUdp", kBoth, LB_HOOK_TC_EGRESS, [](Scene& s) { return reverse(s.begin_udp(kLocal)); }, "local_reply",
       local_reply},
      {"LocalReplyIpOptions", kIpv4, LB_HOOK_TC_EGRESS,
       [](Scene& s) {
         Packet packet = reverse(s.begin(kLocal));
         packet.ip_options = Bytes(8, kNop);
         return packet;
       },
       "local_reply", local_reply},
      {"LocalReplyExtension", kIpv6, LB_HOOK_TC_EGRESS,
       [](Scene& s) {
         Packet packet = reverse(s.begin(kLocal));
         packet.extension = kDestinationOptions;
         return packet;
       },
       "local_reply", local_reply},
      {"LocalReplyClash", kBoth, LB_HOOK_TC_EGRESS,
       [](Scene& s) {
         s.begin(kLocal);
         return reverse(s.begin(kAlsoLocal), kSyn | kAck);
       },
       "local_reply",
       [](const Scene& s, const Packet& sent, const Packet&) {
         Packet packet = from_vip(s, sent, kAlsoLocal);
         packet.dport = kClientPort;
         return packet;
       }},
      // While another CPU writes the entry nobody can say what the packet's source must become; as it is it would end
      // the connection.
      {"LocalReplyHeld", kBoth, LB_HOOK_TC_EGRESS,
       [](Scene& s) {
         const Packet reply = reverse(s.begin(kLocal));
         s.hold_flow_table();
         return reply;
       },
       "flow_busy"},
      {"NotOursPodsOwnTraffic", kBoth, LB_HOOK_TC_EGRESS,
       [](Scene& s) { return tcp(s.at().pod, 50000, s.at().client, 443, kSyn); }, "not_ours"},
      {"NotOursAnothersTraffic", kBoth, LB_HOOK_TC_EGRESS,
       [](Scene& s) { return tcp(s.at().router, 8080, s.at().client, kClientPort); }, "not_ours"},
      {"NotOursPodsOwnMalformed", kBoth, LB_HOOK_TC_EGRESS,
       [](Scene& s) { return cut(build(tcp(s.at().pod, 50000, s.at().client, 443)), s.l4() + 12); }, "not_ours"},
      {"NotOursPodsOwnProtocol", kBoth, LB_HOOK_TC_EGRESS,
       [](Scene& s) {
         Packet packet = udp(s.at().pod, 0, s.at().client, 0);
         packet.sport = packet.dport = 0;
         packet.proto = 132;
         return packet;
       },
       "not_ours"},
      // Arriving, it comes from somebody who took the pod's address.
      {"NotOursLocalReplyArriving", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const Packet request = s.begin(kLocal);
         s.object().filter[0].classes[state::filter_bucket(
             state::to_abi(request.src), static_cast<std::uint8_t>(request.src.family))] = LB_CLASS_VIP;
         Packet reply = reverse(request, kSyn | kAck);
         reply.dmac = s.node_mac;
         return reply;
       },
       "not_ours"},

      {"RemoteReply", kBoth, LB_HOOK_XDP, [](Scene& s) { return reverse(s.begin(kRemote), kSyn | kAck); },
       "remote_reply", remote_reply},
      {"RemoteReplyUdp", kBoth, LB_HOOK_XDP, [](Scene& s) { return reverse(s.begin_udp(kRemote)); }, "remote_reply",
       remote_reply},
      {"RemoteReplyByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return reverse(s.begin(kRemote), kSyn | kAck); },
       "remote_reply", remote_reply_by_tc},
      {"RemoteReplyNodePort", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         return reverse(s.xdp(tcp(s.at().client, kClientPort, s.at().node, kNodePort, kSyn)).packet, kSyn | kAck);
       },
       "remote_reply", node_port_reply},
      // The forward entry was lost: the same selection and the same port bring it back.
      {"RemoteNewFindsItsPortAgain", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.remembered = s.begin(kRemote);
         s.lose_entries(0);
         return s.to_vip(kRemote, kAck);
       },
       "remote_new",
       [](const Scene& s, const Packet& sent, const Packet& got) {
         Packet packet = to_remote(s, sent, got);
         packet.sport = s.remembered.sport;
         return packet;
       }},
      {"RemoteReplyHealed", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const Packet request = s.begin(kRemote);
         s.lose_entries(LB_FLOW_REPLY);
         s.empty_snat_pools();
         s.pass(std::chrono::seconds(10));
         s.xdp(s.to_vip(kRemote, kAck));
         return reverse(request);
       },
       "remote_reply", remote_reply},
      // Its port is taken: by whoever takes the flow out at this moment, or by another flow.
      {"RemoteReplyNotHealedWithoutItsPort", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const Packet request = s.begin(kRemote);
         s.lose_entries(LB_FLOW_REPLY);
         s.pass(std::chrono::seconds(10));
         s.xdp(s.to_vip(kRemote, kAck));
         return reverse(request);
       },
       "no_service"},
      {"LocalReplyHealed", kBoth, LB_HOOK_TC_EGRESS,
       [](Scene& s) {
         const Packet request = s.begin(kLocal);
         s.lose_entries(LB_FLOW_REPLY);
         s.pass(std::chrono::seconds(10));
         s.xdp(s.to_vip(kLocal, kAck));
         return reverse(request);
       },
       "local_reply", local_reply},
      {"RemoteReplyAfterBackendGoneUdp", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const Packet reply = reverse(s.begin_udp(kRemote));
         s.lose_backend(kRemote);
         return reply;
       },
       "remote_reply", remote_reply},
  };
}

}  // namespace fairlead::test
