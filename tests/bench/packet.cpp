// SPDX-License-Identifier: Apache-2.0
//
// What a packet costs in the loaded XDP program, by path. Runs in a network namespace of its own, over 64-packet
// batches of BPF_PROG_TEST_RUN, whose clock starts and stops inside the kernel. Rows are measured in turns, so that a
// machine that changes its speed changes it for all of them; each is also given in multiples of a HASH lookup of the
// same run.

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <sched.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <unordered_map>

#include "tests/bench/driver.h"
#include "userspace/compile/maglev.h"
#include "userspace/datapath/counters.h"
#include "userspace/datapath/flows.h"
#include "userspace/datapath/tables_io.h"
#include "userspace/state/placement.h"
// clang-format off
#include "driver.skel.h"
// clang-format on

namespace {

using namespace fairlead;
using datapath::Object;

constexpr std::uint32_t kBatch = 64;
constexpr std::uint32_t kFlows = 100000;
constexpr int kRounds = 11;
constexpr const char* kDevice = "bench0";

[[noreturn]] void die(const std::string& message) {
  std::cerr << "bench packet: " << message << "\n";
  std::exit(1);
}

template <class T>
T unwrap(Result<T> result) {
  if (!result) die(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void shell(const std::string& command) {
  if (std::system(command.c_str()) != 0) die("failed: " + command);
}

// A node with one uplink, on it a next hop whose MAC address is known.
void make_node() {
  if (unshare(CLONE_NEWNET)) die("unshare: " + std::string(strerror(errno)));
  shell(
      "ip link set lo up && ip link add bench0 type veth peer name bench1 && ip link set bench0 up && ip link set "
      "bench1 up"
      " && sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
      " && ip addr add 10.9.0.1/24 dev bench0 && ip -6 addr add fd09::1/64 dev bench0 nodad"
      " && ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev bench0 nud permanent"
      " && ip neigh add fd09::2 lladdr 02:00:00:00:00:02 dev bench0 nud permanent"
      " && ip route add default via 10.9.0.2 && ip -6 route add default via fd09::2");
}

lb_service_key endpoint(const Address& address, std::uint16_t port) {
  return {state::to_abi(address), htons(port), LB_IPPROTO_TCP, static_cast<std::uint8_t>(address.family)};
}

struct Addresses {
  Address vip_local, vip_remote, pod_local, pod_remote, node, other;
};
const Addresses kIPv4{Address::literal("192.0.2.1"), Address::literal("192.0.2.2"), Address::literal("10.1.0.10"),
                      Address::literal("10.2.0.10"), Address::literal("10.9.0.1"),  Address::literal("198.51.100.77")};
const Addresses kIPv6{Address::literal("2001:db8::1"), Address::literal("2001:db8::2"),
                      Address::literal("fd01::10"),    Address::literal("fd02::10"),
                      Address::literal("fd09::1"),     Address::literal("2001:db8:9::77")};

// 16 backends, so that no single source port pool has to hold all flows.
state::PortSpec service(const std::string& name, const Address& vip, const Address& first_backend,
                        std::uint32_t flags) {
  state::PortSpec spec;
  spec.name = name;
  std::vector<compile::RingMember> members;
  state::PoolSpec pool;
  for (std::uint32_t i = 0; i < 16; ++i) {
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

std::unique_ptr<Object> load(std::uint32_t flows) {
  datapath::Config config;
  config.sizes.flows4 = config.sizes.flows6 = flows;
  auto object = unwrap(Object::load(config));
  state::Placement placement({1024, 1024, 1024, 4096, object->sizes().ring_slots, object->sizes().members}, 1);
  for (const Addresses& addresses : {kIPv4, kIPv6}) {
    unwrap(placement.put(service("bench/local" + addresses.vip_local.to_string(), addresses.vip_local,
                                 addresses.pod_local, LB_BACKEND_LOCAL),
                         {}));
    unwrap(placement.put(
        service("bench/remote" + addresses.vip_remote.to_string(), addresses.vip_remote, addresses.pod_remote, 0), {}));
  }
  placement.set_node_addresses(
      {{state::to_abi(kIPv4.node), LB_AF_INET, true}, {state::to_abi(kIPv6.node), LB_AF_INET6, true}});
  for (const auto& operation : state::diff(placement.desired(), {}, placement.take_touched()))
    unwrap(datapath::write(*object, operation));
  lb_device device{};
  device.addr4 = state::to_abi(kIPv4.node);
  device.addr6 = state::to_abi(kIPv6.node);
  device.flags = LB_DEVICE_XDP_REDIRECT;
  unwrap(object->devices.put(if_nametoindex(kDevice), device));
  return object;
}

bench_tuple tuple(const Address& src, std::uint16_t sport, const Address& dst, std::uint16_t dport) {
  bench_tuple tuple{};
  std::memcpy(tuple.src, src.bytes.data(), 16);
  std::memcpy(tuple.dst, dst.bytes.data(), 16);
  tuple.sport = htons(sport);
  tuple.dport = htons(dport);
  return tuple;
}

Address client(Family family, std::uint32_t i) {
  Address address = Address::literal(family == Family::IPv4 ? "203.0.113.0" : "2001:db8:c::");
  const std::size_t last = family == Family::IPv4 ? 3 : 15;
  address.bytes[last] = static_cast<std::uint8_t>(i % 200 + 1);
  return address;
}

std::vector<bench_tuple> clients(const Address& vip, std::uint32_t count) {
  std::vector<bench_tuple> tuples;
  for (std::uint32_t i = 0; i < count; ++i)
    tuples.push_back(tuple(client(vip.family, i), static_cast<std::uint16_t>(2000 + i / 200 * 37 % 60000), vip, 80));
  return tuples;
}

std::vector<std::uint8_t> frame(const bench_tuple& tuple, Family family, std::uint8_t tcp_flags) {
  std::vector<std::uint8_t> bytes(BENCH_TEMPLATE);
  const std::uint8_t ethernet[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
  std::copy(std::begin(ethernet), std::end(ethernet), bytes.begin());
  const bool v4 = family == Family::IPv4;
  const std::size_t l4 = v4 ? 34 : 54;
  bytes[12] = v4 ? 0x08 : 0x86;
  bytes[13] = v4 ? 0x00 : 0xdd;
  if (v4) {
    auto* ip = reinterpret_cast<iphdr*>(&bytes[14]);
    ip->version = 4;
    ip->ihl = 5;
    ip->ttl = 64;
    ip->protocol = LB_IPPROTO_TCP;
    ip->tot_len = htons(static_cast<std::uint16_t>(bytes.size() - 14));
    ip->saddr = tuple.src[0];
    ip->daddr = tuple.dst[0];
  } else {
    auto* ip = reinterpret_cast<ip6_hdr*>(&bytes[14]);
    ip->ip6_vfc = 0x60;
    ip->ip6_nxt = LB_IPPROTO_TCP;
    ip->ip6_hlim = 64;
    ip->ip6_plen = htons(static_cast<std::uint16_t>(bytes.size() - l4));
    std::memcpy(&ip->ip6_src, tuple.src, 16);
    std::memcpy(&ip->ip6_dst, tuple.dst, 16);
  }
  auto* tcp = reinterpret_cast<tcphdr*>(&bytes[l4]);
  tcp->source = tuple.sport;
  tcp->dest = tuple.dport;
  tcp->doff = 5;
  tcp->th_flags = tcp_flags;
  return bytes;
}

class Driver {
 public:
  Driver() : skeleton_(bench_driver__open_and_load()) {
    if (!skeleton_) die("cannot load the driver");
    plan_ = map<bench_plan>(skeleton_->maps.plan);
    tuples_ = map<bench_tuple>(skeleton_->maps.tuples);
  }

  int program() const { return bpf_program__fd(skeleton_->progs.bench_driver); }
  int empty() const { return bpf_program__fd(skeleton_->progs.bench_empty); }
  int hash() const { return bpf_program__fd(skeleton_->progs.bench_hash); }
  int lru() const { return bpf_program__fd(skeleton_->progs.bench_lru); }
  int hash_map() const { return bpf_map__fd(skeleton_->maps.hash); }
  int lru_map() const { return bpf_map__fd(skeleton_->maps.lru); }

  struct Plan {
    int program;
    Family family;
    std::uint8_t tcp_flags;
    std::vector<bench_tuple> tuples;  // one: the frame as it is; several: in turn
    bool fresh = false;
  };

  // Says what the following batches send.
  void prepare(const Plan& plan) {
    const std::uint32_t zero = 0;
    if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.target), &zero, &plan.program, BPF_ANY))
      die("set the target program");
    const auto bytes = frame(plan.tuples.front(), plan.family, plan.tcp_flags);
    std::copy(bytes.begin(), bytes.end(), plan_[0].frame);
    plan_[0].family = static_cast<std::uint32_t>(plan.family);
    plan_[0].fresh = plan.fresh;
    plan_[0].tuples = plan.tuples.size() > 1 ? static_cast<std::uint32_t>(plan.tuples.size()) : 0;
    plan_[0].next = 0;
    std::copy(plan.tuples.begin(), plan.tuples.end(), &tuples_[0]);
  }

  // Nanoseconds a packet over this many packets, driver included.
  double run(std::uint32_t packets) {
    std::vector<std::uint8_t> data(BENCH_TEMPLATE + 32), out(data.size());
    xdp_md context{};
    context.data_end = static_cast<std::uint32_t>(data.size());
    context.ingress_ifindex = if_nametoindex(kDevice);
    bpf_test_run_opts options{};
    options.sz = sizeof(options);
    options.data_in = data.data();
    options.data_size_in = static_cast<std::uint32_t>(data.size());
    options.ctx_in = &context;
    options.ctx_size_in = sizeof(context);
    options.repeat = kBatch;
    double total = 0;
    const std::uint32_t batches = (packets + kBatch - 1) / kBatch;
    for (std::uint32_t i = 0; i < batches; ++i) {
      if (bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.bench_driver), &options))
        die("BPF_PROG_TEST_RUN: " + std::string(strerror(errno)));
      total += options.duration;
    }
    return total / batches;
  }

 private:
  template <class T>
  static datapath::MappedArray<T> map(bpf_map* map) {
    return unwrap(datapath::MappedArray<T>::map(bpf_map__fd(map), bpf_map__max_entries(map), bpf_map__name(map)));
  }

  bench_driver* skeleton_;
  datapath::MappedArray<bench_plan> plan_;
  datapath::MappedArray<bench_tuple> tuples_;
};

struct Row {
  std::string name;
  Driver::Plan plan;
  const Object* object = nullptr;  // null for calibration rows
  lb_verdict verdict = LB_VERDICT_NOT_OURS;
  double target_lookups = 0;  // what the row is to reach, in HASH lookups; 0 where there is no target
  std::vector<double> gross;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}
double least(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

// What the backends answer to, read out of the flow table: in the order of the clients' tuples.
std::vector<bench_tuple> replies(const Object& object, const std::vector<bench_tuple>& forward, Family family) {
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

// Both directions seen, so that the flows are established ones.
void establish(Driver& driver, const Object& object, const std::vector<bench_tuple>& forward, Family family) {
  Driver::Plan plan{object.xdp_program(), family, TH_SYN, forward};
  driver.prepare(plan);
  driver.run(static_cast<std::uint32_t>(forward.size()));
  plan.tuples = replies(object, forward, family);
  plan.tcp_flags = TH_ACK;
  driver.prepare(plan);
  driver.run(static_cast<std::uint32_t>(plan.tuples.size()));
}

struct Objects {
  std::unique_ptr<Object> one, many_local, many_remote, full;
};

void add_rows(std::vector<Row>& rows, Driver& driver, const Objects& objects, Family family) {
  const Addresses& at = family == Family::IPv4 ? kIPv4 : kIPv6;
  const std::string suffix = family == Family::IPv4 ? "" : ", IPv6";
  const auto target = [&](double lookups) { return family == Family::IPv4 ? lookups : 0; };
  const auto add = [&](const std::string& name, const Object& object, std::vector<bench_tuple> tuples,
                       lb_verdict verdict, double lookups, std::uint8_t flags = TH_ACK, bool fresh = false) {
    rows.push_back({name + suffix,
                    {object.xdp_program(), family, flags, std::move(tuples), fresh},
                    &object,
                    verdict,
                    target(lookups),
                    {}});
  };
  const auto add_local = [&](const Object& object, std::uint32_t flows, const std::string& label, double goal_ns) {
    const auto tuples = clients(at.vip_local, flows);
    driver.prepare({object.xdp_program(), family, TH_SYN, tuples});
    driver.run(flows);
    add("local backend, " + label, object, tuples, LB_VERDICT_LOCAL_HIT, goal_ns / 26);
  };
  const auto add_remote = [&](const Object& object, std::uint32_t flows, const std::string& label, double goal_ns) {
    const auto tuples = clients(at.vip_remote, flows);
    establish(driver, object, tuples, family);
    add("SNAT to a remote backend, " + label, object, tuples, LB_VERDICT_REMOTE_HIT, goal_ns / 26);
    add("reply of a remote backend, " + label, object, replies(object, tuples, family), LB_VERDICT_REMOTE_REPLY,
        goal_ns / 26);
  };
  add("not ours", *objects.one, {tuple(client(family, 0), 4000, at.other, 443)}, LB_VERDICT_NOT_OURS, 12 / 26.0);
  add_local(*objects.one, 1, "1 flow", 60);
  add_remote(*objects.one, 1, "1 flow", 70);
  add_local(*objects.many_local, kFlows, "100 k flows", 240);
  add_remote(*objects.many_remote, kFlows, "100 k flows", 280);
  add("new flow to a local backend, table full", *objects.full, clients(at.vip_local, 1), LB_VERDICT_LOCAL_NEW,
      450 / 26.0, TH_SYN, true);
  add("new flow to a remote backend, table full", *objects.full, clients(at.vip_remote, 1), LB_VERDICT_REMOTE_NEW,
      450 / 26.0, TH_SYN, true);
}

std::vector<Row> calibration(Driver& driver) {
  const auto some = clients(kIPv4.vip_local, 1), many = clients(kIPv4.vip_local, kFlows);
  for (std::uint64_t key = 0, value = 1; key < 1000; ++key)
    bpf_map_update_elem(driver.hash_map(), &key, &value, BPF_ANY);
  for (const bench_tuple& one : many) {
    const std::uint64_t key = one.src[0] | static_cast<std::uint64_t>(one.sport | one.dport << 16) << 32, value = 1;
    bpf_map_update_elem(driver.lru_map(), &key, &value, BPF_ANY);
  }
  return {{"empty program", {driver.empty(), Family::IPv4, TH_ACK, some}, nullptr, {}, 0, {}},
          {"HASH lookup", {driver.hash(), Family::IPv4, TH_ACK, some}, nullptr, {}, 0, {}},
          {"LRU_HASH lookup, 1 key", {driver.lru(), Family::IPv4, TH_ACK, some}, nullptr, {}, 0, {}},
          {"LRU_HASH lookup, 100 k keys", {driver.lru(), Family::IPv4, TH_ACK, many}, nullptr, {}, 0, {}}};
}

// The row measured what its name says: every packet had the row's verdict.
void check_verdict(const Row& row, const datapath::Verdicts& before, std::uint64_t packets) {
  const auto after = datapath::read_verdicts(*row.object);
  const std::uint64_t counted = after[LB_HOOK_XDP][row.verdict] - before[LB_HOOK_XDP][row.verdict];
  if (counted == packets) return;
  std::string seen;
  for (const datapath::VerdictInfo& info : datapath::verdict_infos())
    if (const auto n = after[LB_HOOK_XDP][info.verdict] - before[LB_HOOK_XDP][info.verdict])
      seen += std::string(" ") + info.name + "=" + std::to_string(n);
  die("row '" + row.name + "': " + std::to_string(packets) + " packets, verdicts:" + seen);
}

void measure(Driver& driver, std::vector<Row>& rows) {
  for (int round = 0; round < kRounds; ++round)
    for (Row& row : rows) {
      const std::uint32_t packets = (kFlows + kBatch - 1) / kBatch * kBatch;
      driver.prepare(row.plan);
      const auto before = row.object ? datapath::read_verdicts(*row.object) : datapath::Verdicts{};
      row.gross.push_back(driver.run(packets));
      if (row.object) check_verdict(row, before, packets);
    }
}

boost::json::array report(const std::vector<Row>& rows) {
  const Row &empty = rows[0], &hash = rows[1];
  const double min_lookup = least(hash.gross) - least(empty.gross),
               median_lookup = median(hash.gross) - median(empty.gross);
  boost::json::array result;
  for (const Row& row : rows) {
    boost::json::object one{
        {"row", row.name}, {"gross_ns_min", least(row.gross)}, {"gross_ns_median", median(row.gross)}};
    if (&row != &empty) {
      const double net_min = least(row.gross) - least(empty.gross),
                   net_median = median(row.gross) - median(empty.gross);
      one["net_ns_min"] = net_min;
      one["net_ns_median"] = net_median;
      one["hash_lookups_min"] = net_min / min_lookup;
      one["hash_lookups_median"] = net_median / median_lookup;
      if (row.target_lookups) one["goal_hash_lookups"] = row.target_lookups;
    }
    result.push_back(std::move(one));
  }
  return result;
}

void print(const boost::json::array& rows) {
  std::printf("%-44s %9s %9s %9s %9s %7s\n", "", "net ns", "", "in HASH lookups", "", "goal");
  std::printf("%-44s %9s %9s %9s %9s\n", "path", "min", "median", "min", "median");
  for (const auto& value : rows) {
    const auto& row = value.as_object();
    const auto number = [&](const char* key) { return row.contains(key) ? row.at(key).to_number<double>() : 0.0; };
    std::printf("%-44s %9.1f %9.1f %9.2f %9.2f", row.at("row").as_string().c_str(), number("net_ns_min"),
                number("net_ns_median"), number("hash_lookups_min"), number("hash_lookups_median"));
    if (row.contains("goal_hash_lookups")) std::printf(" %7.2f", number("goal_hash_lookups"));
    std::printf("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool json = argc > 1 && std::string(argv[1]) == "--json";
  if (argc > 1 && !json) die("the only option is --json");
  make_node();
  Driver driver;
  std::vector<Row> rows = calibration(driver);
  const Objects objects{load(kFlows), load(kFlows), load(kFlows), load(4096)};
  // An attached driver stays in the kernel's XDP dispatcher; otherwise each batch would put it there and wait for RCU
  // twice.
  if (bpf_xdp_attach(static_cast<int>(if_nametoindex(kDevice)), driver.program(), 0, nullptr))
    die("attach to the bench device");
  for (const Family family : {Family::IPv4, Family::IPv6})
    add_rows(rows, driver, objects, family);
  measure(driver, rows);
  const auto result = report(rows);
  if (json)
    std::cout << boost::json::serialize(result) << "\n";
  else
    print(result);
}
