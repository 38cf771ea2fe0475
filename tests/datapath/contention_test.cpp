// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <chrono>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>

#include "tests/datapath/scene.h"
// Types that the skeleton names.
#include "tests/datapath/storm.h"
// clang-format off
#include "storm.skel.h"
// clang-format on
#include "tests/support/eventually.h"
#include "userspace/datapath/counters.h"
#include "userspace/datapath/flows.h"

// Many CPUs at one flow table: packets of the same flows at once, flows that come and go, and the sweeper.
namespace fairlead::test {
namespace {

constexpr int kThreads = 4, kPackets = 8000;
// The table is made for 128 flows, so that sets are few; lossless at its stated load, which these stay below.
constexpr std::uint32_t kTableFlows = 128;
constexpr std::uint16_t kSteady = 24, kPassing = 24;
constexpr std::uint16_t kSteadyPort = 80, kPassingPort = 81, kLocalPort = 82;
constexpr std::uint16_t kFirstClientPort = 40000;
constexpr int kBackends = 3;
// So much time passes at once, every few packets: an entry is told that it lives, and a flow of datagrams dies.
constexpr std::chrono::seconds kStep{64};
constexpr int kPacketsPerStep = 64;
constexpr std::chrono::seconds kPatience{60};

struct Seen {
  int action = -1;
  Dissected dissected;
};

// Left alone, the scheduler may keep all of them on one CPU, where they never meet.
void stay_on_cpu(int number) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<std::size_t>(number) % std::thread::hardware_concurrency(), &cpus);
  EXPECT_EQ(sched_setaffinity(0, sizeof(cpus), &cpus), 0);
}

// Without a look at the counters, which all threads move.
Seen run_program(int program, lb_hook hook, int ifindex, const Packet& packet) {
  const Ran ran = run_once(program, hook, ifindex, build(packet));
  return ran.error ? Seen{} : Seen{ran.action, dissect(ran.frame)};
}

// What is known of a flow: its backend and the source port that the backend sees, once a packet has shown them.
struct Known {
  std::atomic<std::uint32_t> backend{0};
  std::atomic<std::uint32_t> sport{0};
};

class ContentionTest : public Scene, public testing::WithParamInterface<Family> {
 protected:
  void SetUp() override {
    DatapathTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    datapath::Config config;
    config.sizes = {64, 64, 64, 64, 1u << 13, 1u << 10, kTableFlows, kTableFlows};
    config.timeouts[LB_TIMEOUT_UDP_NEW] = kStep.count();
    // Time is short here.
    config.timeouts[LB_TIMEOUT_TCP_NEW] = config.timeouts[LB_TIMEOUT_TCP_ESTABLISHED] = 1u << 30;
    load(config);
    if (HasFatalFailure()) return;
    const bool ipv4 = GetParam() == Family::IPv4;
    std::vector<TestBackend> remote, local;
    for (int i = 0; i < kBackends; ++i) {
      // Address and port belong together, so that a mix of two entries shows.
      const auto port = static_cast<std::uint16_t>(kBackendPort + i);
      remote.push_back({(ipv4 ? "10.2.0.1" : "fd02::1") + std::to_string(i), port});
      local.push_back({(ipv4 ? "10.210.1.1" : "fd00:210:1::1") + std::to_string(i), port, LB_BACKEND_LOCAL});
    }
    put_service("default/steady", {at().vip}, kSteadyPort, LB_IPPROTO_TCP, remote);
    put_service("default/passing", {at().vip}, kPassingPort, LB_IPPROTO_UDP, remote);
    put_service("default/local", {at().vip}, kLocalPort, LB_IPPROTO_TCP, local);
  }

  const Hosts& at() const { return hosts(GetParam()); }
  std::string backend_address(int i, bool local) const {
    if (GetParam() == Family::IPv4) return (local ? "10.210.1.1" : "10.2.0.1") + std::to_string(i);
    return (local ? "fd00:210:1::1" : "fd02::1") + std::to_string(i);
  }

  Seen xdp_run(const Packet& packet) { return run_program(object().xdp_program(), LB_HOOK_XDP, uplink(), packet); }
  Seen egress_run(const Packet& packet) {
    return run_program(object().tc_egress_program(), LB_HOOK_TC_EGRESS, uplink(), packet);
  }

  void complain(const std::string& what, const Packet& packet) {
    const std::lock_guard lock(complaints_mutex_);
    if (complaints_.size() < 5) complaints_.push_back(what + ": " + to_string(packet));
  }

  void count_packet() {
    if (++packets_ % kPacketsPerStep == 0) pass(kStep);
  }

  // Which backend this rewritten packet goes to, 1 and up; 0 and a complaint where it is none.
  std::uint32_t backend_of(const Packet& packet, bool local) {
    for (int i = 0; i < kBackends; ++i)
      if (packet.dst == Address::literal(backend_address(i, local)) && packet.dport == kBackendPort + i)
        return static_cast<std::uint32_t>(i + 1);
    complain("no backend's address and port", packet);
    return 0;
  }

  void expect_always(std::atomic<std::uint32_t>& known, std::uint32_t value, const char* what, const Packet& packet) {
    std::uint32_t before = 0;
    if (!known.compare_exchange_strong(before, value) && before != value)
      complain(what + (" was " + std::to_string(before)), packet);
  }

  void steady_packet(std::uint16_t flow, bool reply);
  void passing_packet(std::uint16_t flow);
  void local_packet(std::uint16_t flow, bool reply);
  void drive(std::uint32_t seed, const std::function<void(std::uint16_t flow, bool reply)>& steady, bool passing);
  void drive_all(const std::function<void(std::uint16_t flow, bool reply)>& steady, bool passing);
  void expect_no_port_is_shared();
  std::uint64_t count(lb_hook hook, lb_verdict verdict) { return datapath::read_verdicts(object())[hook][verdict]; }

  std::array<Known, kSteady> steady_, local_;
  std::array<Known, kPassing> passing_;
  std::atomic<std::uint64_t> packets_{0}, busy_{0};
  std::mutex complaints_mutex_;
  std::vector<std::string> complaints_;
};

// An established flow: the same backend and source port for ever, and replies to the client that asked.
void ContentionTest::steady_packet(std::uint16_t flow, bool reply) {
  const auto client_port = static_cast<std::uint16_t>(kFirstClientPort + flow);
  Known& known = steady_[flow];
  if (reply && known.sport && known.backend) {
    const auto backend = static_cast<int>(known.backend.load()) - 1;
    const Seen ran = xdp_run(tcp(backend_address(backend, false), static_cast<std::uint16_t>(kBackendPort + backend),
                                 at().node, static_cast<std::uint16_t>(known.sport)));
    if (ran.action == XDP_DROP) {
      ++busy_;
      return;
    }
    const Packet& got = ran.dissected.packet;
    if (ran.action != XDP_TX || !ran.dissected.error.empty() || got.dst != Address::literal(at().client) ||
        got.dport != client_port || got.src != Address::literal(at().vip) || got.sport != kSteadyPort)
      complain("reply went astray, action " + std::to_string(ran.action) + ran.dissected.error, got);
    return;
  }
  const Seen ran = xdp_run(tcp(at().client, client_port, at().vip, kSteadyPort));
  if (ran.action == XDP_DROP) {
    ++busy_;
    return;
  }
  const Packet& got = ran.dissected.packet;
  if (ran.action != XDP_TX || !ran.dissected.error.empty() || got.src != Address::literal(at().node)) {
    complain("request went astray, action " + std::to_string(ran.action) + ran.dissected.error, got);
    return;
  }
  expect_always(known.backend, backend_of(got, false), "backend", got);
  expect_always(known.sport, got.sport, "source port", got);
}

// A flow that is never answered: it ends within a second or two, wherever its next packet is by then. Its port may
// change, its backend never.
void ContentionTest::passing_packet(std::uint16_t flow) {
  const auto client_port = static_cast<std::uint16_t>(kFirstClientPort + flow);
  const Seen ran = xdp_run(udp(at().client, client_port, at().vip, kPassingPort));
  if (ran.action == XDP_DROP) {
    ++busy_;
    return;
  }
  const Packet& got = ran.dissected.packet;
  if (ran.action != XDP_TX || !ran.dissected.error.empty() || got.src != Address::literal(at().node)) {
    complain("datagram went astray, action " + std::to_string(ran.action) + ran.dissected.error, got);
    return;
  }
  expect_always(passing_[flow].backend, backend_of(got, false), "backend", got);
}

void ContentionTest::local_packet(std::uint16_t flow, bool reply) {
  const auto client_port = static_cast<std::uint16_t>(kFirstClientPort + flow);
  Known& known = local_[flow];
  if (reply && known.backend) {
    const auto backend = static_cast<int>(known.backend.load()) - 1;
    const Seen ran = egress_run(tcp(backend_address(backend, true), static_cast<std::uint16_t>(kBackendPort + backend),
                                    at().client, client_port));
    if (ran.action == TC_ACT_SHOT) {
      ++busy_;
      return;
    }
    const Packet& got = ran.dissected.packet;
    if (!ran.dissected.error.empty() || got.src != Address::literal(at().vip) || got.sport != kLocalPort)
      complain("reply left as it was " + ran.dissected.error, got);
    return;
  }
  const Seen ran = xdp_run(tcp(at().client, client_port, at().vip, kLocalPort));
  if (ran.action == XDP_DROP) {
    ++busy_;
    return;
  }
  const Packet& got = ran.dissected.packet;
  if (ran.action != XDP_PASS || !ran.dissected.error.empty() || got.sport != client_port)
    complain("request went astray, action " + std::to_string(ran.action) + ran.dissected.error, got);
  expect_always(known.backend, backend_of(got, true), "backend", got);
}

void ContentionTest::drive(std::uint32_t seed, const std::function<void(std::uint16_t, bool)>& steady, bool passing) {
  for (int i = 0; i < kPackets; ++i) {
    seed = seed * 1664525 + 1013904223;
    const auto choice = static_cast<std::uint16_t>(seed >> 16);
    count_packet();
    // Threads walk in step, so that they meet at the same flow.
    const auto flow = static_cast<std::uint16_t>((i / 2 + choice % 2) % kSteady);
    if (passing && choice % 3 == 0)
      passing_packet(static_cast<std::uint16_t>(flow % kPassing));
    else
      steady(flow, choice & 8);
  }
}

void ContentionTest::drive_all(const std::function<void(std::uint16_t, bool)>& steady, bool passing) {
  std::atomic<bool> done{false};
  std::jthread sweeper([&] {
    datapath::Sweeper sweeper(object());
    while (!done)
      if (!sweeper.step(LB_SWEEP_SETS)) complain("cannot sweep", {});
  });
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i)
      threads.emplace_back([&, i] {
        stay_on_cpu(i);
        drive(static_cast<std::uint32_t>(i), steady, passing);
      });
  }
  done = true;
  sweeper.join();
  EXPECT_EQ(complaints_, std::vector<std::string>());
  // Who meets a writer gives up its packet; that must stay rare.
  EXPECT_LT(busy_, packets_ / 20);
}

// Of the entries that are left: no key twice, no port twice towards one backend, a bit for each reply entry and no bit
// without one.
void ContentionTest::expect_no_port_is_shared() {
  std::set<std::string> keys;
  std::set<std::tuple<std::uint8_t, Address, std::uint16_t, std::uint16_t>> ports;
  std::size_t replies = 0, bits = 0;
  datapath::for_each_flow(object(), GetParam(), [&](const datapath::Flow& flow) {
    Packet key = flow.proto == LB_IPPROTO_TCP ? tcp(at().client, 0, at().vip, 0) : udp(at().client, 0, at().vip, 0);
    key.src = flow.key.src;
    key.dst = flow.key.dst;
    key.sport = flow.key.sport;
    key.dport = flow.key.dport;
    EXPECT_TRUE(keys.insert(to_string(key)).second) << "twice: " << to_string(key);
    if (!(flow.flags & LB_FLOW_SNAT)) return;
    if (!(flow.flags & LB_FLOW_REPLY)) {
      EXPECT_TRUE(ports.emplace(flow.proto, flow.to.dst, flow.to.dport, flow.to.sport).second)
          << "port shared: " << to_string(key);
      return;
    }
    ++replies;
    const std::uint32_t bit = flow.key.dport - object().config().snat_port_base;
    const lb_snat_pool& pool =
        object()
            .snat_pools[lb_snat_pool_of(state::to_abi(flow.key.src).word, flow.key.src.family == Family::IPv4 ? 1 : 4,
                                        htons(flow.key.sport), flow.proto)];
    EXPECT_TRUE(pool.used[bit / 64] >> (bit % 64) & 1) << "port without an owner: " << to_string(key);
  });
  for (const lb_snat_pool& pool : object().snat_pools.values())
    for (const __u64 word : pool.used)
      bits += static_cast<std::size_t>(std::popcount(word));
  EXPECT_EQ(bits, replies);
}

TEST_P(ContentionTest, FlowsToRemoteBackendsStayWhatTheyAre) {
  const auto new_before = count(LB_HOOK_XDP, LB_VERDICT_REMOTE_NEW);
  const auto hits_before = count(LB_HOOK_XDP, LB_VERDICT_REMOTE_HIT);
  const auto made = [&] { return count(LB_HOOK_XDP, LB_VERDICT_REMOTE_NEW) - new_before; };
  // A contest is where flows come and go all the time. How many do in one go is the scheduler's choice: a thread that
  // has its CPU for long keeps those alive that it passes by itself.
  EXPECT_TRUE(eventually(kPatience,
                         [&] {
                           drive_all([&](std::uint16_t flow, bool reply) { steady_packet(flow, reply); }, true);
                           return made() > kSteady + 10 * kPassing;
                         }))
      << made() << " flows were made";
  expect_no_port_is_shared();
  EXPECT_GT(count(LB_HOOK_XDP, LB_VERDICT_REMOTE_HIT) - hits_before, 1000u);
  EXPECT_EQ(count(LB_HOOK_XDP, LB_VERDICT_SNAT_EXHAUSTED), 0u);
  EXPECT_EQ(count(LB_HOOK_XDP, LB_VERDICT_FLOW_TABLE_FULL), 0u);
}

TEST_P(ContentionTest, EstablishedFlowsAreNeverMadeAgain) {
  for (std::uint16_t flow = 0; flow < kSteady; ++flow) {
    steady_packet(flow, false);
    steady_packet(flow, true);
  }
  const auto before = count(LB_HOOK_XDP, LB_VERDICT_REMOTE_NEW);
  drive_all([&](std::uint16_t flow, bool reply) { steady_packet(flow, reply); }, false);
  EXPECT_EQ(count(LB_HOOK_XDP, LB_VERDICT_REMOTE_NEW), before);
  expect_no_port_is_shared();
}

TEST_P(ContentionTest, RepliesOfLocalBackendsNeverLeaveUntranslated) {
  drive_all([&](std::uint16_t flow, bool reply) { local_packet(flow, reply); }, true);
  expect_no_port_is_shared();
}

// Runs the driver of storm.bpf.c on several CPUs.
class Storm {
 public:
  explicit Storm(int target) : skeleton_(storm_bpf__open_and_load()) {
    const std::uint32_t zero = 0;
    if (skeleton_) bpf_map_update_elem(bpf_map__fd(skeleton_->maps.target), &zero, &target, BPF_ANY);
    if (skeleton_) plan_ = static_cast<storm_plan*>(map(bpf_map__fd(skeleton_->maps.plan)));
  }
  ~Storm() {
    if (plan_) munmap(plan_, kPage);
    storm_bpf__destroy(skeleton_);
  }
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;

  storm_plan* plan() { return plan_; }

  // Returns what BPF_PROG_TEST_RUN does.
  int run(std::uint32_t seed, int ifindex, int repeat) {
    std::array<std::uint8_t, STORM_FRAME> frame{};
    storm_note note{};
    note.seed = seed;
    std::memcpy(frame.data() + STORM_NOTE, &note, sizeof(note));
    xdp_md context{};
    context.data_end = STORM_FRAME;
    context.ingress_ifindex = static_cast<std::uint32_t>(ifindex);
    bpf_test_run_opts options{};
    options.sz = sizeof(options);
    options.data_in = frame.data();
    options.data_size_in = STORM_FRAME;
    options.ctx_in = &context;
    options.ctx_size_in = sizeof(context);
    options.repeat = repeat;
    return bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.storm), &options);
  }

 private:
  static constexpr std::size_t kPage = 4096;
  static void* map(int fd) {
    void* memory = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? nullptr : memory;
  }

  storm_bpf* skeleton_;
  storm_plan* plan_ = nullptr;
};

__be32 ipv4(const std::string& text) {
  return state::to_abi(Address::literal(text)).word[0];
}

class StormTest : public ContentionTest {
 protected:
  void prepare(storm_plan& plan) {
    Packet packet = tcp(at().client, STORM_CLIENT_PORT, at().vip, kSteadyPort);
    packet.payload = Bytes(STORM_FRAME - 54);
    Bytes frame = build(packet);
    constexpr std::size_t kUdpLength = 38, kTcpDataOffset = 46;
    frame[kUdpLength] = 0;
    frame[kUdpLength + 1] = STORM_FRAME - 34;
    ASSERT_EQ(frame[kTcpDataOffset], 0x50);
    std::copy(frame.begin(), frame.end(), plan.frame);
    plan.client = ipv4(at().client);
    plan.vip = ipv4(at().vip);
    plan.node = ipv4(at().node);
    plan.backend = ipv4(backend_address(0, false));
    plan.tcp_port = htons(kSteadyPort);
    plan.udp_port = htons(kPassingPort);
  }
};

TEST_P(StormTest, FlowsStayWhatTheyAre) {
  constexpr int kRepeat = 6000000;
  Storm storm(object().xdp_program());
  ASSERT_TRUE(storm.plan()) << strerror(errno);
  prepare(*storm.plan());
  const auto new_before = count(LB_HOOK_XDP, LB_VERDICT_REMOTE_NEW);
  std::atomic<bool> done{false}, failed{false};
  std::jthread sweeper([&] {
    datapath::Sweeper sweeper(object());
    while (!done) {
      const auto swept = sweeper.step(LB_SWEEP_SETS);
      if (!swept) failed = true;
      if (swept && *swept) pass(2 * kStep);
    }
  });
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t i = 0; i < kThreads; ++i)
      threads.emplace_back([&, i] {
        stay_on_cpu(static_cast<int>(i));
        if (storm.run(i, uplink(), kRepeat)) failed = true;
      });
  }
  done = true;
  sweeper.join();
  const storm_plan& plan = *storm.plan();
  EXPECT_FALSE(failed);
  const auto example = [&] {
    std::string text;
    for (const __u64 word : plan.example)
      text += " " + std::to_string(word);
    return text;
  };
  EXPECT_EQ(plan.astray, 0u) << example();
  EXPECT_EQ(plan.moved, 0u) << example();
  // Who meets a writer gives up its packet; that must stay rare.
  EXPECT_LT(plan.kept, plan.rewritten / 20);
  EXPECT_GT(count(LB_HOOK_XDP, LB_VERDICT_REMOTE_NEW) - new_before, 10 * STORM_FLOWS);
  expect_no_port_is_shared();
  RecordProperty("kept", std::to_string(plan.kept));
  RecordProperty("rewritten", std::to_string(plan.rewritten));
}

// Writes entries the way programs do, but as fast as a CPU can: each goes to and fro between two whole contents.
void flip_requests(std::span<lb_flow4_set> sets, __be32 first_backend) {
  for (lb_flow4_set& set : sets)
    for (lb_flow4& entry : set.way) {
      std::atomic_ref seq(entry.head.seq);
      std::uint32_t even = seq.load();
      if (entry.head.proto != LB_IPPROTO_TCP || entry.head.flags & LB_FLOW_REPLY || even & 1 ||
          !seq.compare_exchange_strong(even, even + 1))
        continue;
      const bool second = ntohs(entry.head.new_dport) != STORM_BACKEND_PORT + 1;
      std::atomic_ref(entry.head.new_dport).store(htons(STORM_BACKEND_PORT + second));
      std::atomic_ref(entry.addr[LB_FLOW_NEW_DST][0]).store(htonl(ntohl(first_backend) + second));
      seq.store(even + 2);
    }
}

TEST_P(StormTest, EntriesAreReadWholeOrNotAtAll) {
  constexpr int kRepeat = 3000000;
  Storm storm(object().xdp_program());
  ASSERT_TRUE(storm.plan()) << strerror(errno);
  prepare(*storm.plan());
  std::atomic<bool> done{false}, failed{false};
  std::jthread writer([&] {
    stay_on_cpu(1);
    while (!done)
      flip_requests(object().flows4.values(), storm.plan()->backend);
  });
  std::jthread reader([&] {
    stay_on_cpu(0);
    if (storm.run(1, uplink(), kRepeat)) failed = true;
    done = true;
  });
  reader.join();
  writer.join();
  EXPECT_FALSE(failed);
  EXPECT_EQ(storm.plan()->astray, 0u);
  EXPECT_GT(storm.plan()->moved, 1000u) << "nothing was read while it changed";
}

INSTANTIATE_TEST_SUITE_P(, StormTest, testing::Values(Family::IPv4),
                         [](const auto& info) { return std::string(hosts(info.param).family); });

INSTANTIATE_TEST_SUITE_P(, ContentionTest, testing::Values(Family::IPv4, Family::IPv6),
                         [](const auto& info) { return std::string(hosts(info.param).family); });

}  // namespace
}  // namespace fairlead::test
