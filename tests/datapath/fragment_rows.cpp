// SPDX-License-Identifier: Apache-2.0
#include <linux/bpf.h>

#include "tests/datapath/rows.h"

// Fragments: the first has the ports, and the others follow it by source, destination and identification. Every row has
// an identification of its own, because what is remembered outlives a test.
namespace fairlead::test {
namespace {

Packet first(Packet packet, std::uint16_t id) {
  packet.ip_id = id;
  packet.more_fragments = true;
  return packet;
}

Packet later(const Packet& first, std::uint16_t offset, bool more = false) {
  Packet packet = first;
  packet.sport = packet.dport = 0;
  packet.tcp_flags = Packet().tcp_flags;
  packet.fragment_offset = offset;
  packet.more_fragments = more;
  packet.payload = Bytes(24, 0x77);
  return packet;
}

Packet to_pod(const Scene& s, const Packet& sent, const Packet&) {
  Packet packet = sent;
  packet.dst = Address::literal(s.at().pod);
  if (!packet.fragment_offset) packet.dport = kBackendPort;
  return packet;
}

Packet to_remote(const Scene& s, const Packet& sent, const Packet& got) {
  Packet packet = sent;
  packet.src = Address::literal(s.at().node);
  packet.dst = Address::literal(s.at().remote);
  packet.sport = got.sport;
  packet.ip_id = got.ip_id;  // fragment_test.cpp
  if (!packet.fragment_offset) packet.dport = kBackendPort;
  packet.ttl -= 1;
  packet.dmac = s.node2_mac;
  packet.smac = s.node_mac;
  return packet;
}

Packet reply_to_client(const Scene& s, const Packet& sent, const Packet& got) {
  Packet packet = sent;
  packet.ip_id = got.ip_id;
  packet.src = Address::literal(s.at().vip);
  packet.dst = Address::literal(s.at().client);
  packet.ttl -= 1;
  packet.dmac = s.gateway_mac;
  packet.smac = s.node_mac;
  return packet;
}

Packet local_reply(const Scene& s, const Packet& sent, const Packet& got) {
  Packet packet = sent;
  packet.ip_id = got.ip_id;
  packet.src = Address::literal(s.at().vip);
  return packet;
}

}  // namespace

std::vector<Row> fragment_rows() {
  using enum Families;
  return {
      {"FirstFragmentLocal", kBoth, LB_HOOK_XDP, [](Scene& s) { return first(s.to_vip_udp(kLocal, 32), 0x100); },
       "local_new", to_pod},
      {"FirstFragmentRemote", kBoth, LB_HOOK_XDP, [](Scene& s) { return first(s.to_vip_udp(kRemote, 32), 0x101); },
       "remote_new", to_remote},
      {"LaterFragmentLocal", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const Packet head = first(s.to_vip_udp(kLocal, 32), 0x102);
         s.xdp(head);
         return later(head, 40);
       },
       "local_hit", to_pod},
      {"LaterFragmentByTc", kBoth, LB_HOOK_TC_INGRESS,
       [](Scene& s) {
         const Packet head = first(s.to_vip_udp(kLocal, 32), 0x103);
         s.tc_ingress(head);
         return later(head, 40);
       },
       "local_hit", to_pod},
      {"LaterFragmentRemote", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const Packet head = first(s.to_vip_udp(kRemote, 32), 0x104);
         s.xdp(head);
         return later(head, 40, true);
       },
       "remote_hit", to_remote},
      {"LaterFragmentTcp", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         Packet head = first(s.to_vip(kRemote, kAck), 0x105);
         head.payload = Bytes(28, 1);
         s.xdp(head);
         return later(head, 48);
       },
       "remote_hit", to_remote},
      {"LaterFragmentOfReply", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const Packet head = first(reverse(s.begin_udp(kRemote)), 0x106);
         s.xdp(head);
         return later(head, 16);
       },
       "remote_reply", reply_to_client},
      {"LaterFragmentOfLocalReply", kBoth, LB_HOOK_TC_EGRESS,
       [](Scene& s) {
         const Packet head = first(reverse(s.begin_udp(kLocal)), 0x107);
         s.tc_egress(head);
         return later(head, 16);
       },
       "local_reply", local_reply},
      {"LaterFragmentBeforeFirst", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return later(first(s.to_vip_udp(kLocal, 32), 0x108), 40); }, "fragment_unknown"},
      {"LaterFragmentOfAnother", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const Packet head = first(s.to_vip_udp(kLocal, 32), 0x109);
         s.xdp(head);
         Packet packet = later(head, 40);
         packet.ip_id = 0x10a;
         return packet;
       },
       "fragment_unknown"},
      {"LaterFragmentOfOtherProtocol", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const Packet head = first(s.to_vip_udp(kLocal, 32), 0x10b);
         s.xdp(head);
         Packet packet = later(head, 40);
         packet.proto = LB_IPPROTO_TCP;
         return packet;
       },
       "fragment_unknown"},
      {"LaterFragmentForHost", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return later(first(udp(s.at().client, kClientPort, s.at().node, 53), 0x10c), 40); }, "not_ours"},
      {"LaterFragmentAfterBackendGone", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         Packet head = first(s.to_vip(kRemote, kAck), 0x10d);
         head.payload = Bytes(28, 1);
         s.xdp(head);
         s.lose_backend(kRemote);
         return later(head, 48);
       },
       "no_flow"},
      // Its length says more than the frame holds; counted in 16 bits it would fit.
      {"LaterFragmentLengthOverflows", kIpv6, LB_HOOK_XDP,
       [](Scene& s) {
         const Packet head = first(s.to_vip_udp(kLocal, 32), 0x10e);
         s.xdp(head);
         return patched(build(later(head, 40)), s.l3() + 4, {0xff, 0xff});
       },
       "malformed"},
      {"FirstFragmentHalfAHeader", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = later(first(s.to_vip(kLocal), 0x10f), 8, true);
         packet.payload = Bytes(16, 0);
         Bytes bytes = build(packet);
         return patched(bytes, s.is_ipv4() ? s.l3() + 6 : s.l4() + 2,
                        {s.is_ipv4() ? std::uint8_t{0x20} : std::uint8_t{0}, std::uint8_t(s.is_ipv4() ? 0 : 1)});
       },
       "malformed"},
      // Answering the first fragment alone would make an answer that nobody can put together.
      {"EchoFirstFragment", kBoth, LB_HOOK_XDP, [](Scene& s) { return first(s.echo(), 0x110); }, "unsupported"},
      {"AtomicFragment", kIpv6, LB_HOOK_XDP,
       [](Scene& s) { return patched(build(first(s.to_vip_udp(kLocal, 32), 0x111)), s.l4() + 2, {0, 0}); }, "local_new",
       [](const Scene& s, const Packet& sent, const Packet& got) { return to_pod(s, sent, got); }},
  };
}

}  // namespace fairlead::test
