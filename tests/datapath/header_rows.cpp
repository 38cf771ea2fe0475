// SPDX-License-Identifier: Apache-2.0
#include <linux/bpf.h>

#include "tests/datapath/rows.h"

// Headers that are cut off or contradict each other. IPv4 header checksums are right, so that only the one thing is
// wrong.
namespace fairlead::test {
namespace {

Bytes syn(const Scene& s) {
  return build(s.to_vip(kLocal));
}

Bytes datagram(const Scene& s) {
  return build(s.to_vip_udp(kLocal, 30));
}

Bytes with_tot_len(Bytes bytes, std::uint16_t length) {
  return with_ipv4_checksum(
      patched(std::move(bytes), 14 + 2, {static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)}));
}

Bytes with_payload_len(Bytes bytes, std::uint16_t length) {
  return patched(std::move(bytes), 14 + 4, {static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)});
}

// The length behind the fixed IP header, whichever field says so.
Bytes with_length(const Scene& s, Bytes bytes, std::size_t length) {
  return s.is_ipv4() ? with_tot_len(std::move(bytes), static_cast<std::uint16_t>(20 + length))
                     : with_payload_len(std::move(bytes), static_cast<std::uint16_t>(length));
}

// A TCP SYN behind this many extension headers of 8 bytes, of this type.
Bytes extended(const Scene& s, std::size_t headers, std::uint8_t type) {
  Bytes bytes = syn(s);
  bytes[s.l3() + 6] = type;
  for (std::size_t i = 0; i < headers; ++i) {
    const Bytes header = {i == 0 ? std::uint8_t{LB_IPPROTO_TCP} : type, 0, 1, 4, 0, 0, 0, 0};
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(s.l4()), header.begin(), header.end());
  }
  return with_payload_len(std::move(bytes), static_cast<std::uint16_t>(bytes.size() - s.l4()));
}

}  // namespace

std::vector<Row> header_rows() {
  using enum Families;
  return {
      // Whose it is stands in the part that is missing.
      {"IpHeaderCut", kBoth, LB_HOOK_XDP, [](Scene& s) { return cut(syn(s), s.l4() - 1); }, "not_ours"},
      {"IpHeaderMissing", kBoth, LB_HOOK_XDP, [](Scene& s) { return cut(syn(s), s.l3()); }, "not_ours"},
      {"TransportMissing", kBoth, LB_HOOK_XDP, [](Scene& s) { return cut(syn(s), s.l4()); }, "malformed"},
      {"TcpCut", kBoth, LB_HOOK_XDP, [](Scene& s) { return with_length(s, cut(syn(s), s.l4() + 19), 19); },
       "malformed"},
      {"TcpCutByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return with_length(s, cut(syn(s), s.l4() + 19), 19); },
       "malformed"},
      {"UdpCut", kBoth, LB_HOOK_XDP, [](Scene& s) { return with_length(s, cut(datagram(s), s.l4() + 7), 7); },
       "malformed"},
      {"IcmpCut", kBoth, LB_HOOK_XDP, [](Scene& s) { return with_length(s, cut(build(s.echo()), s.l4() + 7), 7); },
       "malformed"},
      {"FrameCut", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const Bytes bytes = datagram(s);
         return cut(bytes, bytes.size() - 1);
       },
       "malformed"},
      {"FrameCutByTc", kBoth, LB_HOOK_TC_INGRESS,
       [](Scene& s) {
         const Bytes bytes = datagram(s);
         return cut(bytes, bytes.size() - 1);
       },
       "malformed"},
      {"FramePadded", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         Bytes bytes = datagram(s);
         bytes.resize(bytes.size() + 20);
         return bytes;
       },
       "local_new",
       [](const Scene& s, const Packet& sent, const Packet&) {
         Packet packet = sent;
         packet.dst = Address::literal(s.at().pod);
         packet.dport = kBackendPort;
         return packet;
       }},
      // The frame holds the whole header, but the datagram ends within it.
      {"LengthEndsInTcp", kBoth, LB_HOOK_XDP, [](Scene& s) { return with_length(s, syn(s), 19); }, "malformed"},
      {"LengthEndsInUdp", kBoth, LB_HOOK_XDP, [](Scene& s) { return with_length(s, datagram(s), 7); }, "malformed"},
      {"LengthEndsInIcmp", kBoth, LB_HOOK_XDP, [](Scene& s) { return with_length(s, build(s.echo()), 7); },
       "malformed"},
      {"LengthZeroIcmp", kBoth, LB_HOOK_XDP, [](Scene& s) { return with_length(s, build(s.echo()), 0); }, "malformed"},
      {"TotLenBelowHeader", kIpv4, LB_HOOK_XDP, [](Scene& s) { return with_tot_len(syn(s), 19); }, "malformed"},
      {"TotLenZero", kIpv4, LB_HOOK_XDP, [](Scene& s) { return with_tot_len(syn(s), 0); }, "malformed"},
      {"TotLenHuge", kIpv4, LB_HOOK_XDP, [](Scene& s) { return with_tot_len(syn(s), 0xffff); }, "malformed"},
      {"PayloadLenOverflows", kIpv6, LB_HOOK_XDP, [](Scene& s) { return with_payload_len(syn(s), 0xffff); },
       "malformed"},
      {"PayloadLenOverflowsEcho", kIpv6, LB_HOOK_XDP,
       [](Scene& s) { return with_payload_len(build(s.echo()), 0xffff); }, "malformed"},
      {"HeaderLengthFour", kIpv4, LB_HOOK_XDP,
       [](Scene& s) { return with_ipv4_checksum(patched(syn(s), s.l3(), {0x44})); }, "malformed"},
      {"HeaderLengthBeyond", kIpv4, LB_HOOK_XDP,
       [](Scene& s) { return with_ipv4_checksum(patched(syn(s), s.l3(), {0x4f})); }, "malformed"},
      {"VersionOfOtherFamily", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         return s.is_ipv4() ? with_ipv4_checksum(patched(syn(s), s.l3(), {0x65})) : patched(syn(s), s.l3(), {0x40});
       },
       "malformed"},
      {"DataOffsetFour", kBoth, LB_HOOK_XDP, [](Scene& s) { return patched(syn(s), s.l4() + 12, {0x40}); },
       "malformed"},
      {"DataOffsetBeyond", kBoth, LB_HOOK_XDP, [](Scene& s) { return patched(syn(s), s.l4() + 12, {0xf0}); },
       "malformed"},
      // Otherwise the reset would acknowledge a length below zero.
      {"DataOffsetBeyondToClosedPort", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return patched(build(s.to_vip(kClosed)), s.l4() + 12, {0xf0}); }, "malformed"},
      {"UdpLengthSeven", kBoth, LB_HOOK_XDP, [](Scene& s) { return patched(datagram(s), s.l4() + 4, {0, 7}); },
       "malformed"},
      {"UdpLengthBeyond", kBoth, LB_HOOK_XDP, [](Scene& s) { return patched(datagram(s), s.l4() + 4, {0, 39}); },
       "malformed"},
      {"FourExtensions", kIpv6, LB_HOOK_XDP, [](Scene& s) { return extended(s, 4, 60); }, "local_new",
       [](const Scene&, const Packet&, const Packet& got) { return got; }},
      {"FiveExtensions", kIpv6, LB_HOOK_XDP, [](Scene& s) { return extended(s, 5, 60); }, "unsupported"},
      {"HopByHop", kIpv6, LB_HOOK_XDP, [](Scene& s) { return extended(s, 1, 0); }, "local_new",
       [](const Scene&, const Packet&, const Packet& got) { return got; }},
      {"NoNextHeader", kIpv6, LB_HOOK_XDP, [](Scene& s) { return patched(syn(s), s.l3() + 6, {59}); }, "unsupported"},
      {"ExtensionCut", kIpv6, LB_HOOK_XDP,
       [](Scene& s) { return with_payload_len(cut(extended(s, 1, 60), s.l4() + 5), 5); }, "malformed"},
      {"ExtensionBeyondFrame", kIpv6, LB_HOOK_XDP,
       [](Scene& s) { return patched(extended(s, 1, 60), s.l4() + 1, {255}); }, "malformed"},
      {"MalformedForHost", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return cut(build(tcp(s.at().client, kClientPort, s.at().node, 22, kSyn)), s.l4() + 12); },
       "not_ours"},
      {"MalformedReply", kBoth, LB_HOOK_TC_EGRESS,
       [](Scene& s) {
         const Bytes reply = build(reverse(s.begin(kLocal)));
         return cut(reply, s.l4() + 10);
       },
       "not_ours"},
  };
}

}  // namespace fairlead::test
