// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <numeric>

#include "tests/datapath/fixture.h"
#include "tests/datapath/other_layout.h"
#include "userspace/datapath/adopt.h"
#include "userspace/datapath/counters.h"

namespace fairlead::test {

constexpr std::uint16_t kLocalPort = 80, kRemotePort = 81, kBackendPort = 8080;

// A flow, and what was seen of it: the same packets must look the same behind any later object.
struct Known {
  Bytes request, reply;
  Bytes request_seen, reply_seen;
  lb_hook replies_at = LB_HOOK_XDP;
};

// What an lbd of another build left pinned, in other layouts, and what becomes of it.
class Upgrade : public DatapathTest {
 protected:
  void SetUp() override {
    DatapathTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (!std::filesystem::exists("/sys/fs/bpf") || ::access("/sys/fs/bpf", W_OK)) GTEST_SKIP() << "needs /sys/fs/bpf";
    config_.pin_directory = pins_.directory();
    config_.sizes = {1024, 1024, 1024, 1024, 1u << 16, 1u << 12, 8192, 8192};
  }

  void TearDown() override {
    DatapathTest::TearDown();
    std::error_code error;
    std::filesystem::remove_all(pins_.directory(), error);
  }

  void serve() {
    ASSERT_NO_FATAL_FAILURE(load(config_));
    layouts_ = *datapath::Object::layouts();
    for (const std::uint8_t proto : {LB_IPPROTO_TCP, LB_IPPROTO_UDP}) {
      const std::string name = proto == LB_IPPROTO_TCP ? "/TCP" : "/UDP";
      put_service("v4/local" + name, {"192.0.2.1"}, kLocalPort, proto,
                  {{"10.210.1.11", kBackendPort, LB_BACKEND_LOCAL}});
      put_service("v6/local" + name, {"2001:db8:2::1"}, kLocalPort, proto,
                  {{"fd00:210:1::11", kBackendPort, LB_BACKEND_LOCAL}});
      put_service("v4/remote" + name, {"192.0.2.1"}, kRemotePort, proto, {{"10.2.0.11", kBackendPort}});
      put_service("v6/remote" + name, {"2001:db8:2::1"}, kRemotePort, proto, {{"fd02::11", kBackendPort}});
    }
  }

  Ran send(lb_hook hook, const Bytes& frame) { return run_once(program(hook), hook, uplink(), frame); }

  Known begin(Family family, std::uint8_t proto, std::uint16_t port, std::uint16_t client_port) {
    const bool v4 = family == Family::IPv4;
    const std::string client = v4 ? "198.51.100.7" : "2001:db8:7::7", vip = v4 ? "192.0.2.1" : "2001:db8:2::1";
    const auto packet = [&](std::uint8_t flags) {
      return build(proto == LB_IPPROTO_TCP ? tcp(client, client_port, vip, port, flags)
                                           : udp(client, client_port, vip, port));
    };
    send(LB_HOOK_XDP, packet(kSyn));
    Known known;
    known.request = packet(kAck);
    known.request_seen = send(LB_HOOK_XDP, known.request).frame;
    Packet reply = dissect(known.request_seen).packet;
    std::swap(reply.src, reply.dst);
    std::swap(reply.sport, reply.dport);
    std::swap(reply.smac, reply.dmac);
    reply.ttl = 64;
    known.reply = build(reply);
    known.replies_at = port == kLocalPort ? LB_HOOK_TC_EGRESS : LB_HOOK_XDP;
    known.reply_seen = send(known.replies_at, known.reply).frame;
    return known;
  }

  // So many TCP and UDP flows of both families, to backends here and elsewhere.
  void begin_flows(unsigned of_each) {
    for (const Family family : {Family::IPv4, Family::IPv6})
      for (const std::uint8_t proto : {LB_IPPROTO_TCP, LB_IPPROTO_UDP})
        for (const std::uint16_t port : {kLocalPort, kRemotePort})
          for (unsigned i = 0; i < of_each; ++i)
            flows_.push_back(begin(family, proto, port, static_cast<std::uint16_t>(40000 + i)));
    for (const Known& flow : flows_) {
      ASSERT_NE(flow.request_seen, flow.request) << "not rewritten";
      ASSERT_NE(flow.reply_seen, flow.reply) << "not rewritten";
    }
  }

  unsigned changed_flows() {
    unsigned changed = 0;
    for (const Known& flow : flows_)
      changed += send(LB_HOOK_XDP, flow.request).frame != flow.request_seen ||
                 send(flow.replies_at, flow.reply).frame != flow.reply_seen;
    return changed;
  }

  std::uint64_t flows_made() {
    const auto stats = datapath::read_all_backend_stats(object(), object().sizes().backends);
    return std::accumulate(stats.begin(), stats.end(), std::uint64_t{0},
                           [](std::uint64_t so_far, const auto& one) { return so_far + one.flows; });
  }

  std::uint64_t packets_counted() {
    std::uint64_t sum = 0;
    for (const auto& hook : datapath::read_verdicts(object()))
      sum = std::accumulate(hook.begin(), hook.end(), sum);
    return sum;
  }

  unsigned ports_in_use() {
    unsigned count = 0;
    for (const lb_snat_pool& pool : object().snat_pools.values())
      for (const std::uint64_t word : pool.used)
        count += static_cast<unsigned>(__builtin_popcountll(word));
    return count;
  }

  // Puts a map in the place of a pinned one, whatever it is.
  void pin_instead(const std::string& path, int map) {
    unlink(path.c_str());
    ASSERT_EQ(bpf_obj_pin(map, path.c_str()), 0) << path;
  }

  std::string refusal() {
    release();
    const auto loaded = datapath::Object::load(config_);
    return loaded ? "none" : loaded.error().message;
  }

  void leave_all_scrambled() {
    for (const datapath::MapLayout& is : datapath::map_layouts())
      leave_scrambled(pins_, is, layouts_.at(is.map));
  }

  // The same, and this build's maps stay pinned as well: the other build's were made later, of these.
  void leave_beside() {
    std::map<std::string, Fd> pinned;
    for (const datapath::MapLayout& is : datapath::map_layouts())
      for (const std::string& path : {pins_.map(is.map, is.number), pins_.layout(is.map, is.number)})
        pinned[path] = Fd(bpf_obj_get(path.c_str()));
    leave_all_scrambled();
    for (const auto& [path, map] : pinned)
      pin_instead(path, map.get());
  }

  static datapath::MapLayout layout_of(const std::string& map) {
    for (const datapath::MapLayout& is : datapath::map_layouts())
      if (map == is.map) return is;
    throw std::out_of_range(map);
  }

  void finish() {
    for (const Error& left : object().finish_upgrade())
      ADD_FAILURE() << left.message;
  }

  // Every pinned map in this build's layout, and nothing else.
  void expect_only_our_pins() {
    std::set<std::string> ours;
    for (const datapath::MapLayout& is : datapath::map_layouts())
      ours.insert(std::filesystem::path(pins_.map(is.map, is.number)).filename());
    for (const std::string& directory : {pins_.maps(), pins_.layouts()}) {
      std::set<std::string> found;
      for (const auto& entry : std::filesystem::directory_iterator(directory))
        found.insert(entry.path().filename());
      EXPECT_EQ(found, ours) << directory;
    }
    EXPECT_THAT(*pins_.earlier(), testing::IsEmpty());
  }

  datapath::ForeignMap other(const char* table) {
    return *datapath::open_foreign(pins_, {table, 0, datapath::Kept::FLOWS}, kOtherNumber);
  }

  const datapath::Pins pins_{"/sys/fs/bpf/fairlead-upgrade-" + std::to_string(getpid())};
  datapath::Config config_;
  datapath::Layouts layouts_;
  std::vector<Known> flows_;
};

}  // namespace fairlead::test
