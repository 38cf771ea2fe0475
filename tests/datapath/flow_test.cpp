// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <sched.h>

#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "tests/datapath/scene.h"
#include "userspace/datapath/flows.h"

// The life of a flow: what packets, forged ones too, and time make of it.
namespace fairlead::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kIsn = 7000, kClientIsn = 1000;

// An address out of 100.64.0.0/10, which nobody here has.
std::string somebody(std::uint32_t n) {
  return "100." + std::to_string(64 + (n >> 16 & 63)) + "." + std::to_string(n >> 8 & 255) + "." +
         std::to_string(n & 255);
}

class FlowTest : public Scene {
 protected:
  void SetUp() override {
    DatapathTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) make(family());
  }
  virtual Family family() const { return Family::IPv4; }

  // A table for so many flows.
  void with_room_for(std::uint32_t flows, datapath::PortRange ports = {}) {
    datapath::Config config;
    config.sizes = {1024, 1024, 1024, 1024, 1u << 16, 1u << 12, flows, 64};
    if (ports.last) config.snat_ports = ports;
    load(config);
    make(Family::IPv4);
  }

  // Without a look at the counters, which takes longer than the packet.
  Packet send(lb_hook hook, const Packet& packet, int* action = nullptr) {
    const Ran ran = run_once(program(hook), hook, uplink(), build(packet));
    if (action) *action = ran.action;
    return dissect(ran.frame).packet;
  }

  static Packet numbered(Packet packet, std::uint32_t seq, std::uint32_t ack) {
    packet.seq = seq;
    packet.ack = ack;
    return packet;
  }
  Packet client(std::uint16_t port, std::uint8_t flags, std::uint32_t seq = kClientIsn + 1,
                std::uint32_t ack = kIsn + 1) const {
    return numbered(to_vip(port, flags), seq, ack);
  }
  static Packet backend(const Packet& seen, std::uint8_t flags, std::uint32_t seq = kIsn + 1,
                        std::uint32_t ack = kClientIsn + 1) {
    return numbered(reverse(seen, flags), seq, ack);
  }

  // A whole handshake; returns what the backend saw of its SYN.
  Packet connect(std::uint16_t port) {
    const Packet seen = xdp(client(port, kSyn, kClientIsn, 0)).packet;
    run(port == kLocal ? LB_HOOK_TC_EGRESS : LB_HOOK_XDP, backend(seen, kSyn | kAck, kIsn));
    xdp(client(port, kAck));
    return seen;
  }

  void sweep() {
    datapath::Sweeper sweeper(object());
    for (;;) {
      const auto swept = sweeper.step(1u << 14);
      ASSERT_TRUE(swept) << swept.error().message;
      if (*swept) return;
    }
  }

  std::vector<datapath::Flow> entries() {
    std::vector<datapath::Flow> all;
    datapath::for_each_flow(object(), family(), [&](const datapath::Flow& flow) { all.push_back(flow); });
    return all;
  }
  // Of both entries of the only flow.
  void expect_life(std::int32_t seconds) {
    const auto all = entries();
    EXPECT_EQ(all.size(), 2U);
    for (const datapath::Flow& flow : all)
      EXPECT_NEAR(flow.expires_in, seconds, 2) << (flow.flags & LB_FLOW_REPLY ? "reply" : "forward");
  }
};

// A flow to a backend on this node, and to one elsewhere.
class FlowToEither : public FlowTest, public testing::WithParamInterface<std::tuple<Family, Port>> {
 protected:
  Family family() const override { return std::get<Family>(GetParam()); }
  Port port() const { return std::get<Port>(GetParam()); }
  bool is_local() const { return port() == kLocal; }
  Outcome reply(const Packet& packet) { return run(is_local() ? LB_HOOK_TC_EGRESS : LB_HOOK_XDP, packet); }
  const char* replied() const { return is_local() ? "local_reply" : "remote_reply"; }
  const char* made() const { return is_local() ? "local_new" : "remote_new"; }
};
INSTANTIATE_TEST_SUITE_P(, FlowToEither,
                         testing::Combine(testing::Values(Family::IPv4, Family::IPv6),
                                          testing::Values(kLocal, kRemote)),
                         [](const auto& info) {
                           return std::string(std::get<Port>(info.param) == kLocal ? "Local" : "Remote") +
                                  hosts(std::get<Family>(info.param)).family;
                         });

TEST_P(FlowToEither, IsEstablishedByTheClientsAcknowledgementOnly) {
  const Packet seen = xdp(client(port(), kSyn, kClientIsn, 0)).packet;
  expect_life(60);
  reply(backend(seen, kSyn | kAck, kIsn));
  expect_life(60);
  xdp(client(port(), kAck, kClientIsn + 1, 0xdeadbeef));
  expect_life(60);
  reply(backend(seen, kAck | kPsh));
  xdp(client(port(), kFin | kAck, kClientIsn + 1, 0xdeadbeef));
  expect_life(60);
}

TEST_P(FlowToEither, IsEstablishedByAHandshake) {
  connect(port());
  expect_life(86400);
}

// It was another node's before.
TEST_P(FlowToEither, ThatComesInTheMiddleIsEstablishedByBothSides) {
  Packet seen = xdp(client(port(), kAck)).packet;
  expect_life(60);
  reply(backend(seen, kAck));
  expect_life(60);
  xdp(client(port(), kAck, kClientIsn + 1, kIsn + 1));
  expect_life(86400);
}

TEST_P(FlowToEither, BeginsWithNothingButASynOrAnAcknowledgement) {
  for (const int flags : {0, +kFin, kFin | kAck, kSyn | kFin, kSyn | kAck, kSyn | kRst, +kRst}) {
    const auto outcome = xdp(client(port(), static_cast<std::uint8_t>(flags)));
    EXPECT_EQ(outcome.verdict, "no_flow") << flags;
  }
  EXPECT_TRUE(entries().empty());
}

TEST_P(FlowToEither, OfDatagramsLivesLongOnlyWhenItsClientSpeaksAgain) {
  const Packet seen = xdp(to_vip_udp(port())).packet;
  expect_life(30);
  reply(reverse(seen));
  expect_life(30);
  xdp(to_vip_udp(port()));
  expect_life(120);
}

TEST_P(FlowToEither, SurvivesAForgedReset) {
  const Packet seen = connect(port());
  xdp(client(port(), kRst, 0xdeadbeef));
  pass(120s);
  sweep();
  EXPECT_EQ(reply(backend(seen, kAck | kPsh)).verdict, replied());
}

// One in a few thousand guesses is near enough: then the connection that goes on shows that it was none.
TEST_P(FlowToEither, ForgetsAResetWhenItsClientGoesOn) {
  const Packet seen = connect(port());
  xdp(client(port(), kRst, kClientIsn + 400));
  expect_life(60);
  xdp(client(port(), kAck));
  expect_life(86400);
}

TEST_P(FlowToEither, EndsByAReset) {
  connect(port());
  xdp(client(port(), kRst));
  expect_life(60);
  pass(62s);
  sweep();
  EXPECT_TRUE(entries().empty());
}

TEST_P(FlowToEither, EndsByTheBackendsReset) {
  const Packet seen = connect(port());
  reply(backend(seen, kRst | kAck));
  expect_life(60);
}

TEST_P(FlowToEither, ForgetsAForgedFinWhenItsClientGoesOn) {
  connect(port());
  xdp(client(port(), kFin | kAck, 0xdeadbeef));
  expect_life(3600);
  Packet data = client(port(), kAck | kPsh);
  data.payload = Bytes(100);
  xdp(data);
  expect_life(86400);
}

TEST_P(FlowToEither, IsClosedByBothFins) {
  const Packet seen = connect(port());
  xdp(client(port(), kFin | kAck));
  expect_life(3600);
  reply(backend(seen, kFin | kAck));
  expect_life(60);
  xdp(client(port(), kAck, kClientIsn + 2, kIsn + 2));
  expect_life(60);
}

TEST_P(FlowToEither, StaysWithItsBackendWhateverSynComes) {
  const std::uint16_t kPort = 90;
  const std::uint32_t flags = is_local() ? LB_BACKEND_LOCAL : 0;
  const std::string first = is_ipv4() ? "10.2.0.21" : "fd02::21", second = is_ipv4() ? "10.2.0.22" : "fd02::22";
  put_service("default/two", {at().vip}, kPort, LB_IPPROTO_TCP, {{first, 8080, flags}});
  const Packet seen = xdp(client(kPort, kSyn, kClientIsn, 0)).packet;
  reply(backend(seen, kSyn | kAck, kIsn));
  xdp(client(kPort, kAck));
  put_service("default/two", {at().vip}, kPort, LB_IPPROTO_TCP, {{second, 8080, flags}});
  const lb_addr leaving = state::to_abi(Address::literal(first));
  for (lb_backend& slot : object().backends.values())
    if (std::equal(std::begin(leaving.word), std::end(leaving.word), slot.addr.word)) slot.flags |= LB_BACKEND_DRAINING;
  xdp(client(kPort, kSyn, 77, 0));
  EXPECT_EQ(xdp(client(kPort, kAck)).packet.dst, seen.dst);
  xdp(client(kPort, kFin | kAck));
  xdp(client(kPort, kSyn, 77, 0));
  EXPECT_EQ(reply(backend(seen, kAck)).verdict, replied());
}

// A client that uses a port again gets another flow as soon as the one before is over.
TEST_P(FlowToEither, BeginsAnewByASynWhenItIsOver) {
  const Packet seen = connect(port());
  xdp(client(port(), kFin | kAck));
  reply(backend(seen, kFin | kAck));
  EXPECT_EQ(xdp(client(port(), kSyn, 77, 0)).verdict, made());
  pass(62s);
  EXPECT_EQ(xdp(client(port(), kSyn, 77, 0)).verdict, made()) << "expired, and nobody has swept";
}

// What lbd asks before another backend gets the slot: only a flow of this use of the slot keeps it, until it is swept.
TEST_P(FlowToEither, KeepsItsBackendInUse) {
  connect(port());
  ASSERT_EQ(entries().size(), 2U);
  const std::uint32_t slot = entries()[0].backend, generation = entries()[0].generation;
  using Slots = std::set<std::uint32_t>;
  EXPECT_EQ(datapath::backends_in_use(object(), {{slot, generation}, {slot + 1, generation}}), Slots{slot});
  EXPECT_EQ(datapath::backends_in_use(object(), {{slot, generation + 1}}), Slots{});
  EXPECT_EQ(datapath::backends_in_use(object(), {}), Slots{});
  pass(100000s);
  EXPECT_EQ(datapath::backends_in_use(object(), {{slot, generation}}), Slots{slot}) << "its port is not free yet";
  sweep();
  EXPECT_EQ(datapath::backends_in_use(object(), {{slot, generation}}), Slots{});
}

// Whether a daemon lives or not: time is the kernel's.
TEST_F(FlowTest, OnlyTimeMakesItOld) {
  connect(kRemote);
  const auto before = entries()[0].expires_in;
  pass(1000s);
  EXPECT_NEAR(entries()[0].expires_in, before - 1000, 2);
  const std::uint32_t now = *object().now();
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  while (*object().now() == now)
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "no daemon moves it, and it stands still";
}

// A packet now and then is enough, at whatever distance.
TEST_F(FlowTest, LivesOnByKeepAlives) {
  connect(kLocal);
  for (int i = 0; i < 4; ++i) {
    pass(256s);
    xdp(client(kLocal, kAck));
    expect_life(86400);
  }
}

// As packets do: who looks at one is not interrupted by another's work, nor kept from it.
void have_cpu(unsigned number) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(number % std::thread::hardware_concurrency(), &cpus);
  const sched_param first{.sched_priority = 1};
  EXPECT_EQ(sched_setaffinity(0, sizeof(cpus), &cpus), 0);
  EXPECT_EQ(sched_setscheduler(0, SCHED_FIFO, &first), 0);
}

// Two CPUs see both FINs at once.
TEST_F(FlowTest, LosesNoFin) {
  constexpr std::uint16_t kFlows = 4000;
  with_room_for(kFlows);
  std::vector<Bytes> of_client, of_backend;
  for (std::uint16_t i = 0; i < kFlows; ++i) {
    const auto from_client = [&](std::uint8_t flags) {
      Packet packet = client(kRemote, flags);
      packet.sport = static_cast<std::uint16_t>(20000 + i);
      return packet;
    };
    const Packet seen = send(LB_HOOK_XDP, from_client(kSyn));
    send(LB_HOOK_XDP, backend(seen, kSyn | kAck, kIsn));
    send(LB_HOOK_XDP, from_client(kAck));
    of_client.push_back(build(from_client(kFin | kAck)));
    of_backend.push_back(build(backend(seen, kFin | kAck)));
  }
  std::atomic<int> arrived{0};
  const auto side = [&](unsigned cpu, const std::vector<Bytes>& frames) {
    have_cpu(cpu);
    for (int i = 0; i < kFlows; ++i) {
      ++arrived;
      while (arrived.load(std::memory_order_relaxed) < 2 * (i + 1))
        sched_yield();
      // What is dropped is sent again, as TCP does it.
      while (run_once(program(LB_HOOK_XDP), LB_HOOK_XDP, uplink(), frames[static_cast<std::size_t>(i)]).action ==
             XDP_DROP)
        sched_yield();
    }
  };
  {
    std::jthread one(side, 0, std::cref(of_client)), other(side, 1, std::cref(of_backend));
  }
  std::size_t closed = 0;
  for (const datapath::Flow& flow : entries())
    closed += lb_flow_is_closed(flow.state) && flow.expires_in <= 60;
  // A virtual CPU can be taken away while it holds an entry, for longer than anybody waits.
  EXPECT_GE(closed, 2U * kFlows - kFlows / 100);
}

// 200 connections that rest, and a flood over a table that holds 4,096 flows.
class FlowFlood : public FlowTest {
 protected:
  static constexpr std::uint16_t kConnections = 200, kFirstPort = 30000;

  Packet of(std::uint16_t i, std::uint8_t flags) const {
    Packet packet = client(kLocal, flags);
    packet.sport = static_cast<std::uint16_t>(kFirstPort + i);
    return packet;
  }
  void connect_all() {
    for (std::uint16_t i = 0; i < kConnections; ++i) {
      const Packet pod = send(LB_HOOK_XDP, of(i, kSyn));
      send(LB_HOOK_TC_EGRESS, backend(pod, kSyn | kAck, kIsn));
      send(LB_HOOK_XDP, of(i, kAck));
    }
  }
  void flood(unsigned syns, bool answered) {
    std::mt19937 random(1);
    for (unsigned n = 0; n < syns; ++n) {
      int action = -1;
      const auto port = static_cast<std::uint16_t>(1024 + random() % 60000);
      const Packet pod =
          send(LB_HOOK_XDP, tcp(somebody(static_cast<std::uint32_t>(random())), port, at().vip, kLocal, kSyn), &action);
      if (answered && action == XDP_PASS) send(LB_HOOK_TC_EGRESS, reverse(pod, kSyn | kAck));
      if (n % 400 == 399) pass(1s);
    }
  }
  std::size_t left() {
    std::set<std::uint16_t> found;
    for (const datapath::Flow& flow : entries())
      if (!(flow.flags & LB_FLOW_REPLY) && flow.key.src == Address::literal(at().client) &&
          flow.key.sport >= kFirstPort)
        found.insert(flow.key.sport);
    return found.size();
  }
  unsigned newcomers() {
    unsigned let_in = 0;
    for (std::uint16_t i = 0; i < 200; ++i)
      let_in += xdp(tcp("198.51.100.9", static_cast<std::uint16_t>(20000 + i), at().vip, kLocal, kSyn)).verdict ==
                "local_new";
    return let_in;
  }
};

TEST_F(FlowFlood, OfSynsTakesNoConnectionsPlace) {
  for (const bool answered : {false, true}) {
    SCOPED_TRACE(answered ? "answered" : "unanswered");
    connect_all();
    pass(20s);
    flood(12000, answered);
    EXPECT_EQ(left(), kConnections);
    EXPECT_EQ(newcomers(), 200U);
  }
}

TEST_F(FlowFlood, OfForgedFinsAndResetsTakesNoConnectionsPlace) {
  connect_all();
  for (std::uint16_t i = 0; i < kConnections; ++i) {
    Packet forged = of(i, i % 2 ? kFin | kAck : +kRst);
    forged.seq = 0xdeadbeef;
    send(LB_HOOK_XDP, forged);
  }
  flood(12000, true);
  EXPECT_EQ(left(), kConnections);
}

// The eldest goes first, so that each has the same time for its handshake.
TEST_F(FlowFlood, LeavesANewcomerItsTime) {
  flood(6000, false);
  double further = 0;
  for (std::uint16_t trial = 0; trial < 5; ++trial) {
    const auto port = static_cast<std::uint16_t>(2000 + trial);
    const auto is_there = [&] {
      for (const datapath::Flow& flow : entries())
        if (!(flow.flags & LB_FLOW_REPLY) && flow.key.sport == port && flow.key.src == Address::literal(at().client))
          return true;
      return false;
    };
    send(LB_HOOK_XDP, tcp(at().client, port, at().vip, kLocal, kSyn));
    for (int n = 0; n < 12000 && is_there(); n += 250, further += 250)
      flood(250, false);
  }
  EXPECT_GT(further / 5, 2500);
}

}  // namespace
}  // namespace fairlead::test
