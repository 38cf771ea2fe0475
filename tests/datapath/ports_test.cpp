// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <malloc.h>

#include <bit>
#include <set>

#include "tests/datapath/scene.h"
#include "userspace/datapath/flows.h"

// Source ports towards a backend on another node, where there are fewer of them than flows. Nobody sweeps here unless
// it says so: ports come back without a daemon.
namespace fairlead::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPorts = 64;
constexpr std::uint32_t kIsn = 7000, kClientIsn = 1000;

class Ports : public Scene, public testing::WithParamInterface<Family> {
 protected:
  void SetUp() override {
    DatapathTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) with_ports(kPorts);
  }

  void with_ports(std::uint16_t ports, std::uint32_t flows = 4096) {
    datapath::Config config;
    config.sizes = {1024, 1024, 1024, 1024, 1u << 16, 1u << 12, flows, flows};
    config.snat_ports = {10400, static_cast<std::uint16_t>(10400 + ports - 1)};
    load(config);
    make(GetParam());
  }

  // Nothing where it was dropped.
  std::optional<Packet> send(Packet packet, std::uint32_t seq = kClientIsn + 1, std::uint32_t ack = kIsn + 1) {
    packet.seq = seq;
    packet.ack = ack;
    const Ran ran = run_once(program(LB_HOOK_XDP), LB_HOOK_XDP, uplink(), build(packet));
    if (ran.action != XDP_TX) return std::nullopt;
    return dissect(ran.frame).packet;
  }

  Packet of(std::uint32_t client, std::uint8_t flags) const {
    Packet packet = to_vip(kRemote, flags);
    packet.src.bytes[is_ipv4() ? 2 : 12] = static_cast<std::uint8_t>(client >> 14);
    packet.sport = static_cast<std::uint16_t>(1024 + (client & 0x3fff));
    return packet;
  }
  void answer(const Packet& seen, std::uint8_t flags, std::uint32_t seq = kIsn + 1) {
    send(reverse(seen, flags), seq, kClientIsn + 1);
  }

  // The port of a SYN that was answered; 0 where there is none.
  std::uint16_t half_open(std::uint32_t client) {
    const auto seen = send(of(client, kSyn), kClientIsn, 0);
    if (!seen) return 0;
    answer(*seen, kSyn | kAck, kIsn);
    return seen->sport;
  }
  std::uint16_t connect(std::uint32_t client) {
    const std::uint16_t port = half_open(client);
    if (port) send(of(client, kAck));
    return port;
  }
  Packet seen_of(std::uint32_t client) { return *send(of(client, kAck)); }
  void close_by_client(std::uint32_t client) {
    send(of(client, kFin | kAck));
    answer(seen_of(client), kFin | kAck);
    send(of(client, kAck), kClientIsn + 2, kIsn + 2);
  }
  void close_by_backend(std::uint32_t client) {
    const Packet seen = seen_of(client);
    answer(seen, kFin | kAck);
    send(of(client, kFin | kAck), kClientIsn + 1, kIsn + 2);
    answer(seen, kAck, kIsn + 2);
  }

  // Whose requests still leave by the port that they had.
  unsigned going_on(const std::map<std::uint32_t, std::uint16_t>& flows) {
    unsigned count = 0;
    for (const auto& [client, port] : flows) {
      const auto seen = send(of(client, kAck));
      count += seen && seen->sport == port;
    }
    return count;
  }

  void sweep() {
    datapath::Sweeper sweeper(object());
    while (!*sweeper.step(1u << 14)) {
    }
  }

  unsigned bits() {
    unsigned count = 0;
    for (const lb_snat_pool& pool : object().snat_pools.values())
      for (const std::uint64_t word : pool.used)
        count += static_cast<unsigned>(std::popcount(word));
    return count;
  }
  // This long after the beginning.
  std::size_t look_for_lost(datapath::PortAudit& audit, std::chrono::seconds after) {
    audit.begin();
    for (const Family family : {Family::IPv4, Family::IPv6})
      audit.see(family, 0, object().flow_sets(family));
    return audit.end(datapath::PortAudit::Time() + after);
  }
  unsigned reply_entries() {
    unsigned count = 0;
    datapath::for_each_flow(object(), GetParam(), [&](const datapath::Flow& flow) {
      count += flow.flags & LB_FLOW_REPLY && flow.flags & LB_FLOW_SNAT;
    });
    return count;
  }
};
INSTANTIATE_TEST_SUITE_P(, Ports, testing::Values(Family::IPv4, Family::IPv6),
                         [](const auto& info) { return std::string(hosts(info.param).family); });

TEST_P(Ports, OfClosedConnectionsAreTakenOver) {
  for (std::uint32_t client = 0; client < 10 * kPorts; ++client) {
    ASSERT_TRUE(connect(client)) << client;
    close_by_client(client);
  }
  EXPECT_EQ(bits(), reply_entries());
}

TEST_P(Ports, OfResetConnectionsAreTakenOver) {
  for (std::uint32_t client = 0; client < 10 * kPorts; ++client) {
    ASSERT_TRUE(connect(client)) << client;
    send(of(client, kRst | kAck));
  }
}

TEST_P(Ports, OfQuestionsAreTakenOver) {
  const auto ask = [&](std::uint32_t client) {
    Packet question = to_vip_udp(kRemote);
    question.sport = static_cast<std::uint16_t>(1024 + client);
    return send(question);
  };
  for (std::uint32_t client = 0; client < 10 * kPorts; ++client) {
    const auto seen = ask(client);
    ASSERT_TRUE(seen) << client;
    EXPECT_EQ(xdp(reverse(*seen)).verdict, "remote_reply") << client;
  }
}

TEST_P(Ports, OfHalfOpenConnectionsAreTakenOverAndNoOthers) {
  std::map<std::uint32_t, std::uint16_t> connections;
  for (std::uint32_t client = 0; client < kPorts / 2; ++client)
    connections[client] = connect(client);
  for (std::uint32_t client = 1000; client < 1000 + 10 * kPorts; ++client)
    ASSERT_TRUE(half_open(client)) << client;
  EXPECT_EQ(going_on(connections), connections.size());
}

TEST_P(Ports, OfConnectionsAreNotTakenOver) {
  std::map<std::uint32_t, std::uint16_t> connections;
  for (std::uint32_t client = 0; client < kPorts; ++client)
    connections[client] = connect(client);
  EXPECT_EQ(xdp(of(1000, kSyn)).verdict, "snat_exhausted");
  // Half closed is not closed.
  for (const auto& [client, port] : connections)
    send(of(client, kFin | kAck));
  EXPECT_EQ(xdp(of(1000, kSyn)).verdict, "snat_exhausted");
  EXPECT_EQ(going_on(connections), connections.size());
}

TEST_P(Ports, OfExpiredFlowsAreTakenOver) {
  for (std::uint32_t client = 0; client < kPorts; ++client)
    ASSERT_TRUE(connect(client));
  pass(86500s);
  EXPECT_TRUE(connect(1000));
}

// The backend is in TIME_WAIT for a minute, and may take a new SYN from the same port for an old one.
TEST_P(Ports, RestAfterTheBackendClosedFirstWhileThereAreOthers) {
  std::set<std::uint16_t> resting;
  for (std::uint32_t client = 0; client < kPorts / 2; ++client) {
    resting.insert(connect(client));
    close_by_backend(client);
  }
  for (std::uint32_t client = 100; client < 100 + 4 * kPorts; ++client) {
    const std::uint16_t port = connect(client);
    EXPECT_FALSE(!port || resting.contains(port)) << port;
    close_by_client(client);
  }
  pass(32s);
  sweep();
  EXPECT_FALSE(resting.contains(connect(1000)));
}

TEST_P(Ports, ThatRestAreTakenWhereThereAreNoOthers) {
  for (std::uint32_t client = 0; client < kPorts; ++client) {
    ASSERT_TRUE(connect(client));
    close_by_backend(client);
  }
  EXPECT_TRUE(connect(1000));
}

// The one that was taken longest ago goes first: who has just got one has as long as possible.
TEST_P(Ports, AreTakenOverInTurn) {
  std::set<std::uint16_t> taken;
  for (std::uint32_t client = 0; client < kPorts; ++client)
    ASSERT_TRUE(half_open(client));
  for (std::uint32_t client = 1000; client < 1000 + kPorts; ++client)
    taken.insert(half_open(client));
  EXPECT_EQ(taken.size(), kPorts);
}

// Who makes a flow holds a gate, which the flow that it takes the port from may have as well: it must not wait for
// itself.
TEST_P(Ports, AreTakenOverFromAFlowOfTheSameGate) {
  const auto gate = [&](std::uint32_t client) {
    const Packet packet = of(client, kSyn);
    return lb_flow_gate(lb_flow_hash(&object().config().flow_keys, state::to_abi(packet.src).word,
                                     state::to_abi(packet.dst).word, is_ipv4() ? 1 : 4, htons(packet.sport),
                                     htons(packet.dport), LB_IPPROTO_TCP));
  };
  std::vector<std::uint32_t> clients;
  for (std::uint32_t client = 0; clients.size() <= kPorts && client < 1u << 22; ++client)
    if (gate(client) == gate(0)) clients.push_back(client);
  ASSERT_GT(clients.size(), kPorts);
  for (const std::uint32_t client : clients)
    ASSERT_TRUE(half_open(client));
  EXPECT_EQ(bits(), kPorts);
  EXPECT_EQ(reply_entries(), kPorts);
}

// Evicted or taken over, a flow's end gives each port back once.
TEST_P(Ports, AreMarkedWhileAnEntryHasThem) {
  with_ports(4096, 128);
  for (std::uint32_t client = 0; client < 20000; ++client)
    half_open(client);
  EXPECT_EQ(bits(), reply_entries());
}

TEST_P(Ports, ThatNobodyHasAreFoundAndFreed) {
  datapath::PortAudit audit(object());
  const auto look = [&](std::chrono::seconds after) { return look_for_lost(audit, after); };
  connect(0);
  ASSERT_EQ(bits(), 1u);
  lb_snat_pool& pool = *std::ranges::find_if(object().snat_pools.values(), [](const lb_snat_pool& one) {
    return std::ranges::any_of(one.used, [](std::uint64_t word) { return word; });
  });
  const std::uint64_t owned = pool.used[0], lost = owned == 1 ? 2 : 1;
  pool.used[0] |= lost;
  EXPECT_EQ(look(0s) + look(20s) + look(40s), 0u);
  pool.used[0] &= ~lost;
  EXPECT_EQ(look(50s), 0u);
  pool.used[0] |= lost;
  EXPECT_EQ(look(70s) + look(90s) + look(130s), 0u) << "it had an owner at 50 s";
  EXPECT_EQ(look(150s), 1u);
  EXPECT_EQ(pool.used[0], owned);
}

// As many as a handover leaves that nobody finished: what the audit remembers of them is no more than the pools.
TEST_P(Ports, ThatNobodyHasCostNoMoreForBeingMany) {
  datapath::PortAudit audit(object());
  const auto look = [&](std::chrono::seconds after) { return look_for_lost(audit, after); };
  const auto allocated = [] {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  constexpr std::size_t kWords = 8;
  ASSERT_TRUE(connect(0));
  for (lb_snat_pool& pool : object().snat_pools.values())
    std::fill_n(pool.used, kWords, ~0ull);
  const std::size_t before = allocated();
  EXPECT_EQ(look(0s) + look(30s), 0u);
  EXPECT_LE(allocated() - before, LB_SNAT_POOLS * (sizeof(lb_snat_pool) + 64));
  EXPECT_EQ(look(60s), LB_SNAT_POOLS * kWords * 64 - 1);
  EXPECT_EQ(bits(), 1u);
}

}  // namespace
}  // namespace fairlead::test
