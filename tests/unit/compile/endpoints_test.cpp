// SPDX-License-Identifier: Apache-2.0
#include "userspace/compile/endpoints.h"

#include <gmock/gmock.h>

#include "tests/unit/compile/objects.h"

namespace fairlead::compile {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const model::ServicePort kPort{"", model::Protocol::kTcp, 80, 0};

std::vector<std::string> gathered(const model::ServicePort& port, const model::Store::Slices& slices,
                                  Family family = Family::IPv4) {
  std::vector<std::string> texts;
  for (const Candidate& candidate : gather(port, family, slices, kNode))
    texts.push_back(candidate.endpoint->address.to_string() + ":" + std::to_string(candidate.port) +
                    (candidate.local ? " here" : ""));
  return texts;
}

TEST(Gather, OrderOfSlicesAndEndpointsDoesNotMatter) {
  const auto one = slices({slice({{"10.0.0.2"}, {"10.0.0.1"}}, "a"), slice({{"10.0.0.3"}}, "b")});
  const auto other = slices({slice({{"10.0.0.3"}, {"10.0.0.1"}}, "a"), slice({{"10.0.0.2"}}, "b")});
  EXPECT_THAT(gathered(kPort, one), ElementsAre("10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.3:8080"));
  EXPECT_EQ(gathered(kPort, one), gathered(kPort, other));
}

TEST(Gather, PortsMatchByNameAndProtocol) {
  const auto all = slices({slice({{"10.0.0.1"}}, "a", kWeb,
                                 {{"http", model::Protocol::kTcp, 8080},
                                  {"http", model::Protocol::kUdp, 8081},
                                  {"", model::Protocol::kTcp, 8082},
                                  {std::nullopt, model::Protocol::kTcp, 8083},
                                  {"http", model::Protocol::kTcp, 0}})});
  EXPECT_THAT(gathered({"http", model::Protocol::kTcp, 80, 0}, all), ElementsAre("10.0.0.1:8080"));
  EXPECT_THAT(gathered({"http", model::Protocol::kUdp, 80, 0}, all), ElementsAre("10.0.0.1:8081"));
  EXPECT_THAT(gathered({"", model::Protocol::kTcp, 80, 0}, all), ElementsAre("10.0.0.1:8082"));
  EXPECT_THAT(gathered({"other", model::Protocol::kTcp, 80, 0}, all), IsEmpty());
}

// During a rollout one service port can have several target ports.
TEST(Gather, SlicesMayNumberTheSamePortDifferently) {
  const auto all = slices({slice({{"10.0.0.1"}}, "old", kWeb, {{"", model::Protocol::kTcp, 8080}}),
                           slice({{"10.0.0.1"}, {"10.0.0.2"}}, "new", kWeb, {{"", model::Protocol::kTcp, 9090}})});
  EXPECT_THAT(gathered(kPort, all), ElementsAre("10.0.0.1:8080", "10.0.0.1:9090", "10.0.0.2:9090"));
}

TEST(Gather, EachEndpointCountsOnceAndALocalTwinWins) {
  const auto all = slices(
      {slice({{"10.0.0.1", "node2"}}, "a"), slice({{"10.0.0.1", "node1"}}, "b"), slice({{"10.0.0.1", "node3"}}, "c")});
  EXPECT_THAT(gathered(kPort, all), ElementsAre("10.0.0.1:8080 here"));
}

// An address may still stand where its pod was, or where another pod had it: in any order, in one slice or in two.
TEST(Gather, TheReadiestOfTwinsWinsWhereverItIs) {
  const At gone{"10.0.0.1", "node1", false, false, true}, unready_here = unready("10.0.0.1", "node1");
  const At serving{"10.0.0.1", "node1", false, true, false};
  const At leaving = terminating("10.0.0.1", "node1"), ready{"10.0.0.1", "node2"};
  const std::vector<At> by_worth{gone, unready_here, serving, leaving, ready};
  for (std::size_t worse = 0; worse < by_worth.size(); ++worse)
    for (std::size_t better = worse + 1; better < by_worth.size(); ++better) {
      const At &a = by_worth[worse], &b = by_worth[better];
      for (const auto& all : {slices({slice({a, b})}), slices({slice({b, a})}),
                              slices({slice({a}, "a"), slice({b}, "b")}), slices({slice({b}, "a"), slice({a}, "b")})}) {
        const auto candidates = gather(kPort, Family::IPv4, all, kNode);
        ASSERT_EQ(candidates.size(), 1u);
        const model::Endpoint& endpoint = *candidates[0].endpoint;
        EXPECT_EQ(std::tuple(endpoint.ready, endpoint.serving, endpoint.terminating, endpoint.node_name),
                  std::tuple(b.ready, b.serving, b.terminating, b.node))
            << worse << " and " << better;
        EXPECT_EQ(candidates[0].local, b.node == "node1");
      }
    }
}

TEST(Gather, OtherFamiliesAndHeadlessSlicesAreNotForUs) {
  auto headless = *slice({{"10.0.0.9"}}, "h");
  headless.headless = true;
  const auto all = slices({slice({{"fd00::1"}}, "six"), slice({{"10.0.0.1"}}, "four"),
                           std::make_shared<const model::EndpointSlice>(headless)});
  EXPECT_THAT(gathered(kPort, all), ElementsAre("10.0.0.1:8080"));
  EXPECT_THAT(gathered(kPort, all, Family::IPv6), ElementsAre("fd00::1:8080"));
}

TEST(Gather, LocalByNodeNameOrByAnAddressOfThisHost) {
  const NodeView here{"node1", "", {Address::literal("10.0.0.2")}};
  const auto all = slices({slice({{"10.0.0.1", "node1"}, {"10.0.0.2", "node2"}, {"10.0.0.3", "node2"}, {"10.0.0.4"}})});
  std::vector<bool> local;
  for (const Candidate& candidate : gather(kPort, Family::IPv4, all, here))
    local.push_back(candidate.local);
  EXPECT_THAT(local, ElementsAre(true, true, false, false));
  // A node without a name has nothing by name, not everything that has none.
  for (const Candidate& candidate : gather(kPort, Family::IPv4, all, NodeView{}))
    EXPECT_FALSE(candidate.local);
}

struct PolicyCase {
  const char* says;
  std::vector<At> endpoints;
  std::vector<std::size_t> cluster, local;
  bool any;
};

void PrintTo(const PolicyCase& row, std::ostream* out) {
  *out << row.says;
}

class Policy : public testing::TestWithParam<PolicyCase> {};

TEST_P(Policy, ChoosesEndpoints) {
  const auto all = slices({slice(GetParam().endpoints)});
  const auto candidates = gather(kPort, Family::IPv4, all, kNode);
  const Categories categories = categorize(candidates, kNode);
  EXPECT_EQ(categories.cluster, GetParam().cluster);
  EXPECT_EQ(categories.local, GetParam().local);
  EXPECT_EQ(categories.any, GetParam().any);
}

At hinted(std::string address, std::vector<std::string> zones, std::vector<std::string> nodes = {}) {
  At at{std::move(address)};
  at.zones = std::move(zones);
  at.nodes = std::move(nodes);
  return at;
}
At no_longer_ready(At at) {
  at.ready = false;
  return at;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Policy,
    testing::Values(
        PolicyCase{"nobody", {}, {}, {}, false},
        PolicyCase{"ready ones, one of them here", {{"10.0.0.1", "node1"}, {"10.0.0.2", "node2"}}, {0, 1}, {0}, true},
        PolicyCase{"unready ones count for nothing", {unready("10.0.0.1", "node1")}, {}, {}, false},
        PolicyCase{
            "ready before terminating", {{"10.0.0.1", "node1"}, terminating("10.0.0.2", "node1")}, {0}, {0}, true},
        PolicyCase{"terminating when nobody is ready",
                   {terminating("10.0.0.1", "node1"), terminating("10.0.0.2", "node2")},
                   {0, 1},
                   {0},
                   true},
        PolicyCase{"the policies fall back independently",
                   {terminating("10.0.0.1", "node1"), {"10.0.0.2", "node2"}},
                   {1},
                   {0},
                   true},
        PolicyCase{"terminating and not serving", {{"10.0.0.1", "node1", false, false, true}}, {}, {}, false},
        PolicyCase{
            "zone hints keep to the zone",
            {hinted("10.0.0.1", {"zone1"}), hinted("10.0.0.2", {"zone2"}), hinted("10.0.0.3", {"zone2", "zone1"})},
            {0, 2},
            {},
            true},
        PolicyCase{"one ready endpoint without hints switches them off",
                   {hinted("10.0.0.1", {"zone1"}), hinted("10.0.0.2", {"zone2"}), {"10.0.0.3"}},
                   {0, 1, 2},
                   {},
                   true},
        PolicyCase{"an unready endpoint without hints does not",
                   {hinted("10.0.0.1", {"zone1"}), hinted("10.0.0.2", {"zone2"}), unready("10.0.0.3")},
                   {0},
                   {},
                   true},
        PolicyCase{"hints for other zones only",
                   {hinted("10.0.0.1", {"zone2"}), hinted("10.0.0.2", {"zone3"})},
                   {0, 1},
                   {},
                   true},
        PolicyCase{"node hints come before zone hints",
                   {hinted("10.0.0.1", {"zone1"}, {"node2"}), hinted("10.0.0.2", {"zone1"}, {"node1"})},
                   {1},
                   {},
                   true},
        PolicyCase{"the terminating fallback ignores hints",
                   {no_longer_ready(hinted("10.0.0.1", {"zone2"})), terminating("10.0.0.2"), terminating("10.0.0.3")},
                   {1, 2},
                   {},
                   true}));

TEST(Policies, WithoutAZoneThereAreNoZoneHints) {
  const auto all = slices({slice({hinted("10.0.0.1", {""}), hinted("10.0.0.2", {"zone2"})})});
  EXPECT_THAT(categorize(gather(kPort, Family::IPv4, all, {}), {}).cluster, ElementsAre(0, 1));
}

}  // namespace
}  // namespace fairlead::compile
