// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/packet/node.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>

#include <cstring>
#include <string>
#include <unordered_map>

#include "tests/bench/packet/die.h"
#include "userspace/compile/maglev.h"
#include "userspace/datapath/flows.h"
#include "userspace/datapath/frames.h"
#include "userspace/datapath/tables_io.h"
#include "userspace/state/placement.h"

namespace fairlead::bench {
namespace {

// So many that no single source port pool has to hold all flows of a full table.
constexpr std::uint32_t kBackends = 64;

lb_service_key endpoint(const Address& address, std::uint16_t port) {
  return {state::to_abi(address), htons(port), LB_IPPROTO_TCP, static_cast<std::uint8_t>(address.family)};
}

state::PortSpec service(const std::string& name, const Address& vip, const Address& first_backend,
                        std::uint32_t flags) {
  state::PortSpec spec;
  spec.name = name;
  std::vector<compile::RingMember> members;
  state::PoolSpec pool;
  for (std::uint32_t i = 0; i < kBackends; ++i) {
    Address backend = first_backend;
    backend.bytes[backend.family == Family::IPv4 ? 3 : 15] += i;
    spec.backends.push_back({endpoint(backend, 8080), flags});
    members.push_back({i + 1, 1});
    pool.members.push_back(i);
  }
  pool.ring = std::make_shared<const std::vector<std::uint16_t>>(
      compile::fill_ring(members, compile::ring_slots(members.size())));
  spec.pools.push_back(pool);
  spec.frontends.push_back({endpoint(vip, 80), 0});
  return spec;
}

Address client(Family family, std::uint32_t i) {
  Address address = Address::literal(family == Family::IPv4 ? "203.0.113.0" : "2001:db8:c::");
  address.bytes[family == Family::IPv4 ? 3 : 15] = static_cast<std::uint8_t>(i % 200 + 1);
  return address;
}

void fill_maps(datapath::Object& object) {
  state::Placement placement({1024, 1024, 1024, 4096, object.sizes().ring_slots, object.sizes().members}, 1);
  std::vector<state::NodeAddress> own;
  for (const Family family : {Family::IPv4, Family::IPv6}) {
    const Addresses& at = addresses(family);
    unwrap(placement.put(
        service("bench/local" + at.vip_local.to_string(), at.vip_local, at.pod_local, LB_BACKEND_LOCAL), {}));
    unwrap(placement.put(service("bench/remote" + at.vip_remote.to_string(), at.vip_remote, at.pod_remote, 0), {}));
    own.push_back({state::to_abi(at.node), static_cast<std::uint8_t>(family), true});
  }
  placement.set_node_addresses(own);
  for (const auto& operation : state::diff(placement.desired(), {}, placement.take_touched()))
    unwrap(datapath::write(object, operation));
}

}  // namespace

// The peer sends nothing of its own (router solicitations, MLD): the driver would count it as a packet of its.
void make_node() {
  if (unshare(CLONE_NEWNET)) die("unshare: " + std::string(strerror(errno)));
  shell(
      "ip link set lo up && ip link add bench0 address 02:00:00:00:00:01 type veth peer name bench1"
      " && sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.bench1.disable_ipv6=1"
      " && ip link set bench0 up && ip link set bench1 up"
      " && ip addr add 10.9.0.1/24 dev bench0 && ip -6 addr add fd09::1/64 dev bench0 nodad"
      " && ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev bench0 nud permanent"
      " && ip neigh add fd09::2 lladdr 02:00:00:00:00:02 dev bench0 nud permanent"
      " && ip route add default via 10.9.0.2 && ip -6 route add default via fd09::2");
}

const Addresses& addresses(Family family) {
  static const Addresses ipv4{Address::literal("192.0.2.1"), Address::literal("192.0.2.2"),
                              Address::literal("10.1.0.10"), Address::literal("10.2.0.10"),
                              Address::literal("10.9.0.1"),  Address::literal("198.51.100.77")};
  static const Addresses ipv6{Address::literal("2001:db8::1"), Address::literal("2001:db8::2"),
                              Address::literal("fd01::10"),    Address::literal("fd02::10"),
                              Address::literal("fd09::1"),     Address::literal("2001:db8:9::77")};
  return family == Family::IPv4 ? ipv4 : ipv6;
}

std::unique_ptr<datapath::Object> load(std::uint32_t flows) {
  datapath::Config config;
  config.sizes.flows4 = config.sizes.flows6 = flows;
  auto object = unwrap(datapath::Object::load(config));
  fill_maps(*object);
  datapath::write_frames(object->frames[0], {{static_cast<int>(if_nametoindex(kDevice)), 0, kDeviceMac}});
  lb_device device{};
  device.addr4 = state::to_abi(addresses(Family::IPv4).node);
  device.addr6 = state::to_abi(addresses(Family::IPv6).node);
  device.flags = LB_DEVICE_XDP_REDIRECT;
  unwrap(object->devices.put(if_nametoindex(kDevice), device));
  return object;
}

void pass(datapath::Object& object, std::uint32_t seconds) {
  object.clock[0].offset += datapath::ticks_of(seconds, object.clock[0].jiffies_per_second);
}

bench_tuple tuple(const Address& src, std::uint16_t sport, const Address& dst, std::uint16_t dport) {
  bench_tuple tuple{};
  std::memcpy(tuple.src, src.bytes.data(), 16);
  std::memcpy(tuple.dst, dst.bytes.data(), 16);
  tuple.sport = htons(sport);
  tuple.dport = htons(dport);
  return tuple;
}

std::vector<bench_tuple> clients(const Address& vip, std::uint32_t count) {
  std::vector<bench_tuple> tuples;
  for (std::uint32_t i = 0; i < count; ++i)
    tuples.push_back(tuple(client(vip.family, i), static_cast<std::uint16_t>(2000 + i / 200 * 37 % 60000), vip, 80));
  return tuples;
}

std::vector<bench_tuple> replies(const datapath::Object& object, const std::vector<bench_tuple>& forward,
                                 Family family) {
  const auto key = [](const bench_tuple& t) { return std::string(reinterpret_cast<const char*>(&t), sizeof(t)); };
  std::unordered_map<std::string, bench_tuple> by_client;
  datapath::for_each_flow(object, family, [&](const datapath::Flow& flow) {
    if (flow.flags & LB_FLOW_REPLY) return;
    by_client[key(tuple(flow.key.src, flow.key.sport, flow.key.dst, flow.key.dport))] =
        tuple(flow.to.dst, flow.to.dport, flow.to.src, flow.to.sport);
  });
  std::vector<bench_tuple> result;
  for (const bench_tuple& one : forward) {
    const auto it = by_client.find(key(one));
    if (it == by_client.end()) die("a flow is missing from the table: it is too small for this bench");
    result.push_back(it->second);
  }
  return result;
}

}  // namespace fairlead::bench
