// SPDX-License-Identifier: Apache-2.0
// What does not fit is refused whole, and it is as if it had never been asked for.
#include "tests/unit/state/placement_fixture.h"

namespace fairlead::state {
namespace {

using test::port_spec;
using test::tcp;

const lb_service_key kVip1 = tcp("10.96.0.1", 80), kVip2 = tcp("10.96.0.2", 80), kVip3 = tcp("10.96.0.3", 80);
const lb_service_key kPod1 = tcp("10.0.0.1", 80), kPod2 = tcp("10.0.0.2", 80), kPod3 = tcp("10.0.0.3", 80);
constexpr std::uint32_t kRing = LB_RING_MIN_SLOTS;

// Three frontends, three backends of which two are local, four pools.
PortSpec large_web() {
  PortSpec spec = port_spec("web", {kVip1, kVip2, kVip3}, {kPod1, kPod2, kPod3});
  spec.backends[0].flags = spec.backends[1].flags = LB_BACKEND_LOCAL;
  for (const std::uint32_t backend : {0, 1, 2})
    spec.pools.push_back(test::pool({backend}));
  spec.frontends[1].pool = 1;
  spec.frontends[2].pool = 2;
  return spec;
}

PortSpec small_web() {
  return port_spec("web", {kVip1}, {kPod1});
}

// Limits that hold three small ports, but not one small and the refused.
struct Refusal {
  const char* name;
  Limits limits;
  PortSpec refused;
  const char* message;
};

std::vector<Refusal> refusals() {
  const PortSpec large_ring = port_spec("web", {kVip1}, {kPod1}, LB_RING_MAX_SLOTS);
  return {
      {"Frontends", {3, 9, 9, 9, 16 * kRing, 64}, large_web(), "frontends: 4 needed, the map holds 3"},
      {"Addresses", {9, 3, 9, 9, 16 * kRing, 64}, large_web(), "addresses: 4 needed, the map holds 3"},
      {"Backends", {9, 9, 9, 3, 16 * kRing, 64}, large_web(), "backends: 4 needed, the map holds 3"},
      {"RingSlots", {9, 9, 9, 9, 4 * kRing, 64}, large_web(), "ring slots: "},
      {"Members", {9, 9, 9, 9, 16 * kRing, 16}, large_web(), "ring members: "},
      {"LargeRing", {9, 9, 9, 9, LB_RING_MAX_SLOTS, 64}, large_ring, "ring slots: "},
  };
}

class PlacementRefusal : public PlacementTest, public testing::WithParamInterface<Refusal> {
 protected:
  PlacementRefusal() : PlacementTest(GetParam().limits) {
    EXPECT_TRUE(put(port_spec("first", {tcp("10.96.1.1", 80)}, {tcp("10.0.1.1", 80)})));
    commit();
  }

  // Asks for what is refused, and compares everything that can be seen from outside.
  void expect_refused() {
    const Tables before = desired();
    const auto lingering = placement_->lingering();
    const auto names = placement_->names();
    const Placement::Usage used = placement_->usage();
    EXPECT_FALSE(put(GetParam().refused));
    EXPECT_NE(refusal_.find(GetParam().message), std::string::npos) << refusal_;
    EXPECT_EQ(refusal_.find("service port web: no room for "), 0u) << refusal_;
    EXPECT_TRUE(test::same_tables(desired(), before));
    EXPECT_EQ(placement_->lingering(), lingering);
    EXPECT_EQ(placement_->names(), names);
    expect_usage(used);
    EXPECT_EQ(commit(), 0u);
  }

  void expect_usage(const Placement::Usage& used) {
    const Placement::Usage now = placement_->usage();
    EXPECT_EQ(now.service_ports, used.service_ports);
    EXPECT_EQ(now.backends, used.backends);
    EXPECT_EQ(now.ring_slots, used.ring_slots);
    EXPECT_EQ(now.members, used.members);
  }

  void expect_others_go_on() {
    const PortSpec other = port_spec("other", {tcp("10.96.1.2", 80)}, {tcp("10.0.1.2", 80)});
    EXPECT_TRUE(put(other)) << refusal_;
    EXPECT_TRUE(test::serves(desired(), other));
  }
};

TEST_P(PlacementRefusal, OfANewPortLeavesNoTrace) {
  expect_refused();
  expect_refused();
  expect_others_go_on();
}

TEST_P(PlacementRefusal, OfAChangeLeavesThePortAsItWas) {
  ASSERT_TRUE(put(small_web()));
  commit();
  expect_refused();
  expect_refused();
  EXPECT_TRUE(test::serves(desired(), small_web()));
  EXPECT_TRUE(put(small_web()));
  EXPECT_EQ(commit(), 0u);
  expect_others_go_on();
}

TEST_P(PlacementRefusal, OfAReturningPortLetsItGo) {
  ASSERT_TRUE(put(small_web()));
  commit();
  advance(Placement::kQuarantine);
  remove("web");
  commit();
  expect_refused();
  advance(Placement::kRetireAfter);
  EXPECT_FALSE(slot(kPod1));
  EXPECT_EQ(placement_->usage().service_ports, 1u);
}

INSTANTIATE_TEST_SUITE_P(Limit, PlacementRefusal, testing::ValuesIn(refusals()),
                         [](const auto& param) { return param.param.name; });

// A backend that was about to leave stood in the refused spec: it still leaves, and does so in time.
TEST_F(PlacementTest, ARefusedPutDoesNotKeepALeavingBackend) {
  start({9, 9, 9, 9, 4 * kRing, 64}, 1);
  ASSERT_TRUE(put(port_spec("web", {kVip1}, {kPod1, kPod2})));
  ASSERT_TRUE(put(port_spec("web", {kVip1}, {kPod1})));
  advance(Placement::kRetireAfter / 2);
  ASSERT_FALSE(put(large_web()));
  advance(Placement::kRetireAfter / 2);
  EXPECT_FALSE(slot(kPod2));
  EXPECT_TRUE(slot(kPod1));
}

TEST_F(PlacementTest, ServicePortsAreLimited) {
  start({9, 9, 1, 9, 4 * kRing, 64}, 1);
  ASSERT_TRUE(put(small_web()));
  EXPECT_FALSE(put(port_spec("other", {kVip2}, {kPod2})));
  EXPECT_EQ(refusal_, "service port other: no room for service ports: 2 needed, the map holds 1");
  EXPECT_TRUE(put(small_web())) << "who is in can stay";
  remove("web");
  EXPECT_FALSE(put(port_spec("other", {kVip2}, {kPod2}))) << "its backends still name it";
  advance(Placement::kRetireAfter);
  EXPECT_TRUE(put(port_spec("other", {kVip2}, {kPod2})));
}

TEST_F(PlacementTest, ARingCannotNameMoreMembersThanItsSlotsCount) {
  start({9, 9, 9, 1u << 17, 1u << 17, 1u << 17}, 1);
  test::Keys pods;
  for (std::uint32_t i = 0; i < 65536; ++i)
    pods.push_back(tcp("10.1." + std::to_string(i >> 8) + "." + std::to_string(i & 255), 80));
  EXPECT_FALSE(put(port_spec("web", {kVip1}, pods, LB_RING_MAX_SLOTS)));
  pods.pop_back();
  EXPECT_TRUE(put(port_spec("web", {kVip1}, pods, LB_RING_MAX_SLOTS)));
}

// At a full map, what a port has already and what it takes over from another needs no room.
TEST_F(PlacementTest, OnlyNewFrontendsNeedRoom) {
  start({2, 2, 9, 9, 16 * kRing, 64}, 1);
  ASSERT_TRUE(put(port_spec("web", {kVip1, kVip2}, {kPod1})));
  EXPECT_TRUE(put(port_spec("web", {kVip1, kVip2}, {kPod1, kPod2}))) << refusal_;
  EXPECT_TRUE(put(port_spec("heir", {kVip2}, {kPod3}))) << refusal_;
  EXPECT_FALSE(put(port_spec("heir", {kVip2, kVip3}, {kPod3})));
}

// An address is given up by who has all frontends on it, unless the node has it too.
TEST_F(PlacementTest, AnAddressThatIsReplacedNeedsNoRoom) {
  start({9, 2, 9, 9, 16 * kRing, 64}, 1);
  ASSERT_TRUE(put(port_spec("web", {kVip1, tcp("10.96.0.1", 443)}, {kPod1})));
  ASSERT_TRUE(put(port_spec("other", {kVip2}, {kPod2})));
  EXPECT_FALSE(put(port_spec("web", {kVip1, kVip3}, {kPod1}))) << "it keeps its own";
  EXPECT_TRUE(put(port_spec("web", {kVip3, tcp("10.96.0.3", 443)}, {kPod1}))) << refusal_;
  EXPECT_FALSE(desired().addresses.contains(test::address("10.96.0.1")));

  ASSERT_TRUE(put(port_spec("more", {tcp("10.96.0.2", 443)}, {kPod2})));
  EXPECT_FALSE(put(port_spec("other", {kVip1}, {kPod2}))) << "another is there too";
  placement_->set_node_addresses({test::node_address("10.96.0.3", true)});
  EXPECT_FALSE(put(port_spec("web", {kVip1}, {kPod1}))) << "the node's NodePorts are there too";
}

// Addresses of the node come whether there is room or not.
TEST_F(PlacementTest, WhoIsInCanStayWhereTheNodeHasTakenTheLastAddress) {
  start({9, 1, 9, 9, 16 * kRing, 64}, 1);
  ASSERT_TRUE(put(small_web()));
  placement_->set_node_addresses({test::node_address("192.0.2.1", true)});
  EXPECT_TRUE(put(port_spec("web", {kVip1}, {kPod2}))) << refusal_;
  EXPECT_FALSE(put(port_spec("web", {kVip1, kVip2}, {kPod2})));
}

}  // namespace
}  // namespace fairlead::state
