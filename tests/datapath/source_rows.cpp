// SPDX-License-Identifier: Apache-2.0
#include <linux/bpf.h>

#include "tests/datapath/rows.h"

// Sources that no client has: they begin no flow and get no answer.
namespace fairlead::test {
namespace {

Packet from(Packet packet, const std::string& source) {
  packet.src = Address::literal(source);
  return packet;
}

Row new_flow_from(const char* name, Families families, const std::string& source) {
  return {name, families, LB_HOOK_XDP, [source](Scene& s) { return from(s.to_vip(kLocal), source); }, "martian_source"};
}

Row answer_from(const char* name, Families families, const std::string& source) {
  return {name, families, LB_HOOK_XDP, [source](Scene& s) { return from(s.to_vip_udp(kClosed), source); },
          "martian_source"};
}

}  // namespace

std::vector<Row> source_rows() {
  using enum Families;
  return {
      {"MartianVip", kBoth, LB_HOOK_XDP, [](Scene& s) { return from(s.to_vip_udp(kLocal), s.at().vip); },
       "martian_source"},
      {"MartianVipByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return from(s.to_vip_udp(kRemote), s.at().vip); },
       "martian_source"},
      {"MartianVipToClosedPort", kBoth, LB_HOOK_XDP, [](Scene& s) { return from(s.to_vip(kClosed), s.at().vip); },
       "martian_source"},
      {"MartianVipToNoBackend", kBoth, LB_HOOK_XDP, [](Scene& s) { return from(s.to_vip_udp(kRefused), s.at().vip); },
       "martian_source"},
      {"MartianVipEcho", kBoth, LB_HOOK_XDP, [](Scene& s) { return from(s.echo(), s.at().vip); }, "martian_source"},
      {"MartianVipEchoByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return from(s.echo(), s.at().vip); },
       "martian_source"},
      {"MartianNode", kBoth, LB_HOOK_XDP, [](Scene& s) { return from(s.to_vip(kRemote), s.at().node); },
       "martian_source"},
      {"MartianNodeToNodePort", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return tcp(s.at().node, kClientPort, s.at().node, kNodePort, kSyn); }, "martian_source"},
      {"MartianForNobody", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return tcp(s.at().vip, kClientPort, s.at().elsewhere, kLocal, kSyn); }, "not_ours"},
      {"MartianForHost", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return tcp(s.at().vip, kClientPort, s.at().node, kFreeNodePort, kSyn); }, "no_service"},
      new_flow_from("MartianThisNetwork", kIpv4, "0.1.2.3"),
      new_flow_from("MartianLoopback4", kIpv4, "127.0.0.1"),
      new_flow_from("MartianMulticast4", kIpv4, "224.0.0.1"),
      new_flow_from("MartianReserved", kIpv4, "240.0.0.1"),
      new_flow_from("MartianBroadcast", kIpv4, "255.255.255.255"),
      new_flow_from("MartianUnspecified", kIpv6, "::"),
      new_flow_from("MartianLoopback6", kIpv6, "::1"),
      new_flow_from("MartianMulticast6", kIpv6, "ff02::1"),
      {"MartianMapped", kIpv6, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = from(s.to_vip(kLocal), "::c633:6407");
         packet.src.bytes[10] = packet.src.bytes[11] = 0xff;
         return packet;
       },
       "martian_source"},
      answer_from("MartianAnsweredBroadcast", kIpv4, "255.255.255.255"),
      answer_from("MartianAnsweredMulticast", kIpv6, "ff02::1"),
      {"ClientOnTheLink", kIpv6, LB_HOOK_XDP,
       [](Scene& s) { return tcp("fe80::7", kClientPort, s.at().node, kNodePort, kSyn); }, "remote_new",
       [](const Scene&, const Packet&, const Packet& got) { return got; }},
  };
}

}  // namespace fairlead::test
