// SPDX-License-Identifier: Apache-2.0
#include <linux/bpf.h>

#include "tests/datapath/rows.h"
#include "userspace/datapath/frames.h"

// Whose frame it is: MAC addresses and VLANs. At tc a tag stands beside the frame, where a test run cannot put it: the
// lab has those.
namespace fairlead::test {
namespace {

Packet for_mac(Packet packet, const Mac& mac) {
  packet.dmac = mac;
  return packet;
}

Packet tagged(Packet packet, std::uint16_t tag) {
  packet.vlan = tag;
  return packet;
}

Packet to_pod(const Scene& s, const Packet& sent, const Packet&) {
  Packet packet = sent;
  packet.dst = Address::literal(s.at().pod);
  packet.dport = kBackendPort;
  return packet;
}

}  // namespace

std::vector<Row> frame_rows() {
  using enum Families;
  return {
      {"OtherHost", kBoth, LB_HOOK_XDP, [](Scene& s) { return for_mac(s.to_vip(kRemote), kElsewhereMac); },
       "other_host"},
      {"OtherHostByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return for_mac(s.to_vip(kRemote), kElsewhereMac); },
       "other_host"},
      {"OtherHostLocal", kBoth, LB_HOOK_XDP, [](Scene& s) { return for_mac(s.to_vip(kLocal), kElsewhereMac); },
       "other_host"},
      {"OtherHostOfFlow", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kRemote);
         return for_mac(s.to_vip(kRemote, kAck), kElsewhereMac);
       },
       "other_host"},
      {"OtherHostReply", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return for_mac(reverse(s.begin(kRemote), kSyn | kAck), kElsewhereMac); }, "other_host"},
      {"OtherHostClosedPort", kBoth, LB_HOOK_XDP, [](Scene& s) { return for_mac(s.to_vip(kClosed), kElsewhereMac); },
       "other_host"},
      {"OtherHostClosedPortByTc", kBoth, LB_HOOK_TC_INGRESS,
       [](Scene& s) { return for_mac(s.to_vip(kClosed), kElsewhereMac); }, "other_host"},
      {"OtherHostEcho", kBoth, LB_HOOK_XDP, [](Scene& s) { return for_mac(s.echo(), kElsewhereMac); }, "other_host"},
      {"OtherHostMalformed", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return cut(build(for_mac(s.to_vip(kLocal), kElsewhereMac)), s.l4() + 3); }, "other_host"},
      {"Broadcast", kBoth, LB_HOOK_XDP, [](Scene& s) { return for_mac(s.to_vip(kLocal), kBroadcastMac); },
       "other_host"},
      {"BroadcastByTc", kBoth, LB_HOOK_TC_INGRESS, [](Scene& s) { return for_mac(s.to_vip(kLocal), kBroadcastMac); },
       "other_host"},
      {"Multicast", kBoth, LB_HOOK_XDP, [](Scene& s) { return for_mac(s.to_vip_udp(kRemote), kMulticastMac); },
       "other_host"},
      {"MulticastByTc", kBoth, LB_HOOK_TC_INGRESS,
       [](Scene& s) { return for_mac(s.to_vip_udp(kRemote), kMulticastMac); }, "other_host"},
      {"OtherVlan", kBoth, LB_HOOK_XDP, [](Scene& s) { return tagged(s.to_vip(kLocal), 0x6008); }, "other_vlan"},
      {"OtherVlanRemote", kBoth, LB_HOOK_XDP, [](Scene& s) { return tagged(s.to_vip(kRemote), 8); }, "other_vlan"},
      {"OtherVlanEcho", kBoth, LB_HOOK_XDP, [](Scene& s) { return tagged(s.echo(), 8); }, "other_vlan"},
      {"OtherVlanOfFlow", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         s.begin(kLocal);
         return tagged(s.to_vip(kLocal, kAck), 8);
       },
       "other_vlan"},
      // The slot of the tag 7 is where the search for it begins.
      {"OtherVlanSharesASlot", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return tagged(s.to_vip(kLocal), 7 + LB_FRAME_SLOTS); }, "other_vlan"},
      {"OtherHostTagged", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return for_mac(tagged(s.to_vip(kLocal), 7), kElsewhereMac); }, "other_host"},
      // A tag without a VLAN is a priority alone.
      {"PriorityTag", kBoth, LB_HOOK_XDP, [](Scene& s) { return tagged(s.to_vip(kLocal), 0xe000); }, "local_new",
       to_pod},
      {"PriorityTagRemote", kBoth, LB_HOOK_XDP, [](Scene& s) { return tagged(s.to_vip(kRemote), 0xe000); },
       "unresolved"},
      {"ProviderTag", kBoth, LB_HOOK_XDP,
       [](Scene& s) { return patched(build(tagged(s.to_vip(kLocal), 7)), 12, {0x88, 0xa8}); }, "not_ip"},
      // Not the first slot of its own, because another frame's is there.
      {"FrameBehindAnotherSlot", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         const auto ifindex = static_cast<int>(s.uplink());
         datapath::write_frames(s.object().frames[0],
                                {{ifindex + static_cast<int>(LB_FRAME_SLOTS), 0, {}}, {ifindex, 0, s.node_mac}});
         return s.to_vip(kLocal);
       },
       "local_new", to_pod},
      {"FrameOfUnknownDevice", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         datapath::write_frames(s.object().frames[0], {});
         return for_mac(s.to_vip(kLocal), kElsewhereMac);
       },
       "local_new", to_pod},
      {"TaggedFrameOfUnknownDevice", kBoth, LB_HOOK_XDP,
       [](Scene& s) {
         datapath::write_frames(s.object().frames[0], {});
         return tagged(s.to_vip(kLocal), 7);
       },
       "other_vlan"},
  };
}

}  // namespace fairlead::test
