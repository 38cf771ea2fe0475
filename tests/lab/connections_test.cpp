// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tests/lab/scenario.h"
#include "tests/support/netns.h"

// Established connections: what they survive, and how those end that cannot go on.
//
//   lbd leaves, is away, comes back     nothing happens to them
//   other backends come and go          nothing happens to them
//   their backend is terminating        they go on, new ones go elsewhere, also from the same port
//   their backend has terminated        TCP hears a RST at its next packet, UDP goes on with another backend
//   their backend is taken out alive    TCP goes on, UDP goes on with another backend
//   their backend does not serve        TCP goes on, UDP goes on with another backend
namespace fairlead::test {
namespace {

using std::chrono::seconds;
using testing::Each;
using testing::Field;
using testing::IsEmpty;

constexpr std::uint16_t kNodePort = 30080;
constexpr unsigned kConnections = 12;

class Connections : public Scenario {
 protected:
  // Two nodes with two pods each, so that each Hold has local and remote backends.
  void serve(const std::vector<Backend>& backends) {
    add_daemon(1);
    put({.node_port = kNodePort}, backends);
    ASSERT_NO_FATAL_FAILURE(start_daemons());
  }

  std::vector<Backend> all_backends() const { return {backend(1, 1), backend(1, 2), backend(2, 1), backend(2, 2)}; }

  // Through the VIP and the NodePort, of both families.
  void hold() {
    for (const Family family : kFamilies)
      for (const Endpoint& to : {vip_of(10, family), node_endpoint(1, family, kNodePort)}) {
        auto hold = Hold::start(*lab_, lab_->client(), to, kConnections);
        ASSERT_TRUE(hold) << hold.error().message;
        holds_.push_back(std::move(*hold));
      }
  }

  std::vector<HeldConnection> finish() {
    std::vector<HeldConnection> all;
    for (Hold& hold : holds_) {
      const auto connections = hold.finish();
      EXPECT_TRUE(connections) << connections.error().message;
      if (connections) all.insert(all.end(), connections->begin(), connections->end());
    }
    holds_.clear();
    return all;
  }

  static void expect_unbroken(const std::vector<HeldConnection>& connections) {
    ASSERT_FALSE(connections.empty());
    EXPECT_THAT(connections, Each(Field("broken", &HeldConnection::broken, IsEmpty())));
  }

  // pod1 of each node terminates.
  std::vector<Backend> some_terminating() const {
    std::vector<Backend> backends = all_backends();
    backends[0].terminating = backends[2].terminating = true;
    return backends;
  }

  // Connections make progress while this waits: `requests` more by each server of theirs.
  bool goes_on(const Host& pod, std::uint64_t requests) const {
    const Endpoint direct{pod.ipv4, kTargetPort};
    const auto count = [&] {
      const auto answer = ask_from(lab_->client().netns, Transport::Tcp, direct);
      return answer ? answer->count : 0;
    };
    const std::uint64_t before = count();
    return before && eventually(kSoon, [&] { return count() >= before + requests; });
  }

  // Its connections are refused from now on. lbd waits for a second, because the endpoint may only move from slice to
  // slice.
  bool is_given_up(const Host& pod) {
    return eventually(kSoon, [&] {
      for (const Family family : kFamilies) {
        const auto flows = daemon().query<std::vector<admin::FlowView>>(
            {"flow", "list", "--backend", pod.address(family).to_string()});
        if (!flows || !std::all_of(flows->begin(), flows->end(), [](const auto& flow) { return flow.backend_gone; }))
          return false;
      }
      return true;
    });
  }

  std::vector<Hold> holds_;
};

TEST_F(Connections, OutliveTheDaemonAndItsReturn) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 2}));
  ASSERT_NO_FATAL_FAILURE(serve(all_backends()));
  ASSERT_NO_FATAL_FAILURE(hold());
  EXPECT_EQ(daemon().stop(), 0);
  for (const Pod& pod : lab_->all_pods())
    EXPECT_TRUE(goes_on(pod, 200)) << pod.name << " without lbd";
  const auto started = daemon().start();
  ASSERT_TRUE(started) << started.error().message;
  for (const Pod& pod : lab_->all_pods())
    EXPECT_TRUE(goes_on(pod, 200)) << pod.name << " after lbd's return";
  const auto connections = finish();
  expect_unbroken(connections);
  Counts by_server;
  for (const HeldConnection& one : connections)
    ++by_server[one.server];
  EXPECT_EQ(by_server.size(), 4U) << "all backends must have had some";
}

TEST_F(Connections, OutliveTheComingAndGoingOfOthers) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 3}));
  ASSERT_NO_FATAL_FAILURE(serve(all_backends()));
  ASSERT_NO_FATAL_FAILURE(hold());
  const std::vector<Backend> steady = all_backends();
  for (int round = 0; round < 4; ++round) {
    std::vector<Backend> more = steady;
    more.insert(more.begin() + round, backend(1 + round % 2, 3));
    ASSERT_NO_FATAL_FAILURE(put({.node_port = kNodePort}, more));
    ASSERT_TRUE(balances_over(daemon(), "default/web", 5));
    const AskReport report = ask(Transport::Tcp, vip_of(10, Family::IPv4));
    EXPECT_EQ(report.failed, 0U) << testing::PrintToString(report.failures);
    EXPECT_EQ(report.servers.size(), 5U) << testing::PrintToString(report.servers);
    ASSERT_NO_FATAL_FAILURE(put({.node_port = kNodePort}, steady));
    ASSERT_TRUE(balances_over(daemon(), "default/web", 4));
  }
  EXPECT_TRUE(goes_on(lab_->pod(2, 2), 100));
  expect_unbroken(finish());
}

// Both at once, again and again, for the ten seconds that a slow request may take.
TEST_F(Connections, OutliveTenSecondsOfRestartsAndChanges) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 3}));
  ASSERT_NO_FATAL_FAILURE(serve(all_backends()));
  ASSERT_NO_FATAL_FAILURE(hold());
  const auto end = std::chrono::steady_clock::now() + seconds(10);
  int restarts = 0;
  for (; std::chrono::steady_clock::now() < end; ++restarts) {
    std::vector<Backend> backends = all_backends();
    if (restarts % 2 == 0) backends.push_back(backend(1 + restarts / 2 % 2, 3));
    EXPECT_EQ(daemon().stop(), 0);
    ASSERT_NO_FATAL_FAILURE(put({.node_port = kNodePort}, backends));
    const auto started = daemon().start();
    ASSERT_TRUE(started) << started.error().message;
    ASSERT_TRUE(balances_over(daemon(), "default/web", backends.size()));
  }
  EXPECT_GE(restarts, 2);
  expect_unbroken(finish());
}

// What comes and goes while nobody watches, and is only found at the start.
TEST_F(Connections, OutliveChangesThatWereMadeWithoutTheDaemon) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 3}));
  auto before = all_backends();
  before.insert(before.begin(), backend(1, 3));
  ASSERT_NO_FATAL_FAILURE(serve(before));
  ASSERT_NO_FATAL_FAILURE(hold());
  before[0].terminating = true;
  ASSERT_NO_FATAL_FAILURE(put({.node_port = kNodePort}, before));
  ASSERT_TRUE(balances_over(daemon(), "default/web", 4));
  EXPECT_EQ(daemon().stop(), 0);
  auto after = all_backends();
  after.push_back(backend(2, 3));
  ASSERT_NO_FATAL_FAILURE(put({.node_port = kNodePort}, after));
  const auto started = daemon().start();
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_TRUE(is_given_up(lab_->pod(1, 3)));
  EXPECT_TRUE(goes_on(lab_->pod(2, 1), 100));
  std::size_t kept = 0, cut = 0;
  for (const HeldConnection& one : finish()) {
    const bool left = one.server == "node1-pod3";
    EXPECT_EQ(one.broken.empty(), !left) << one.server << ": " << one.broken;
    ++(left ? cut : kept);
  }
  EXPECT_GT(kept, 0U);
  EXPECT_GT(cut, 0U);
}

TEST_F(Connections, GoOnWhileTheirBackendTerminates) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 2}));
  ASSERT_NO_FATAL_FAILURE(serve(all_backends()));
  ASSERT_NO_FATAL_FAILURE(hold());
  ASSERT_NO_FATAL_FAILURE(put({.node_port = kNodePort}, some_terminating()));
  ASSERT_TRUE(balances_over(daemon(), "default/web", 2));
  EXPECT_TRUE(goes_on(lab_->pod(1, 1), 100)) << "local";
  EXPECT_TRUE(goes_on(lab_->pod(2, 1), 100)) << "remote";
  for (const Family family : kFamilies)
    for (const Transport transport : kTransports)
      EXPECT_THAT(names(ask(transport, vip_of(10, family)).servers), testing::ElementsAre("node1-pod2", "node2-pod2"))
          << "new ones";
  expect_unbroken(finish());
}

// Relabelled, or edited out of its slice: nothing says that it is not there any more.
TEST_F(Connections, GoOnWhenTheirBackendIsTakenOutAlive) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 2}));
  ASSERT_NO_FATAL_FAILURE(serve(all_backends()));
  ASSERT_NO_FATAL_FAILURE(hold());
  // A datagram socket moves when its backend's slot is given up, at the same time as dead connections would be reset.
  auto socket =
      in_namespace(lab_->client().netns, [&] { return connect_to(Transport::Udp, vip_of(10, Family::IPv4)); });
  ASSERT_TRUE(socket) << socket.error().message;
  const auto answer = ask_over(*socket);
  ASSERT_TRUE(answer) << answer.error().message;
  const std::string left = answer->server.substr(answer->server.find('-') + 1);
  const int stays = left == "pod1" ? 2 : 1;
  ASSERT_NO_FATAL_FAILURE(put({.node_port = kNodePort}, {backend(1, stays), backend(2, stays)}));
  ASSERT_TRUE(balances_over(daemon(), "default/web", 2));
  EXPECT_TRUE(eventually(kSoon, [&] {
    const auto moved = ask_over(*socket);
    return moved && !moved->server.ends_with(left);
  }));
  for (const bool restarted : {false, true}) {
    SCOPED_TRACE(restarted ? "after a restart" : "");
    if (restarted) {
      EXPECT_EQ(daemon().stop(), 0);
      const auto started = daemon().start();
      ASSERT_TRUE(started) << started.error().message;
    }
    for (const Pod& pod : lab_->all_pods())
      EXPECT_TRUE(goes_on(pod, 100)) << pod.name;
    for (const auto& [server, count] : ask(Transport::Tcp, vip_of(10, Family::IPv6)).servers)
      EXPECT_FALSE(server.ends_with(left)) << "new ones go elsewhere";
  }
  expect_unbroken(finish());
}

TEST_F(Connections, EndWithAResetWhenTheirBackendHasTerminated) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 2}));
  ASSERT_NO_FATAL_FAILURE(serve(all_backends()));
  ASSERT_NO_FATAL_FAILURE(hold());
  ASSERT_NO_FATAL_FAILURE(put({.node_port = kNodePort}, some_terminating()));
  ASSERT_TRUE(balances_over(daemon(), "default/web", 2));
  const std::uint64_t before = verdicts(daemon(), kArriving)["answer_backend_gone"];
  ASSERT_NO_FATAL_FAILURE(put({.node_port = kNodePort}, {backend(1, 2), backend(2, 2)}));
  EXPECT_TRUE(is_given_up(lab_->pod(1, 1))) << "local";
  EXPECT_TRUE(is_given_up(lab_->pod(2, 1))) << "remote";
  EXPECT_TRUE(goes_on(lab_->pod(1, 2), 200)) << "local";
  EXPECT_TRUE(goes_on(lab_->pod(2, 2), 200)) << "remote";
  unsigned cut = 0;
  for (const HeldConnection& one : finish()) {
    const bool left = one.server.ends_with("pod1");
    EXPECT_EQ(one.broken, left ? "reset" : "") << one.server;
    cut += left;
  }
  EXPECT_GT(cut, 0U);
  EXPECT_GE(verdicts(daemon(), kArriving)["answer_backend_gone"] - before, cut);
}

// A datagram socket that stays open is a flow, too: its backend is the same each time, until that is gone, or is there
// and does not serve.
class UdpConnections : public Connections, public testing::WithParamInterface<bool> {};

TEST_P(UdpConnections, MoveWhenTheirBackendIsGone) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
  ASSERT_NO_FATAL_FAILURE(serve({backend(1, 1), backend(2, 1)}));
  struct Flow {
    Fd socket;
    std::string server;
  };
  std::vector<Flow> flows;
  for (const Family family : kFamilies)
    for (int i = 0; i < 10; ++i) {
      auto socket = in_namespace(lab_->client().netns, [&] { return connect_to(Transport::Udp, vip_of(10, family)); });
      ASSERT_TRUE(socket) << socket.error().message;
      const auto answer = ask_over(*socket);
      ASSERT_TRUE(answer) << answer.error().message;
      flows.push_back({std::move(*socket), answer->server});
    }
  const auto expect_server = [&](const auto& server_of) {
    for (const Flow& flow : flows) {
      const auto answer = ask_over(flow.socket);
      ASSERT_TRUE(answer) << answer.error().message;
      EXPECT_EQ(answer->server, server_of(flow));
    }
  };
  expect_server([](const Flow& flow) { return flow.server; });
  const auto is_remote = [](const Flow& flow) { return flow.server == "node2-pod1"; };
  const auto remote = std::count_if(flows.begin(), flows.end(), is_remote);
  ASSERT_TRUE(remote > 0 && remote < static_cast<long>(flows.size()));

  std::vector<Backend> after{backend(1, 1)};
  if (GetParam()) {
    after.push_back(backend(2, 1));
    after.back().serving = false;
  }
  ASSERT_NO_FATAL_FAILURE(put({.node_port = kNodePort}, after));
  ASSERT_TRUE(balances_over(daemon(), "default/web", 1));
  EXPECT_TRUE(eventually(kSoon, [&] {
    return std::all_of(flows.begin(), flows.end(), [](const Flow& flow) {
      const auto answer = ask_over(flow.socket);
      return answer && answer->server == "node1-pod1";
    });
  }));
}

INSTANTIATE_TEST_SUITE_P(Or, UdpConnections, testing::Bool(),
                         [](const auto& info) { return info.param ? "DoesNotServe" : "Gone"; });

}  // namespace
}  // namespace fairlead::test
