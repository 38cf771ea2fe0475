// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <chrono>

#include "tests/lab/scenario.h"

// Connections that cannot be served are refused, so that the client knows at once; silence is for policy alone.
namespace fairlead::test {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::uint16_t kNodePort = 30080;

class Refusal : public Scenario, public testing::WithParamInterface<std::string> {
 protected:
  void serve(const ServiceText& service, const std::vector<std::pair<int, int>>& pods) {
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
    add_daemon(1, {.xdp_mode = GetParam()});
    std::vector<Backend> backends;
    for (const auto& [node, pod] : pods)
      backends.push_back(backend(node, pod));
    put(service, backends);
    ASSERT_NO_FATAL_FAILURE(start_daemons());
  }

  std::uint64_t counted(const std::string& verdict) { return verdicts(daemon(), kArriving).at(verdict); }

  // Sooner than the kernel would send a SYN again, which is after a second.
  void expect_refused(Transport transport, const Endpoint& to, const std::string& verdict) {
    SCOPED_TRACE(std::string(name_of(transport)) + " " + to.to_string());
    const std::uint64_t before = counted(verdict);
    const auto start = Clock::now();
    const auto answer = ask_from(lab_->client().netns, transport, to);
    EXPECT_LT(Clock::now() - start, milliseconds(900));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ECONNREFUSED) << answer.error().message;
    EXPECT_EQ(counted(verdict), before + 1);
  }

  void expect_silence(Transport transport, const Endpoint& to, const std::string& verdict) {
    SCOPED_TRACE(std::string(name_of(transport)) + " " + to.to_string());
    const std::uint64_t before = counted(verdict);
    const auto answer = ask_from(lab_->client().netns, transport, to, milliseconds(300));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ETIMEDOUT) << answer.error().message;
    EXPECT_EQ(counted(verdict), before + 1);
  }
};

TEST_P(Refusal, ServiceWithoutBackends) {
  ASSERT_NO_FATAL_FAILURE(serve({.node_port = kNodePort}, {}));
  for (const Family family : kFamilies)
    for (const Transport transport : kTransports)
      for (const Endpoint& to : {vip_of(10, family), node_endpoint(1, family, kNodePort)})
        expect_refused(transport, to, "answer_no_backend");
}

// One packet arrives once: nobody sends it round between the node and its router.
TEST_P(Refusal, AddressWithSourceRanges) {
  ASSERT_NO_FATAL_FAILURE(
      serve({.node_port = kNodePort, .spec = {"loadBalancerSourceRanges: [203.0.113.0/24, '2001:db8:113::/48']"}},
            {{1, 1}, {2, 1}}));
  for (const Family family : kFamilies)
    for (const Transport transport : kTransports) {
      expect_silence(transport, vip_of(10, family), "policy");
      EXPECT_EQ(ask(transport, node_endpoint(1, family, kNodePort)).failed, 0U);
    }
}

TEST_P(Refusal, PortThatNoServiceHas) {
  ASSERT_NO_FATAL_FAILURE(serve({}, {{1, 1}, {2, 1}}));
  for (const Family family : kFamilies)
    for (const Transport transport : kTransports) {
      expect_refused(transport, vip_of(10, family, 81), "answer_closed_port");
      EXPECT_EQ(ask(transport, vip_of(10, family), {.count = 10}).failed, 0U) << "the one that there is";
    }
}

// The backends are elsewhere, and only those on this node may be used.
TEST_P(Refusal, LocalPolicyWithoutLocalBackendsIsSilent) {
  ASSERT_NO_FATAL_FAILURE(serve({.node_port = kNodePort, .spec = {"externalTrafficPolicy: Local"}}, {{2, 1}}));
  for (const Family family : kFamilies)
    for (const Transport transport : kTransports)
      for (const Endpoint& to : {vip_of(10, family), node_endpoint(1, family, kNodePort)})
        expect_silence(transport, to, "policy");
}

TEST_P(Refusal, LocalPolicyUsesLocalBackendsOnly) {
  const ServiceText service{.node_port = kNodePort, .spec = {"externalTrafficPolicy: Local"}};
  ASSERT_NO_FATAL_FAILURE(serve(service, {{1, 1}, {2, 1}}));
  for (const Family family : kFamilies)
    for (const Transport transport : kTransports) {
      const AskReport report = ask(transport, vip_of(10, family));
      EXPECT_EQ(report.failed, 0U) << testing::PrintToString(report.failures);
      EXPECT_THAT(names(report.servers), testing::ElementsAre("node1-pod1"));
      EXPECT_THAT(names(report.seen_as), testing::ElementsAre(lab_->client().address(family).to_string()));
    }
}

// The last backend goes, one comes: refused and served at once, without a packet that is lost in between.
TEST_P(Refusal, EndsWithTheFirstBackend) {
  ASSERT_NO_FATAL_FAILURE(serve({}, {{2, 1}}));
  for (int round = 0; round < 2; ++round) {
    ASSERT_NO_FATAL_FAILURE(put({}, {}));
    ASSERT_TRUE(balances_over(daemon(), "default/web", 0));
    for (const Family family : kFamilies)
      expect_refused(Transport::Tcp, vip_of(10, family), "answer_no_backend");
    ASSERT_NO_FATAL_FAILURE(put({}, {backend(1, 1)}));
    ASSERT_TRUE(balances_over(daemon(), "default/web", 1));
    for (const Family family : kFamilies)
      EXPECT_EQ(ask(Transport::Tcp, vip_of(10, family), {.count = 10}).failed, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(, Refusal, testing::Values("native", "off"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace fairlead::test
