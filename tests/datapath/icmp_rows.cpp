// SPDX-License-Identifier: Apache-2.0
#include <linux/bpf.h>

#include <algorithm>

#include "tests/datapath/rows.h"

// ICMP errors about flows, and what else of ICMP comes to an owned address.
namespace fairlead::test {
namespace {

constexpr std::uint8_t kCode = 3;

Packet error_about(const Scene& s, const std::string& src, const std::string& dst, const Packet& quoted,
                   std::size_t quoted_l4 = 8) {
  return icmp_error(src, dst, s.at().unreachable_type, kCode, quoted, quoted_l4);
}

// The quote is of the packet as it would have been without us, but for what was lost on its way.
Packet original(const Packet& quoted, const std::string& src, std::uint16_t sport, const std::string& dst,
                std::uint16_t dport) {
  Packet packet = quoted;
  packet.src = Address::literal(src);
  packet.dst = Address::literal(dst);
  packet.sport = sport;
  packet.dport = dport;
  return packet;
}

Packet sent_on(Packet packet, const Mac& dmac, const Mac& smac) {
  packet.ttl -= 1;
  packet.dmac = dmac;
  packet.smac = smac;
  return packet;
}

Packet about_request_by_tc(const Scene& s, const Packet& sent, const Packet&) {
  Packet quoted = dissect_quoted(sent).packet;
  quoted.payload.clear();
  const Packet request = original(quoted, s.at().client, kClientPort, s.at().vip, kRemote);
  Packet packet = error_about(s, s.at().vip, s.at().client, request);
  packet.ttl = sent.ttl;
  packet.ttl -= 1;
  return packet;
}

Packet about_request(const Scene& s, const Packet& sent, const Packet& got) {
  Packet packet = about_request_by_tc(s, sent, got);
  packet.dmac = s.gateway_mac;
  packet.smac = s.node_mac;
  return packet;
}

// Only headers can be compared: the quoted checksum is the one that the translated packet had.
Packet about_request_long(const Scene& s, const Packet& sent, const Packet& got) {
  const Packet quoted = dissect_quoted(got).packet;
  EXPECT_EQ(dissect_quoted(got).error, "");
  EXPECT_EQ(quoted.src, Address::literal(s.at().client));
  EXPECT_EQ(quoted.sport, kClientPort);
  EXPECT_EQ(quoted.dst, Address::literal(s.at().vip));
  EXPECT_EQ(quoted.dport, kRemote);
  Packet packet = sent_on(sent, s.gateway_mac, s.node_mac);
  packet.src = Address::literal(s.at().vip);
  packet.dst = Address::literal(s.at().client);
  packet.payload = got.payload;
  return packet;
}

// A router between us and the client, about a reply that a remote backend's client never saw.
Packet lost_remote_reply(Scene& s) {
  const Packet reply = s.xdp(reverse(s.begin(kRemote), kSyn | kAck)).packet;
  return error_about(s, s.at().router, s.at().vip, reply);
}

Packet about_remote_reply(const Scene& s, const Packet& sent, const Packet& got) {
  const Packet got_quoted = dissect_quoted(got).packet;
  Packet quoted = dissect_quoted(sent).packet;
  quoted.payload.clear();
  const Packet reply = original(quoted, s.at().remote, kBackendPort, s.at().node, got_quoted.dport);
  return sent_on(error_about(s, s.at().node, s.at().remote, reply), s.node2_mac, s.node_mac);
}

Packet lost_local_reply(Scene& s) {
  const Packet reply = s.tc_egress(reverse(s.begin(kLocal), kSyn | kAck)).packet;
  return error_about(s, s.at().router, s.at().vip, reply);
}

Packet about_local_reply(const Scene& s, const Packet& sent, const Packet&) {
  Packet quoted = dissect_quoted(sent).packet;
  quoted.payload.clear();
  const Packet reply = original(quoted, s.at().pod, kBackendPort, s.at().client, kClientPort);
  return error_about(s, s.at().router, s.at().pod, reply);
}

Packet about_local_request(const Scene& s, const Packet& sent, const Packet&) {
  Packet quoted = dissect_quoted(sent).packet;
  quoted.payload.clear();
  const Packet request = original(quoted, s.at().client, kClientPort, s.at().vip, kLocal);
  return error_about(s, s.at().vip, s.at().client, request);
}

// About the first fragment of a reply: the quote has a fragment header in between.
Packet lost_first_fragment(Scene& s) {
  Packet error = lost_local_reply(s);
  const Bytes fragment = {error.payload[6], 0, 0, 1, 0, 0, 0, 9};
  error.payload[6] = 44;
  error.payload.insert(error.payload.begin() + 40, fragment.begin(), fragment.end());
  return error;
}

Packet of_type(Packet packet, std::uint8_t type) {
  packet.icmp_type = type;
  return packet;
}

}  // namespace

std::vector<Row> icmp_rows() {
  using enum Families;
  return {
      {"IcmpRemoteAboutRequest", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return error_about(s, s.at().router, s.at().node, s.begin(kRemote)); }, "icmp_remote",
       about_request},
      {"IcmpRemoteAboutRequestByTc", kBoth, LB_HOOK_TC_INGRESS,
       [](Scene& s) { return error_about(s, s.at().router, s.at().node, s.begin(kRemote)); }, "icmp_remote",
       about_request_by_tc},
      {"IcmpRemoteAboutRequestLongQuote", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return error_about(s, s.at().router, s.at().node, s.begin(kRemote), 20); }, "icmp_remote",
       about_request_long},
      {"IcmpRemoteAboutRequestWithOptions", kIpv4, LB_HOOK_XDP,
       [](Scene& s) {
         Packet request = s.begin(kRemote);
         request.ip_options = Bytes(40, 1);
         return error_about(s, s.at().router, s.at().node, request);
       },
       "icmp_remote", about_request_long},
      {"IcmpRemoteAboutReply", kBoth, LB_HOOK_XDP, lost_remote_reply, "icmp_remote", about_remote_reply},
      {"IcmpLocalAboutReply", kBoth, LB_HOOK_XDP, lost_local_reply, "icmp_local", about_local_reply},
      {"IcmpLocalAboutReplyByTc", kBoth, LB_HOOK_TC_INGRESS, lost_local_reply, "icmp_local", about_local_reply},
      {"IcmpLocalFromPod", kBoth, LB_HOOK_TC_EGRESS,
       [](Scene& s) { return error_about(s, s.at().pod, s.at().client, s.begin(kLocal)); }, "icmp_local",
       about_local_request},
      // This node's stack is the one that finds a packet too big for a pod, or at its last hop.
      {"IcmpLocalFromNode", kBoth, LB_HOOK_TC_EGRESS,
       [](Scene& s) { return error_about(s, s.at().node, s.at().client, s.begin(kLocal)); }, "icmp_local",
       about_local_request},
      {"IcmpFromNodeAboutItsOwn", kBoth, LB_HOOK_TC_EGRESS,
       [](Scene& s) {
         return error_about(s, s.at().node, s.at().client, udp(s.at().client, kClientPort, s.at().node, 9));
       },
       "not_ours"},
      {"EchoReplyFromNode", kBoth, LB_HOOK_TC_EGRESS,
       [](Scene& s) {
         Packet packet = of_type(s.echo(), s.at().echo_reply);
         packet.src = Address::literal(s.at().node);
         packet.dst = Address::literal(s.at().client);
         return packet;
       },
       "not_ours"},
      {"IcmpLocalAboutFirstFragment", kIpv6, LB_HOOK_XDP, lost_first_fragment, "icmp_local",
       [](const Scene& s, const Packet& sent, const Packet& got) {
         Packet packet = sent;
         packet.dst = Address::literal(s.at().pod);
         packet.payload = got.payload;
         const auto pod = Address::literal(s.at().pod).bytes;
         EXPECT_TRUE(std::equal(pod.begin(), pod.end(), got.payload.begin() + 8));
         return packet;
       }},
      {"IcmpAboutLaterFragment6", kIpv6, LB_HOOK_XDP,
       [](Scene& s) {
         Packet error = lost_first_fragment(s);
         error.payload[43] = 8;
         return error;
       },
       "no_flow"},
      {"IcmpUnresolved", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const Packet request = s.begin(kUnresolved, LB_HOOK_TC_INGRESS);
         return error_about(s, s.at().router, s.at().vip,
                            original(request, s.at().vip, kUnresolved, s.at().client, kClientPort));
       },
       "unresolved"},
      {"IcmpAtItsLastHop", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = lost_remote_reply(s);
         packet.ttl = 1;
         return packet;
       },
       "no_flow"},
      {"IcmpAboutNoFlow", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         return error_about(s, s.at().router, s.at().vip, tcp(s.at().vip, kLocal, s.at().client, kClientPort));
       },
       "no_flow"},
      {"IcmpAboutNoFlowForHost", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         return error_about(s, s.at().router, s.at().node, tcp(s.at().node, 22, s.at().client, kClientPort));
       },
       "not_ours"},
      {"IcmpQuoteTooShort", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = lost_local_reply(s);
         packet.payload.resize(packet.payload.size() - 5);
         return packet;
       },
       "no_flow"},
      // What stands behind the datagram in its frame is nobody's.
      {"IcmpQuoteInPadding", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = lost_local_reply(s);
         const Bytes whole = build(packet);
         packet.payload.resize(packet.payload.size() - 8);
         Bytes bytes = build(packet);
         bytes.insert(bytes.end(), whole.end() - 8, whole.end());
         return bytes;
       },
       "no_flow"},
      {"IcmpAboutEcho", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return error_about(s, s.at().router, s.at().vip, reverse(s.echo())); }, "no_flow"},
      {"IcmpAboutLaterFragment", kIpv4, LB_HOOK_XDP,
       [](Scene& s) {
         Packet reply = s.tc_egress(reverse(s.begin(kLocal), kSyn | kAck)).packet;
         Packet error = error_about(s, s.at().router, s.at().vip, reply);
         error.payload[7] = 1;
         return error;
       },
       "no_flow"},
      // An error that claims to be about what only leaves this node by tc.
      {"IcmpAboutForgedLocalRequest", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return error_about(s, s.at().router, s.at().vip, s.begin(kLocal)); }, "no_flow"},
      {"IcmpFromPodAboutNoFlow", kBoth, LB_HOOK_TC_EGRESS,
       [](Scene& s) {
         return error_about(s, s.at().pod, s.at().client, tcp(s.at().client, kClientPort, s.at().pod, 9));
       },
       "not_ours"},
      {"EchoFromPod", kBoth, LB_HOOK_TC_EGRESS,
       [](Scene& s) {
         Packet packet = s.echo();
         packet.src = Address::literal(s.at().pod);
         packet.dst = Address::literal(s.at().client);
         return packet;
       },
       "not_ours"},
      {"EchoForHost", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = s.echo();
         packet.dst = Address::literal(s.at().node);
         return packet;
       },
       "not_ours"},
      // Routed on, it would come back for as long as it has hops.
      {"EchoReplyToVip", kBoth, LB_HOOK_XDP, [](Scene& s) { return of_type(s.echo(), s.at().echo_reply); }, "no_flow"},
      {"TimestampToVip", kIpv4, LB_HOOK_XDP, [](Scene& s) { return of_type(s.echo(), 13); }, "no_flow"},
      // A neighbour that asks whether we are still there asks the stack.
      {"NeighbourSolicitation", kIpv6, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = of_type(s.echo(), 135);
         packet.ttl = 255;
         return packet;
       },
       "not_ours"},
      {"NeighbourSolicitationFromFar", kIpv6, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = of_type(s.echo(), 135);
         packet.ttl = 254;
         return packet;
       },
       "no_flow"},
  };
}

}  // namespace fairlead::test
