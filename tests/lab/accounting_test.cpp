// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tests/lab/scenario.h"
#include "tests/support/netns.h"

// Nothing is lost and nothing counted twice: what was sent is what counters, flows and lbctl say.
namespace fairlead::test {
namespace {

using testing::Each;
using testing::Field;
using testing::SizeIs;
using Flows = std::vector<admin::FlowView>;

constexpr std::uint16_t kNodePort = 30080;
constexpr unsigned kRequests = 100;
// Answers are longer, as they say whom the server saw; the requests' size is ours to choose.
constexpr unsigned kPayload = 200;

class Accounting : public Scenario {
 protected:
  void serve(const std::string& xdp_mode = "native") {
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
    add_daemon(1, {.xdp_mode = xdp_mode});
    put({.node_port = kNodePort}, {backend(1, 1), backend(2, 1)});
    ASSERT_NO_FATAL_FAILURE(start_daemons());
  }

  // So many datagrams there and back, over as many sockets. All stay open: of sockets that are closed two might have
  // the same port, and be one flow.
  Counts exchange(const Endpoint& to, unsigned datagrams) {
    Counts servers;
    const std::string request(kPayload, '.');
    for (unsigned i = 0; i < datagrams; ++i) {
      auto socket = in_namespace(lab_->client().netns, [&] { return connect_to(Transport::Udp, to); });
      EXPECT_TRUE(socket) << socket.error().message;
      if (!socket) return servers;
      const auto answer = ask_over(*socket, request);
      EXPECT_TRUE(answer) << answer.error().message;
      if (answer) ++servers[answer->server];
      sockets_.push_back(std::move(*socket));
    }
    return servers;
  }

  std::map<std::string, std::uint64_t> totals() { return verdicts(daemon()); }

  void expect_no_drops() {
    const auto hooks = daemon().query<std::vector<admin::HookView>>({"verdicts"});
    ASSERT_TRUE(hooks) << hooks.error().message;
    for (const admin::HookView& hook : *hooks)
      for (const admin::VerdictView& verdict : hook.verdicts)
        if (verdict.kind == admin::VerdictKind::kDrop) {
          EXPECT_EQ(verdict.packets, 0U) << hook.hook << " " << verdict.name;
        }
  }

  admin::ServicePortView port(const std::string& id) {
    const auto service = daemon().query<admin::ServiceView>({"service", "show", "default/web"});
    EXPECT_TRUE(service) << service.error().message;
    if (service)
      for (const admin::ServicePortView& port : service->ports)
        if (port.id == id) return port;
    ADD_FAILURE() << "no " << id;
    return {};
  }

  struct Sums {
    std::uint64_t connections = 0, in = 0, out = 0;
  };
  Sums sums_of_backends() {
    Sums sums;
    for (const char* family : {"IPv4", "IPv6"})
      for (const admin::BackendView& backend : port("default/web:tcp/TCP/" + std::string(family)).backends) {
        sums.connections += backend.connections;
        sums.in += backend.packets_in;
        sums.out += backend.packets_out;
      }
    return sums;
  }

  Flows flows(std::vector<std::string> filter = {}) {
    filter.insert(filter.begin(), {"flow", "list", "--limit", "0"});
    const auto found = daemon().query<Flows>(filter);
    EXPECT_TRUE(found) << found.error().message;
    return found ? *found : Flows{};
  }

  std::uint64_t count(std::vector<std::string> filter = {}) {
    filter.insert(filter.begin(), {"flow", "count"});
    const auto found = daemon().query<admin::CountView>(filter);
    EXPECT_TRUE(found) << found.error().message;
    return found ? found->count : 0;
  }

  std::vector<Fd> sockets_;
};

// One datagram each way, so every figure is known exactly.
TEST_F(Accounting, OfDatagramsIsExact) {
  ASSERT_NO_FATAL_FAILURE(serve());
  for (const Family family : kFamilies) {
    SCOPED_TRACE(family == Family::IPv4 ? "IPv4" : "IPv6");
    const auto before = totals();
    const Counts servers = exchange(vip_of(10, family), kRequests);
    ASSERT_EQ(sum(servers), kRequests);
    auto after = totals();
    for (auto& [name, value] : after)
      value -= before.at(name);
    const unsigned local = servers.at("node1-pod1"), remote = servers.at("node2-pod1");
    EXPECT_EQ(after["local_new"], local);
    EXPECT_EQ(after["remote_new"], remote);
    EXPECT_EQ(after["local_reply"], local);
    EXPECT_EQ(after["remote_reply"], remote);
    EXPECT_EQ(after["local_hit"] + after["remote_hit"], 0U);

    const auto port = this->port(family == Family::IPv4 ? "default/web:udp/UDP/IPv4" : "default/web:udp/UDP/IPv6");
    ASSERT_THAT(port.backends, SizeIs(2));
    const unsigned headers = (family == Family::IPv4 ? 20 : 40) + 8;
    for (const admin::BackendView& backend : port.backends) {
      const unsigned expected = backend.local ? local : remote;
      EXPECT_EQ(backend.connections, expected);
      EXPECT_EQ(backend.packets_in, expected);
      EXPECT_EQ(backend.packets_out, expected);
      EXPECT_EQ(backend.bytes_in, expected * (headers + kPayload));
      EXPECT_GT(backend.bytes_out, expected * (headers + kPayload));
    }
  }
}

// Of a TCP connection only the number is known, and that no packet of it came to nothing.
TEST_F(Accounting, OfConnectionsAddsUp) {
  for (const char* mode : {"native", "off"}) {
    SCOPED_TRACE(mode);
    daemons_.clear();
    servers_.clear();
    ASSERT_NO_FATAL_FAILURE(serve(mode));
    unsigned local = 0, remote = 0;
    for (const Family family : kFamilies)
      for (const Endpoint& to : {vip_of(10, family), node_endpoint(1, family, kNodePort)}) {
        const AskReport report = ask(Transport::Tcp, to, {.count = kRequests});
        ASSERT_EQ(report.answered, kRequests) << testing::PrintToString(report.failures);
        local += report.servers.at("node1-pod1");
        remote += report.servers.at("node2-pod1");
      }
    // The last packets of a connection may still be under way when its client has all it wants.
    Sums sums;
    auto after = totals();
    EXPECT_TRUE(eventually(kSoon,
                           [&] {
                             after = totals();
                             sums = sums_of_backends();
                             return sums.in == after.at("local_new") + after.at("local_hit") + after.at("remote_new") +
                                                   after.at("remote_hit") &&
                                    sums.out == after.at("local_reply") + after.at("remote_reply");
                           }))
        << "backends count " << sums.in << " in, " << sums.out << " out";
    EXPECT_EQ(sums.connections, 4 * kRequests);
    EXPECT_EQ(after.at("local_new"), local);
    EXPECT_EQ(after.at("remote_new"), remote);
    expect_no_drops();
  }
}

TEST_F(Accounting, FlowFiltersDivideTheFlows) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_EQ(count(), 0U);
  std::map<std::string, unsigned> by_server;
  for (const Family family : kFamilies)
    for (const Endpoint& to : {vip_of(10, family), node_endpoint(1, family, kNodePort)}) {
      const Counts servers = exchange(to, kRequests);
      ASSERT_EQ(sum(servers), kRequests);
      for (const auto& [server, answers] : servers)
        by_server[server + (family == Family::IPv4 ? " 4" : " 6")] += answers;
    }
  auto hold = Hold::start(*lab_, lab_->client(), vip_of(10, Family::IPv4), 10);
  ASSERT_TRUE(hold) << hold.error().message;

  EXPECT_EQ(count(), 4 * kRequests + 10);
  EXPECT_EQ(flows().size(), count());
  EXPECT_EQ(count({"--service", "default/web"}), count());
  EXPECT_EQ(count({"--service", "default/we"}), 0U);
  EXPECT_EQ(count({"--service", "default/web:udp/UDP/IPv6"}), 2 * kRequests);
  EXPECT_EQ(count({"--protocol", "UDP"}), 4 * kRequests);
  EXPECT_EQ(count({"--protocol", "tcp"}), 10U) << "as one types it";
  EXPECT_EQ(count({"--state", "established"}), 10U);
  EXPECT_EQ(count({"--state", "new"}), 4 * kRequests) << "a question and its answer";
  EXPECT_EQ(count({"--state", "closing"}), 0U);
  for (const Family family : kFamilies) {
    const Address vip = vip_of(10, family).address;
    EXPECT_EQ(count({"--frontend", vip.to_string(), "--protocol", "UDP"}), kRequests);
    EXPECT_EQ(count({"--frontend", node_endpoint(1, family, kNodePort).to_string()}), kRequests);
    EXPECT_EQ(count({"--frontend", node_endpoint(1, family, kNodePort + 1).to_string()}), 0U);
    EXPECT_EQ(count({"--client", lab_->client().address(family).to_string(), "--protocol", "UDP"}), 2 * kRequests);
    for (int node = 1; node <= 2; ++node) {
      const Pod& pod = lab_->pod(node, 1);
      const auto found = flows({"--backend", pod.address(family).to_string(), "--protocol", "UDP"});
      EXPECT_EQ(found.size(), by_server[pod.name + (family == Family::IPv4 ? " 4" : " 6")]);
      EXPECT_THAT(found, Each(Field("backend", &admin::FlowView::backend,
                                    Endpoint{pod.address(family), kTargetPort}.to_string())));
      EXPECT_THAT(found, Each(Field("local", &admin::FlowView::local, node == 1)));
    }
  }
  EXPECT_THAT(*daemon().query<Flows>({"flow", "list", "--limit", "7"}), SizeIs(7));

  // A connection by its own address: one flow, from there to the VIP.
  const auto connections = hold->finish();
  ASSERT_TRUE(connections) << connections.error().message;
  const Endpoint client{lab_->client().ipv4, connections->front().local_port};
  const auto one = flows({"--client", client.to_string(), "--protocol", "TCP"});
  ASSERT_THAT(one, SizeIs(1));
  EXPECT_EQ(one[0].client, client.to_string());
  EXPECT_EQ(one[0].frontend, vip_of(10, Family::IPv4).to_string());
  EXPECT_EQ(one[0].service, "default/web:tcp/TCP/IPv4");
  EXPECT_EQ(one[0].source == one[0].client, connections->front().server == "node1-pod1");
  EXPECT_TRUE(eventually(kSoon, [&] { return count({"--state", "closed"}) == 10; })) << "all were closed by now";
}

TEST_F(Accounting, RingsAddUpToTheirSlots) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const auto rings = daemon().query<std::vector<admin::RingView>>({"maglev", "show", "default/web"});
  ASSERT_TRUE(rings) << rings.error().message;
  ASSERT_THAT(*rings, SizeIs(4)) << "TCP and UDP, IPv4 and IPv6, each one ring for all its frontends";
  for (const admin::RingView& ring : *rings) {
    EXPECT_THAT(ring.frontends, SizeIs(3)) << ring.service;
    EXPECT_THAT(ring.members, SizeIs(2)) << ring.service;
    std::uint64_t slots = 0, largest = 0;
    for (const admin::RingMemberView& member : ring.members) {
      slots += member.slots;
      largest = std::max(largest, member.slots);
    }
    EXPECT_EQ(slots, ring.slots);
    EXPECT_GE(ring.slots, 100 * ring.members.size());
    EXPECT_DOUBLE_EQ(ring.imbalance, static_cast<double>(largest * ring.members.size()) / static_cast<double>(slots));
    EXPECT_LE(ring.imbalance, 1.01);
  }
}

}  // namespace
}  // namespace fairlead::test
