// SPDX-License-Identifier: Apache-2.0
#include <linux/bpf.h>

#include "tests/datapath/rows.h"

// What ends here, and what was never ours.
namespace fairlead::test {
namespace {

Packet from(Packet packet, const std::string& client) {
  packet.src = Address::literal(client);
  return packet;
}

Packet of_protocol(Packet packet, std::uint8_t proto) {
  packet.sport = packet.dport = 0;
  packet.proto = proto;
  packet.payload.resize(40);
  return packet;
}

lb_service_key service_key(const Scene& s, std::uint16_t port) {
  const Address vip = Address::literal(s.at().vip);
  return {state::to_abi(vip), static_cast<__be16>(__builtin_bswap16(port)), LB_IPPROTO_TCP,
          static_cast<std::uint8_t>(vip.family)};
}

void change_service(Scene& s, std::uint16_t port, const std::function<void(lb_service&)>& change) {
  lb_service service = *s.object().services.get(service_key(s, port));
  change(service);
  EXPECT_TRUE(s.object().services.put(service_key(s, port), service));
}

}  // namespace

std::vector<Row> drop_rows() {
  using enum Families;
  return {
      {"PolicyDrop", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip(kSilent); }, "policy"},
      {"PolicyDropUdpByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return s.to_vip_udp(kSilent); }, "policy"},
      {"RateLimited", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.object().clock[0].answer_rate = 0;
         return s.to_vip(kClosed);
       },
       "rate_limited"},
      {"RateLimitedEcho", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.object().clock[0].answer_rate = 0;
         return s.echo();
       },
       "rate_limited"},
      {"SnatExhausted", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.fill_snat_pools();
         return s.to_vip(kRemote);
       },
       "snat_exhausted"},
      {"SnatExhaustedForNewcomersOnly", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kRemote);
         s.fill_snat_pools();
         s.xdp(s.to_vip(kRemote, kAck));
         return s.to_vip_udp(kRemote);
       },
       "snat_exhausted"},
      {"FlowTableFull", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.fill_flow_table();
         return s.to_vip(kRemote);
       },
       "flow_table_full"},
      {"FlowTableFullLocal", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.fill_flow_table();
         return s.to_vip(kLocal);
       },
       "flow_table_full"},
      {"FlowBusy", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kRemote);
         s.hold_flow_table();
         return s.to_vip(kRemote, kAck);
       },
       "flow_busy"},
      {"FlowBusyByTc", kBoth, LB_HOOK_TC_INGRESS,
       [](Scene& s) {
         s.hold_flow_table();
         return s.to_vip(kRemote);
       },
       "flow_busy"},
      {"ResetOfNoFlow", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip(kLocal, kRst); }, "no_flow"},
      {"ResetToClosedPort", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip(kClosed, kRst | kAck); }, "no_flow"},
      {"NoRoute", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip(kUnreachable); }, "no_route"},
      {"NoRouteByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return s.to_vip(kUnreachable); }, "no_route"},
      // Managed, but with no address of the family to send from.
      {"NoSourceAddress", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         lb_device device{};
         device.flags = LB_DEVICE_XDP_REDIRECT;
         EXPECT_TRUE(s.object().devices.put(static_cast<std::uint32_t>(s.uplink()), device));
         return s.to_vip(kRemote);
       },
       "no_route"},
      {"EgressUnmanaged", kBoth, LB_HOOK_XDP, [](Scene& s) { return s.to_vip(kUnmanaged); }, "egress_unmanaged"},
      {"EgressUnmanagedByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return s.to_vip_udp(kUnmanaged); },
       "egress_unmanaged"},
      {"WayBackUnmanaged", kBoth, LB_HOOK_XDP, [](Scene& s) { return from(s.to_vip(kLocal), s.at().unmanaged); },
       "egress_unmanaged"},
      {"WayBackUnmanagedByTc", kBoth, LB_HOOK_TC_INGRESS,
       [](Scene& s) { return from(s.to_vip_udp(kLocal), s.at().unmanaged); }, "egress_unmanaged"},
      {"UnsupportedProtocol", kBoth, LB_HOOK_XDP, [](Scene& s) { return of_protocol(s.to_vip(kLocal), 132); },
       "unsupported"},
      {"UnsupportedProtocolByTc", kBoth, LB_HOOK_TC_INGRESS,
       [](Scene& s) { return of_protocol(s.to_vip(kLocal), 132); }, "unsupported"},
      {"UnsupportedOtherFamilysIcmp", kIpv6, LB_HOOK_XDP,
       [](Scene& s) { return of_protocol(s.to_vip(kLocal), LB_IPPROTO_ICMP); }, "unsupported"},
      {"UnsupportedErrorAboutOptions", kIpv4, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = s.to_vip_udp(kClosed);
         packet.ip_options = Bytes(4, 1);
         return packet;
       },
       "unsupported"},
      {"UnsupportedProtocolForHost", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = of_protocol(s.to_vip(kLocal), 132);
         packet.dst = Address::literal(s.at().node);
         return packet;
       },
       "not_ours"},
      {"BrokenRing", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         change_service(s, kLocal, [](lb_service& service) { service.ring_offset = 1u << 30; });
         return s.to_vip(kLocal);
       },
       "broken_reference"},
      {"BrokenMember", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         change_service(s, kLocal, [](lb_service& service) { service.member_count = 0; });
         return s.to_vip(kLocal);
       },
       "broken_reference"},
      {"BrokenMemberList", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         change_service(s, kLocal, [](lb_service& service) { service.member_offset = 1u << 30; });
         return s.to_vip(kLocal);
       },
       "broken_reference"},
      {"BrokenBackend", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         for (lb_backend& backend : s.object().backends.values())
           backend.generation = 0;
         return s.to_vip(kLocal);
       },
       "broken_reference"},

      {"NotIp", kIpv4, LB_HOOK_XDP, [](Scene& s) { return patched(build(s.to_vip(kLocal)), 12, {0x08, 0x06}); },
       "not_ip"},
      {"NotIpTwoTags", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = s.to_vip(kLocal);
         packet.vlan = 7;
         return patched(build(packet), 16, {0x81, 0x00});
       },
       "not_ip"},
      {"NotIpTagCut", kIpv4, LB_HOOK_XDP,
       [](Scene& s) {
         Packet packet = s.to_vip(kLocal);
         packet.vlan = 7;
         return cut(build(packet), 17);
       },
       "not_ip"},
      {"NotIpByTcEgress", kIpv4, LB_HOOK_TC_EGRESS,
       [](Scene& s) { return patched(build(s.to_vip(kLocal)), 12, {0x08, 0x06}); }, "not_ip"},
      {"NotOursDestination", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return tcp(s.at().client, kClientPort, s.at().elsewhere, kLocal, kSyn); }, "not_ours"},
      {"NotOursByTc", kBoth, LB_HOOK_TC_INGRESS,
       [](Scene& s) { return tcp(s.at().client, kClientPort, s.at().elsewhere, kLocal, kSyn); }, "not_ours"},
      // An address that only shares the VIP's filter bucket.
      {"NotOursBucketShared", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const Address elsewhere = Address::literal(s.at().elsewhere);
         s.object().filter[0].classes[state::filter_bucket(state::to_abi(elsewhere),
                                                           static_cast<std::uint8_t>(elsewhere.family))] = LB_CLASS_VIP;
         return tcp(s.at().client, kClientPort, s.at().elsewhere, kLocal, kSyn);
       },
       "not_ours"},
      {"NotOursBucketSharedMalformed", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const Address elsewhere = Address::literal(s.at().elsewhere);
         s.object().filter[0].classes[state::filter_bucket(state::to_abi(elsewhere),
                                                           static_cast<std::uint8_t>(elsewhere.family))] = LB_CLASS_VIP;
         return cut(build(tcp(s.at().client, kClientPort, s.at().elsewhere, kLocal, kSyn)), s.l4() + 3);
       },
       "not_ours"},
      {"NotOursHostPort", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return tcp(s.at().client, kClientPort, s.at().node, 22, kSyn); }, "not_ours"},
      {"NoServiceNodePort", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return tcp(s.at().client, kClientPort, s.at().node, kFreeNodePort, kSyn); }, "no_service"},
      {"NoServiceSnatPort", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         return tcp(s.at().remote, kBackendPort, s.at().node, datapath::Config().snat_ports.first, kAck);
       },
       "no_service"},
      {"OwnConnection", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return tcp(s.at().client, 443, s.at().node, kNodePort, kSyn | kAck); }, "own_connection"},
      {"NoServiceByTc", kBoth, LB_HOOK_TC_INGRESS,
       [](Scene& s) { return udp(s.at().client, kClientPort, s.at().node, kFreeNodePort); }, "no_service"},
  };
}

}  // namespace fairlead::test
