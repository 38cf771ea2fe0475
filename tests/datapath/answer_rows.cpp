// SPDX-License-Identifier: Apache-2.0
#include <linux/bpf.h>

#include "tests/datapath/rows.h"

// What is answered at once, by whichever program saw it.
namespace fairlead::test {
namespace {

constexpr std::size_t kQuotedL4 = 8;

// What an answer of our own making has in common with the packet it answers.
Packet answer_to(const Packet& sent) {
  Packet packet;
  packet.dmac = sent.smac;
  packet.smac = sent.dmac;
  packet.vlan = sent.vlan;
  packet.src = sent.dst;
  packet.dst = sent.src;
  packet.ttl = 64;
  if (!packet.is_ipv4()) return packet;
  packet.ip_id = 0;
  packet.dont_fragment = true;
  return packet;
}

// RFC 9293, 3.10.7.1.
Packet reset(const Scene&, const Packet& sent, const Packet&) {
  Packet packet = answer_to(sent);
  packet.sport = sent.dport;
  packet.dport = sent.sport;
  const auto length =
      static_cast<std::uint32_t>(sent.payload.size()) + !!(sent.tcp_flags & kSyn) + !!(sent.tcp_flags & kFin);
  packet.tcp_flags = sent.tcp_flags & kAck ? kRst : kRst | kAck;
  packet.seq = sent.tcp_flags & kAck ? sent.ack : 0;
  packet.ack = sent.tcp_flags & kAck ? 0 : sent.seq + length;
  return packet;
}

Packet error(const Packet& sent, std::uint8_t type, std::uint8_t code, std::uint32_t rest = 0) {
  const Packet quoting = icmp_error("0.0.0.0", "0.0.0.0", type, code, sent, kQuotedL4);
  Packet packet = answer_to(sent);
  packet.proto = sent.is_ipv4() ? LB_IPPROTO_ICMP : LB_IPPROTO_ICMPV6;
  packet.icmp_type = type;
  packet.icmp_code = code;
  packet.icmp_rest = rest;
  packet.payload = quoting.payload;
  return packet;
}

Packet port_unreachable(const Scene& s, const Packet& sent, const Packet&) {
  return s.is_ipv4() ? error(sent, 3, 3) : error(sent, 1, 4);
}

Packet time_exceeded(const Scene& s, const Packet& sent, const Packet&) {
  return s.is_ipv4() ? error(sent, 11, 0) : error(sent, 3, 0);
}

Packet too_big(const Scene& s, const Packet& sent, const Packet&) {
  return s.is_ipv4() ? error(sent, 3, 4, 1400) : error(sent, 2, 0, 1400);
}

Packet echo_reply(const Scene& s, const Packet& sent, const Packet&) {
  Packet packet = sent;
  std::swap(packet.src, packet.dst);
  std::swap(packet.smac, packet.dmac);
  packet.ttl = 64;
  packet.icmp_type = s.at().echo_reply;
  return packet;
}

Packet last_hop(Packet packet) {
  packet.ttl = 1;
  return packet;
}

// In all, as layer 3 counts.
Packet of_length(const Scene& s, Packet packet, std::size_t length) {
  packet.payload.resize(length - s.ip_header() - (packet.proto == LB_IPPROTO_TCP ? 20 : 8));
  return packet;
}

Packet tagged(Packet packet) {
  packet.vlan = 0xe064;
  return packet;
}

}  // namespace

std::vector<Row> answer_rows() {
  using enum Families;
  return {
      {"ClosedPortSyn", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip(kClosed); }, "answer_closed_port", reset},
      {"ClosedPortSynByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return s.to_vip(kClosed); }, "answer_closed_port",
       reset},
      {"ClosedPortAck", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip(kClosed, kAck); }, "answer_closed_port",
       reset},
      {"ClosedPortData", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = s.to_vip(kClosed, kSyn | kFin);
         packet.payload = Bytes(777, 3);
         return packet;
       },
       "answer_closed_port", reset},
      {"ClosedPortDataByTc", kBoth, LB_HOOK_TC_INGRESS,
       [](Scene& s) {
         Packet packet = s.to_vip(kClosed, kAck);
         packet.payload = Bytes(777, 3);
         return packet;
       },
       "answer_closed_port", reset},
      {"ClosedPortTagged", kBoth, LB_HOOK_XDP, [](Scene& s) { return tagged(s.to_vip(kClosed)); }, "answer_closed_port",
       reset},
      {"ClosedPortIpOptions", kIpv4, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = s.to_vip(kClosed);
         packet.ip_options = Bytes(40, 1);
         return packet;
       },
       "answer_closed_port", reset},
      {"ClosedPortExtension", kIpv6, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = s.to_vip(kClosed);
         packet.extension = {0, 0, 1, 4, 0, 0, 0, 0};
         return packet;
       },
       "answer_closed_port", reset},
      {"ClosedPortUdp", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip_udp(kClosed, 500); }, "answer_closed_port",
       port_unreachable},
      // The answer is longer than the question.
      {"ClosedPortUdpEmpty", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip_udp(kClosed, 0); },
       "answer_closed_port", port_unreachable},
      {"ClosedPortUdpByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return s.to_vip_udp(kClosed, 500); },
       "answer_closed_port", port_unreachable},
      {"ClosedPortUdpEmptyByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return s.to_vip_udp(kClosed, 0); },
       "answer_closed_port", port_unreachable},
      {"NoBackend", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip(kRefused); }, "answer_no_backend", reset},
      {"NoBackendUdp", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip_udp(kRefused); }, "answer_no_backend",
       port_unreachable},
      {"NoBackendByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return s.to_vip(kRefused); }, "answer_no_backend",
       reset},
      {"BackendGone", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kRemote);
         s.lose_backend(kRemote);
         return s.to_vip(kRemote, kAck);
       },
       "answer_backend_gone", reset},
      {"BackendGoneLocal", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kLocal);
         s.lose_backend(kLocal);
         return s.to_vip(kLocal, kAck);
       },
       "answer_backend_gone", reset},
      {"BackendGoneReply", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const Packet reply = reverse(s.begin(kRemote));
         s.lose_backend(kRemote);
         return reply;
       },
       "answer_backend_gone", reset},
      {"BackendGoneSyn", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kRemote);
         s.lose_backend(kRemote);
         return s.to_vip(kRemote);
       },
       "answer_closed_port", reset},
      {"BackendGoneUdp", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin_udp(kRemote);
         s.lose_backend(kRemote);
         return s.to_vip_udp(kRemote);
       },
       "answer_closed_port", port_unreachable},
      {"LastHop", kBoth, LB_HOOK_XDP, [](Scene& s) { return last_hop(s.to_vip(kRemote)); }, "answer_time_exceeded",
       time_exceeded},
      {"LastHopUdpByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return last_hop(s.to_vip_udp(kRemote)); },
       "answer_time_exceeded", time_exceeded},
      {"LastHopOfFlow", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kRemote);
         return last_hop(s.to_vip(kRemote, kAck));
       },
       "answer_time_exceeded", time_exceeded},
      {"LastHopOfReply", kBoth, LB_HOOK_XDP, [](Scene& s) { return last_hop(reverse(s.begin(kRemote))); },
       "answer_time_exceeded", time_exceeded},
      {"TooBig", kBoth, LB_HOOK_XDP, [](Scene& s) { return of_length(s, s.to_vip(kNarrow), 1401); }, "answer_too_big",
       too_big},
      {"TooBigUdp", kBoth, LB_HOOK_XDP, [](Scene& s) { return of_length(s, s.to_vip_udp(kNarrow), 1401); },
       "answer_too_big", too_big},
      {"TooBigByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return of_length(s, s.to_vip(kNarrow), 1401); },
       "answer_too_big", too_big},
      {"TooBigInFlow", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kNarrow);
         return of_length(s, s.to_vip(kNarrow, kAck), 1401);
       },
       "answer_too_big", too_big},
      {"JustFits", kBoth, LB_HOOK_XDP, [](Scene& s) { return of_length(s, s.to_vip(kNarrow), 1400); }, "remote_new",
       [](const Scene& s, const Packet& sent, const Packet& got) {
         Packet packet = sent;
         packet.src = Address::literal(s.at().node);
         packet.sport = got.sport;
         packet.dst = Address::literal(s.at().narrow);
         packet.dport = kBackendPort;
         packet.ttl -= 1;
         packet.dmac = s.node2_mac;
         packet.smac = s.node_mac;
         return packet;
       }},
      {"Echo", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.echo(); }, "answer_echo", echo_reply},
      {"EchoByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return s.echo(); }, "answer_echo", echo_reply},
      {"EchoTagged", kBoth, LB_HOOK_XDP, [](Scene& s) { return tagged(s.echo()); }, "answer_echo", echo_reply},
      {"EchoIpOptions", kIpv4, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = s.echo();
         packet.ip_options = Bytes(8, 1);
         return packet;
       },
       "answer_echo", echo_reply},
  };
}

}  // namespace fairlead::test
