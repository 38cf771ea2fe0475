// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/packet/runner.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cstring>

#include "tests/bench/packet/die.h"
#include "tests/bench/packet/node.h"
// clang-format off
#include "driver.skel.h"
// clang-format on

namespace fairlead::bench {
namespace {

void put_ipv4(std::vector<std::uint8_t>& bytes, const bench_tuple& tuple) {
  auto* ip = reinterpret_cast<iphdr*>(&bytes[14]);
  ip->version = 4;
  ip->ihl = 5;
  ip->ttl = 64;
  ip->protocol = LB_IPPROTO_TCP;
  ip->tot_len = htons(static_cast<std::uint16_t>(bytes.size() - 14));
  ip->saddr = tuple.src[0];
  ip->daddr = tuple.dst[0];
}

void put_ipv6(std::vector<std::uint8_t>& bytes, const bench_tuple& tuple) {
  auto* ip = reinterpret_cast<ip6_hdr*>(&bytes[14]);
  ip->ip6_vfc = 0x60;
  ip->ip6_nxt = LB_IPPROTO_TCP;
  ip->ip6_hlim = 64;
  ip->ip6_plen = htons(static_cast<std::uint16_t>(bytes.size() - 54));
  std::memcpy(&ip->ip6_src, tuple.src, 16);
  std::memcpy(&ip->ip6_dst, tuple.dst, 16);
}

std::vector<std::uint8_t> frame(const Plan& plan) {
  std::vector<std::uint8_t> bytes(BENCH_TEMPLATE);
  const std::uint8_t next_hop[] = {2, 0, 0, 0, 0, 2};
  std::copy(std::begin(kDeviceMac), std::end(kDeviceMac), bytes.begin());
  std::copy(std::begin(next_hop), std::end(next_hop), bytes.begin() + 6);
  const bool v4 = plan.family == Family::IPv4;
  bytes[12] = v4 ? 0x08 : 0x86;
  bytes[13] = v4 ? 0x00 : 0xdd;
  const bench_tuple& tuple = plan.tuples.front();
  (v4 ? put_ipv4 : put_ipv6)(bytes, tuple);
  auto* tcp = reinterpret_cast<tcphdr*>(&bytes[v4 ? 34 : 54]);
  tcp->source = tuple.sport;
  tcp->dest = tuple.dport;
  tcp->th_seq = htonl(1);
  tcp->th_ack = htonl(100);  // of what the other side has sent: some
  tcp->doff = 5;
  tcp->th_flags = plan.tcp_flags;
  return bytes;
}

double repeat(int driver, bpf_test_run_opts options, std::uint32_t packets) {
  std::vector<std::uint8_t> data(BENCH_TEMPLATE + 32);
  // Whose frame it is the kernel tells a program of tc from what is there before the driver has written it.
  std::copy(std::begin(kDeviceMac), std::end(kDeviceMac), data.begin());
  options.sz = sizeof(options);
  options.data_in = data.data();
  options.data_size_in = static_cast<std::uint32_t>(data.size());
  options.repeat = Runner::kBatch;
  double total = 0;
  const std::uint32_t batches = Runner::whole_batches(packets) / Runner::kBatch;
  for (std::uint32_t i = 0; i < batches; ++i) {
    if (bpf_prog_test_run_opts(driver, &options)) die("BPF_PROG_TEST_RUN: " + std::string(strerror(errno)));
    total += options.duration;
  }
  return total / batches;
}

}  // namespace

template <class T>
datapath::MappedArray<T> Runner::map(bpf_map* map) {
  return unwrap(datapath::MappedArray<T>::map(bpf_map__fd(map), bpf_map__max_entries(map), bpf_map__name(map)));
}

// An attached driver stays in the kernel's XDP dispatcher; otherwise each batch would put it there and wait for RCU
// twice.
Runner::Runner() : skeleton_(bench_driver__open_and_load()) {
  if (!skeleton_) die("cannot load the driver");
  plan_ = map<bench_plan>(skeleton_->maps.plan);
  tuples_ = map<bench_tuple>(skeleton_->maps.tuples);
  if (bpf_xdp_attach(static_cast<int>(if_nametoindex(kDevice)), bpf_program__fd(skeleton_->progs.bench_xdp), 0,
                     nullptr))
    die("attach to the bench device");
}

int Runner::empty(lb_hook hook) const {
  return bpf_program__fd(hook == LB_HOOK_XDP ? skeleton_->progs.bench_empty_xdp : skeleton_->progs.bench_empty_tc);
}

int Runner::floor(Family family) const {
  return bpf_program__fd(family == Family::IPv4 ? skeleton_->progs.bench_floor4 : skeleton_->progs.bench_floor6);
}

int Runner::floor_new(Family family) const {
  return bpf_program__fd(family == Family::IPv4 ? skeleton_->progs.bench_floor_new4
                                                : skeleton_->progs.bench_floor_new6);
}

void Runner::prepare(const Plan& plan) {
  const std::uint32_t zero = 0;
  bpf_map* target = plan.hook == LB_HOOK_XDP ? skeleton_->maps.xdp_target : skeleton_->maps.tc_target;
  if (bpf_map_update_elem(bpf_map__fd(target), &zero, &plan.program, BPF_ANY)) die("set the target program");
  const auto bytes = frame(plan);
  std::copy(bytes.begin(), bytes.end(), plan_[0].frame);
  plan_[0].family = static_cast<std::uint32_t>(plan.family);
  plan_[0].fresh = plan.fresh;
  plan_[0].alone = plan.alone;
  plan_[0].tuples = plan.tuples.size() > 1 ? static_cast<std::uint32_t>(plan.tuples.size()) : 0;
  plan_[0].next = 0;
  std::copy(plan.tuples.begin(), plan.tuples.end(), &tuples_[0]);
}

double Runner::run(const Plan& plan, std::uint32_t packets) {
  prepare(plan);
  return plan.hook == LB_HOOK_XDP ? run_xdp(packets) : run_tc(packets);
}

double Runner::run_xdp(std::uint32_t packets) {
  xdp_md context{};
  context.data_end = BENCH_TEMPLATE + 32;
  context.ingress_ifindex = if_nametoindex(kDevice);
  bpf_test_run_opts options{};
  options.ctx_in = &context;
  options.ctx_size_in = sizeof(context);
  return repeat(bpf_program__fd(skeleton_->progs.bench_xdp), options, packets);
}

double Runner::run_tc(std::uint32_t packets) {
  __sk_buff context{};
  context.ifindex = if_nametoindex(kDevice);
  bpf_test_run_opts options{};
  options.ctx_in = &context;
  options.ctx_size_in = sizeof(context);
  return repeat(bpf_program__fd(skeleton_->progs.bench_tc), options, packets);
}

}  // namespace fairlead::bench
