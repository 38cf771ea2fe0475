// SPDX-License-Identifier: Apache-2.0
#include "tests/datapath/scene.h"

#include <net/if.h>

#include <atomic>

namespace fairlead::test {
namespace {

std::string service_name(std::uint16_t port, std::uint8_t proto) {
  return "default/port-" + std::to_string(port) + (proto == LB_IPPROTO_TCP ? "/tcp" : "/udp");
}

template <class Entry>
void occupy(Entry& entry, std::uint32_t now) {
  // Addresses that no packet of a test has; the key is nobody's business.
  std::memset(static_cast<void*>(&entry), 0xee, sizeof(entry));
  entry.head.seq = 0;
  entry.head.proto = LB_IPPROTO_TCP;
  entry.head.state = LB_FLOW_ANSWERED | LB_FLOW_CONFIRMED;
  entry.head.timeout = LB_TIMEOUT_TCP_ESTABLISHED;
  entry.head.expires = now + LB_TICKS_MAX;
}

}  // namespace

const Hosts& hosts(Family family) {
  static const Hosts kIpv4{"IPv4",
                           "198.51.100.7",
                           "203.0.113.1",
                           "192.0.2.1",
                           "192.0.2.200",
                           "10.1.0.1",
                           "10.9.0.1",
                           "10.210.1.11",
                           "10.2.0.11",
                           "10.3.0.11",
                           "10.4.0.11",
                           "10.5.0.11",
                           "10.6.0.11",
                           1,
                           8,
                           0,
                           3,
                           11};
  static const Hosts kIpv6{"IPv6",
                           "2001:db8:7::7",
                           "2001:db8:9::1",
                           "2001:db8:2::1",
                           "2001:db8:2::c8",
                           "fd01::1",
                           "fd09::1",
                           "fd00:210:1::11",
                           "fd02::11",
                           "fd03::11",
                           "fd04::11",
                           "fd05::11",
                           "fd06::11",
                           58,
                           128,
                           129,
                           1,
                           3};
  return family == Family::IPv4 ? kIpv4 : kIpv6;
}

void Scene::serve(const std::string& frontend, std::uint16_t port, const std::vector<TestBackend>& backends,
                  std::uint32_t flags_when_empty) {
  for (const std::uint8_t proto : {LB_IPPROTO_TCP, LB_IPPROTO_UDP})
    put_service(service_name(port, proto), {frontend}, port, proto, backends, flags_when_empty);
}

void Scene::make(Family family) {
  hosts_ = &hosts(family);
  const auto backend = [](const std::string& address, std::uint32_t flags = 0) {
    return std::vector<TestBackend>{{address, kBackendPort, flags}};
  };
  serve(at().vip, kLocal, backend(at().pod, LB_BACKEND_LOCAL));
  serve(at().vip, kAlsoLocal, backend(at().pod, LB_BACKEND_LOCAL));
  serve(at().vip, kRemote, backend(at().remote));
  serve(at().vip, kUnresolved, backend(at().unresolved));
  serve(at().vip, kUnmanaged, backend(at().unmanaged));
  serve(at().vip, kUnreachable, backend(at().unreachable));
  serve(at().vip, kNarrow, backend(at().narrow));
  serve(at().vip, kRefused, {}, LB_SERVICE_REJECT);
  serve(at().vip, kSilent, {}, LB_SERVICE_DROP);
  serve("", kNodePort, backend(at().remote));
}

Packet Scene::to_vip(std::uint16_t port, std::uint8_t flags) const {
  return tcp(at().client, kClientPort, at().vip, port, flags);
}

Packet Scene::to_vip_udp(std::uint16_t port, std::size_t payload) const {
  return udp(at().client, kClientPort, at().vip, port, Bytes(payload, 0x5a));
}

Packet Scene::echo() const {
  Packet packet = to_vip_udp(0, 17);
  packet.sport = packet.dport = 0;
  packet.proto = at().icmp;
  packet.icmp_type = at().echo;
  packet.icmp_rest = 0x12340001;
  return packet;
}

Outcome Scene::run(lb_hook hook, const Sent& sent) {
  return DatapathTest::run(hook, sent.bytes);
}

Packet Scene::begin(std::uint16_t port, lb_hook hook) {
  return run(hook, to_vip(port)).packet;
}

Packet Scene::begin_udp(std::uint16_t port) {
  return xdp(to_vip_udp(port)).packet;
}

// One that terminates and is gone: flows of one that is taken out alive go on.
void Scene::lose_backend(std::uint16_t port) {
  const bool is_local = port == kLocal;
  const std::uint32_t flags = LB_BACKEND_DRAINING | (is_local ? LB_BACKEND_LOCAL : 0);
  serve(at().vip, port, {{is_local ? at().pod : at().remote, kBackendPort, flags}});
  for (const std::uint8_t proto : {LB_IPPROTO_TCP, LB_IPPROTO_UDP})
    remove_service(service_name(port, proto));
  pass_quarantine();
}

void Scene::manage_other_device(std::uint32_t flags) {
  lb_device device{};
  (is_ipv4() ? device.addr4 : device.addr6) = state::to_abi(Address::literal(at().other_node_address));
  device.flags = flags;
  ASSERT_TRUE(object().devices.put(if_nametoindex("other0"), device));
}

void Scene::fill_snat_pools() {
  for (lb_snat_pool& pool : object().snat_pools.values())
    std::fill(std::begin(pool.used), std::end(pool.used), ~0ull);
}

void Scene::empty_snat_pools() {
  for (lb_snat_pool& pool : object().snat_pools.values())
    std::fill(std::begin(pool.used), std::end(pool.used), 0);
}

void Scene::lose_entries(std::uint8_t direction) {
  const auto lose = [&](lb_flow& entry) {
    if ((entry.flags & LB_FLOW_REPLY) == direction) entry.proto = 0;
  };
  for (lb_flow4_set& set : object().flows4.values())
    for (lb_flow4& entry : set.way)
      lose(entry.head);
  for (lb_flow6_set& set : object().flows6.values())
    for (lb_flow6& entry : set.way)
      lose(entry.head);
}

void Scene::pass(std::chrono::seconds time) {
  lb_clock& clock = object().clock[0];
  std::atomic_ref(clock.offset)
      .fetch_add(datapath::ticks_of(static_cast<std::uint64_t>(time.count()), clock.jiffies_per_second));
}

void Scene::fill_flow_table() {
  const std::uint32_t now = *object().now();
  for (lb_flow4_set& set : object().flows4.values())
    for (lb_flow4& entry : set.way)
      occupy(entry, now);
  for (lb_flow6_set& set : object().flows6.values())
    for (lb_flow6& entry : set.way)
      occupy(entry, now);
}

void Scene::hold_flow_table() {
  for (lb_flow4_set& set : object().flows4.values())
    for (lb_flow4& entry : set.way)
      entry.head.seq |= 1;
  for (lb_flow6_set& set : object().flows6.values())
    for (lb_flow6& entry : set.way)
      entry.head.seq |= 1;
}

Packet reverse(const Packet& packet, std::uint8_t flags) {
  Packet other = packet;
  std::swap(other.src, other.dst);
  std::swap(other.sport, other.dport);
  std::swap(other.smac, other.dmac);
  other.ttl = 64;
  if (packet.proto == LB_IPPROTO_TCP) other.tcp_flags = flags;
  return other;
}

Bytes cut(Bytes bytes, std::size_t length) {
  bytes.resize(length);
  return bytes;
}

Bytes patched(Bytes bytes, std::size_t at, const Bytes& with) {
  std::copy(with.begin(), with.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  return bytes;
}

Bytes with_ipv4_checksum(Bytes bytes) {
  constexpr std::size_t kHeader = 14, kCheck = kHeader + 10;
  std::uint32_t sum = 0;
  bytes[kCheck] = bytes[kCheck + 1] = 0;
  for (std::size_t i = kHeader; i < kHeader + 20; i += 2)
    sum += static_cast<std::uint32_t>(bytes[i]) << 8 | bytes[i + 1];
  sum = (sum & 0xffff) + (sum >> 16);
  sum = ~((sum & 0xffff) + (sum >> 16));
  bytes[kCheck] = static_cast<std::uint8_t>(sum >> 8);
  bytes[kCheck + 1] = static_cast<std::uint8_t>(sum);
  return bytes;
}

}  // namespace fairlead::test
