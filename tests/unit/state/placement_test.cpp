// SPDX-License-Identifier: Apache-2.0
// Where service ports are placed, and how long what they give up stays untouched.
#include "userspace/state/placement.h"

#include <set>

#include "tests/unit/state/placement_fixture.h"

namespace fairlead::state {
namespace {

using test::port_spec;
using test::tcp;

const lb_service_key kVip = tcp("10.96.0.1", 80), kOtherVip = tcp("10.96.0.2", 80);
const lb_service_key kPod1 = tcp("10.0.0.1", 8080), kPod2 = tcp("10.0.0.2", 8080), kPod3 = tcp("10.0.0.3", 8080);

TEST_F(PlacementTest, APortIsServedOnAllItsFrontends) {
  const PortSpec spec = port_spec("web", {kVip, tcp("2001:db8::1", 80), test::nodeport(30080)}, {kPod1, kPod2});
  ASSERT_TRUE(put(spec));
  EXPECT_TRUE(test::serves(desired(), spec));
  EXPECT_EQ(desired().names.at(service(kVip).id), "web");
  EXPECT_TRUE(test::same_value(service(kVip), service(test::nodeport(30080)))) << "frontends share one ring";
  EXPECT_EQ(placement_->names(), std::vector<std::string>{"web"});

  const Placement::Usage usage = placement_->usage();
  EXPECT_EQ(usage.frontends, 3u);
  EXPECT_EQ(usage.addresses, 2u);
  EXPECT_EQ(usage.service_ports, 1u);
  EXPECT_EQ(usage.backends, 2u);
  EXPECT_EQ(usage.ring_slots, LB_RING_MIN_SLOTS);
  EXPECT_EQ(usage.members, 4u) << "two, rounded up to the smallest block";
}

TEST_F(PlacementTest, PuttingTheSameAgainChangesNothing) {
  const auto make = [] { return port_spec("web", {kVip, kOtherVip}, {kPod1, kPod2}); };
  ASSERT_TRUE(put(make()));
  // Two each of backends, frontends, addresses and buckets; a name, a ring and a member list.
  EXPECT_EQ(commit(), 11u);
  const Tables before = desired();
  ASSERT_TRUE(put(make()));
  EXPECT_TRUE(test::same_tables(desired(), before));
  EXPECT_EQ(commit(), 0u);
  EXPECT_FALSE(placement_->next_tick()) << "nothing was given up";
}

TEST_F(PlacementTest, PoolsAreOneRingEachAndFrontendsFollowTheirs) {
  PortSpec spec = port_spec("web", {kVip}, {kPod1, kPod2, kPod3});
  spec.pools.push_back(test::pool({1}));
  spec.pools.push_back({{}, nullptr, LB_SERVICE_DROP});
  spec.frontends.push_back({kOtherVip, 1});
  spec.frontends.push_back({tcp("10.96.0.3", 80), 2});
  ASSERT_TRUE(put(spec));
  EXPECT_TRUE(test::serves(desired(), spec));
  EXPECT_EQ(desired().rings.size(), 2u);
  EXPECT_EQ(service(tcp("10.96.0.3", 80)).flags, LB_SERVICE_DROP);
  EXPECT_EQ(service(tcp("10.96.0.3", 80)).ring_slots, 0u);
}

TEST_F(PlacementTest, APoolThatStaysTheSameStaysWhereItIsWhenAnotherChanges) {
  PortSpec spec = port_spec("web", {kVip}, {kPod1, kPod2});
  spec.pools.push_back(test::pool({0}));
  spec.frontends.push_back({kOtherVip, 1});
  ASSERT_TRUE(put(spec));
  const lb_service all = service(kVip), one = service(kOtherVip);
  spec.pools[1] = test::pool({1});
  ASSERT_TRUE(put(spec));
  EXPECT_TRUE(test::same_value(service(kVip), all));
  EXPECT_FALSE(test::same_value(service(kOtherVip), one));
}

TEST_F(PlacementTest, APoolWithOtherFlagsIsAnother) {
  PortSpec spec = port_spec("web", {kVip}, {kPod1, kPod2});
  ASSERT_TRUE(put(spec));
  spec.pools[0].flags = LB_SERVICE_DROP;
  ASSERT_TRUE(put(spec));
  EXPECT_EQ(service(kVip).flags, LB_SERVICE_DROP);
}

TEST_F(PlacementTest, ABackendThatNoPoolUsesHasASlotForItsFlows) {
  PortSpec spec = port_spec("web", {kVip}, {kPod1, kPod2});
  spec.pools[0] = test::pool({0});
  spec.backends[1].flags = LB_BACKEND_DRAINING;
  ASSERT_TRUE(put(spec));
  ASSERT_TRUE(slot(kPod2));
  EXPECT_EQ(desired().backends.at(*slot(kPod2)).flags, LB_BACKEND_DRAINING);
}

TEST_F(PlacementTest, FlagsOfABackendChangeInPlace) {
  const PortSpec spec = port_spec("web", {kVip}, {kPod1, kPod2});
  ASSERT_TRUE(put(spec));
  commit();
  const lb_service before = service(kVip);
  const auto old_generation = generation(kPod2);
  ASSERT_TRUE(put(test::with_flags(spec, 1, LB_BACKEND_DRAINING)));
  EXPECT_TRUE(test::same_value(service(kVip), before));
  EXPECT_EQ(generation(kPod2), old_generation);
  EXPECT_EQ(commit(), 1u);
}

TEST_F(PlacementTest, OneEndpointOfTwoPortsHasTwoSlots) {
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1})));
  ASSERT_TRUE(put(port_spec("other", {kOtherVip}, {kPod1})));
  EXPECT_EQ(desired().backends.size(), 2u);
  EXPECT_TRUE(test::all_followable(desired()));
}

TEST_F(PlacementTest, NewMembersGetNewSpaceAndTheOldRests) {
  start({64, 64, 32, 256, 2 * LB_RING_MIN_SLOTS, 1u << 10}, 1);  // two rings
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1})));
  const std::uint32_t first_ring = service(kVip).ring_offset, first_list = service(kVip).member_offset;
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1, kPod2})));
  EXPECT_NE(service(kVip).ring_offset, first_ring);
  EXPECT_NE(service(kVip).member_offset, first_list);

  advance(Placement::kQuarantine - 1ms);
  EXPECT_FALSE(put(port_spec("web", {kVip}, {kPod1, kPod2, kPod3})));
  advance(1ms);
  EXPECT_TRUE(put(port_spec("web", {kVip}, {kPod1, kPod2, kPod3})));
  EXPECT_EQ(service(kVip).ring_offset, first_ring);
}

TEST_F(PlacementTest, MemberSpaceRestsToo) {
  start({64, 64, 32, 256, 1u << 16, 8}, 1);  // two lists
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1})));
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod2})));
  advance(Placement::kQuarantine - 1ms);
  EXPECT_FALSE(put(port_spec("web", {kVip}, {kPod3})));
  advance(1ms);
  EXPECT_TRUE(put(port_spec("web", {kVip}, {kPod3})));
}

TEST_F(PlacementTest, ABackendThatLeavesKeepsItsSlotForAWhile) {
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1, kPod2})));
  const auto old_generation = generation(kPod2);
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1})));
  EXPECT_EQ(placement_->next_tick(), now_ + Placement::kRetireAfter);
  advance(Placement::kRetireAfter - 1ms);
  EXPECT_EQ(generation(kPod2), old_generation);
  advance(1ms);
  EXPECT_FALSE(slot(kPod2));
}

TEST_F(PlacementTest, APutWithoutALeavingBackendGivesItNoMoreTime) {
  const PortSpec one = port_spec("web", {kVip}, {kPod1});
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1, kPod2})));
  ASSERT_TRUE(put(one));
  advance(Placement::kRetireAfter - 1ms);
  ASSERT_TRUE(put(one));
  EXPECT_TRUE(slot(kPod2));
  advance(1ms);
  EXPECT_FALSE(slot(kPod2));
}

TEST_F(PlacementTest, ASlotRestsAndThenHasAnotherGeneration) {
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1, kPod2})));
  const auto old_slot = slot(kPod2), old_generation = generation(kPod2);
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1})));
  advance(Placement::kRetireAfter);
  advance(Placement::kQuarantine - 1ms);
  ASSERT_TRUE(put(port_spec("early", {kOtherVip}, {kPod2})));
  EXPECT_NE(slot(kPod2), old_slot);
  advance(1ms);
  ASSERT_TRUE(put(port_spec("late", {tcp("10.96.0.3", 80)}, {kPod3})));
  EXPECT_EQ(slot(kPod3), old_slot);
  EXPECT_NE(generation(kPod3), old_generation);
}

TEST_F(PlacementTest, AnEndpointThatReturnsSoonKeepsSlotAndGeneration) {
  const PortSpec both = port_spec("web", {kVip}, {kPod1, kPod2}), one = port_spec("web", {kVip}, {kPod1});
  ASSERT_TRUE(put(both));
  const auto old_slot = slot(kPod2), old_generation = generation(kPod2);
  ASSERT_TRUE(put(one));
  advance(Placement::kRetireAfter - 1ms);
  ASSERT_TRUE(put(both));
  advance(Placement::kQuarantine);
  EXPECT_EQ(slot(kPod2), old_slot);
  EXPECT_EQ(generation(kPod2), old_generation);
  EXPECT_TRUE(test::serves(desired(), both));
}

TEST_F(PlacementTest, WhoLeavesASecondTimeHasTheWholeTimeAgain) {
  const PortSpec both = port_spec("web", {kVip}, {kPod1, kPod2}), one = port_spec("web", {kVip}, {kPod1});
  ASSERT_TRUE(put(both));
  const auto old_generation = generation(kPod2);
  ASSERT_TRUE(put(one));
  advance(20ms);
  ASSERT_TRUE(put(both));
  advance(20ms);
  ASSERT_TRUE(put(one));
  advance(Placement::kRetireAfter - 1ms);  // long after the first departure was due
  EXPECT_EQ(generation(kPod2), old_generation);
  ASSERT_TRUE(put(both));
  advance(1ms);
  EXPECT_EQ(generation(kPod2), old_generation);
  ASSERT_TRUE(put(one));
  advance(Placement::kRetireAfter);
  EXPECT_FALSE(slot(kPod2));
}

// Relabelled, or edited out of its slice: as with conntrack, connections go on until they end.
TEST_F(PlacementTest, ABackendThatLeavesAliveKeepsItsSlotAsLongAsItHasFlows) {
  has_flows_ = true;
  ASSERT_TRUE(put(test::with_flags(port_spec("web", {kVip}, {kPod1, kPod2}), 1, LB_BACKEND_LOCAL)));
  const auto old_slot = slot(kPod2), old_generation = generation(kPod2);
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1})));
  EXPECT_EQ(desired().backends.at(*old_slot).flags, LB_BACKEND_LOCAL | LB_BACKEND_DRAINING | LB_BACKEND_LEFT);
  EXPECT_TRUE(placement_->lingering_backends().empty()) << "packets in flight may begin flows";
  advance(Placement::kRetireAfter);
  EXPECT_EQ(generation(kPod2), old_generation);
  EXPECT_EQ(placement_->lingering_backends(), (std::map{std::pair(*old_slot, *old_generation)}));
  advance(Placement::kQuarantine);
  EXPECT_EQ(generation(kPod2), old_generation);
  EXPECT_FALSE(placement_->next_tick());

  release_backends();
  EXPECT_FALSE(slot(kPod2));
  advance(Placement::kQuarantine);
  EXPECT_EQ(placement_->usage().backends, 1u);
  expect_clean_end();
}

TEST_F(PlacementTest, ABackendThatLeftAliveAndReturnsIsTheSame) {
  has_flows_ = true;
  const PortSpec both = port_spec("web", {kVip}, {kPod1, kPod2});
  ASSERT_TRUE(put(both));
  const auto old_generation = generation(kPod2);
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1})));
  advance(Placement::kRetireAfter);
  ASSERT_TRUE(put(both));
  EXPECT_EQ(generation(kPod2), old_generation);
  EXPECT_EQ(desired().backends.at(*slot(kPod2)).flags, 0u);
  EXPECT_TRUE(placement_->lingering_backends().empty());
}

TEST_F(PlacementTest, WhatTerminatedBeforeItLeftIsDead) {
  has_flows_ = true;
  const PortSpec both = port_spec("web", {kVip}, {kPod1, kPod2}), one = port_spec("web", {kVip}, {kPod1});
  ASSERT_TRUE(put(both));
  ASSERT_TRUE(put(test::with_flags(both, 1, LB_BACKEND_DRAINING)));
  ASSERT_TRUE(put(one));
  advance(Placement::kRetireAfter);
  EXPECT_FALSE(slot(kPod2));
  // Also when it had left before.
  ASSERT_TRUE(put(both));
  ASSERT_TRUE(put(one));
  advance(Placement::kRetireAfter);
  ASSERT_TRUE(put(test::with_flags(both, 1, LB_BACKEND_DRAINING)));
  ASSERT_TRUE(put(one));
  advance(Placement::kRetireAfter);
  EXPECT_FALSE(slot(kPod2));
}

TEST_F(PlacementTest, FlowsThatOnlyCeaseKeepNoBackendThatLeft) {
  has_flows_ = true;
  const auto udp = [](lb_service_key key) {
    key.proto = LB_IPPROTO_UDP;
    return key;
  };
  ASSERT_TRUE(put(port_spec("dns", {udp(kVip)}, {udp(kPod1), udp(kPod2)})));
  ASSERT_TRUE(put(port_spec("dns", {udp(kVip)}, {udp(kPod1)})));
  advance(Placement::kRetireAfter);
  EXPECT_FALSE(slot(udp(kPod2)));
}

// It stays known, and leaves its slot after the ring that does not have it any more is written.
TEST_F(PlacementTest, ABackendThatKeepsNoFlowsLosesItsSlotAtTheNextTick) {
  PortSpec spec = port_spec("web", {kVip}, {kPod1, kPod2});
  ASSERT_TRUE(put(spec));
  const auto old_generation = generation(kPod2);
  spec.pools[0] = test::pool({0});
  spec.backends[1].keeps_flows = false;
  ASSERT_TRUE(put(spec));
  EXPECT_EQ(generation(kPod2), old_generation);
  EXPECT_EQ(placement_->next_tick(), now_);
  advance(0ms);
  EXPECT_FALSE(slot(kPod2));
  ASSERT_TRUE(put(spec));
  EXPECT_FALSE(slot(kPod2));
  EXPECT_EQ(placement_->next_tick(), now_ + Placement::kQuarantine) << "nothing but what rests";
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1, kPod2})));
  EXPECT_NE(generation(kPod2), old_generation);
  expect_clean_end();
}

TEST_F(PlacementTest, ARemovedPortWhoseBackendsAreAliveGoesWithTheirFlows) {
  has_flows_ = true;
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1})));
  remove("web");
  advance(Placement::kRetireAfter);
  EXPECT_TRUE(desired().services.empty());
  EXPECT_TRUE(slot(kPod1));
  EXPECT_EQ(placement_->usage().service_ports, 1u);
  release_backends();
  EXPECT_TRUE(desired().backends.empty());
  EXPECT_TRUE(desired().names.empty());
  expect_clean_end();
}

TEST_F(PlacementTest, WhoIsNobodysEndpointMakesRoomForWhatIsRefused) {
  start({64, 64, 32, 2, 1u << 16, 1u << 10}, 1);  // two backends
  has_flows_ = true;
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1, kPod2})));
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1})));
  advance(Placement::kRetireAfter);
  const PortSpec other = port_spec("other", {kOtherVip}, {kPod3});
  EXPECT_FALSE(put(other));
  EXPECT_TRUE(slot(kPod2)) << "a refusal changes nothing";
  EXPECT_EQ(placement_->next_tick(), now_);
  advance(0ms);
  EXPECT_FALSE(slot(kPod2));
  advance(Placement::kQuarantine);
  EXPECT_TRUE(put(other));
}

TEST_F(PlacementTest, ARemovedPortGoesInSteps) {
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1})));
  const std::uint32_t id = service(kVip).id;
  remove("web");
  EXPECT_TRUE(desired().services.empty());
  EXPECT_TRUE(desired().rings.empty());
  EXPECT_TRUE(desired().addresses.empty());
  EXPECT_TRUE(slot(kPod1)) << "packets are in flight";
  EXPECT_TRUE(desired().names.contains(id)) << "its backends still name it";
  EXPECT_TRUE(placement_->names().empty());
  advance(Placement::kRetireAfter);
  EXPECT_TRUE(desired().backends.empty());
  EXPECT_TRUE(desired().names.empty());
  EXPECT_EQ(placement_->usage().service_ports, 0u);
  EXPECT_EQ(placement_->usage().ring_slots, LB_RING_MIN_SLOTS) << "rests";
  advance(Placement::kQuarantine);
  EXPECT_EQ(placement_->usage().ring_slots, 0u);
  EXPECT_EQ(placement_->usage().members, 0u);
  EXPECT_EQ(placement_->usage().backends, 0u);
  EXPECT_FALSE(placement_->next_tick());
}

TEST_F(PlacementTest, APortWithoutBackendsIsRemovedToo) {
  ASSERT_TRUE(put(port_spec("web", {kVip}, {})));
  EXPECT_EQ(service(kVip).flags, LB_SERVICE_REJECT);
  remove("web");
  remove("web");
  remove("never existed");
  advance(Placement::kRetireAfter);
  EXPECT_TRUE(desired().names.empty());
  ASSERT_TRUE(put(port_spec("other", {kVip}, {}))) << "its id can be given away";
}

TEST_F(PlacementTest, APortThatComesBackSoonKeepsItsBackends) {
  const PortSpec spec = port_spec("web", {kVip}, {kPod1});
  ASSERT_TRUE(put(spec));
  const auto old_generation = generation(kPod1);
  remove("web");
  advance(20ms);
  ASSERT_TRUE(put(spec));
  advance(Placement::kRetireAfter);
  EXPECT_EQ(generation(kPod1), old_generation);
  EXPECT_TRUE(test::serves(desired(), spec));
  EXPECT_EQ(placement_->names(), std::vector<std::string>{"web"});
}

// A rename, or an address that changes hands: whichever of the two the caller names first.
TEST_F(PlacementTest, AFrontendThatMovesIsTheNewPorts) {
  const PortSpec renamed = port_spec("new", {kVip}, {kPod2});
  for (const bool remove_first : {false, true}) {
    ASSERT_TRUE(put(port_spec("old", {kVip}, {kPod1})));
    if (remove_first) remove("old");
    ASSERT_TRUE(put(renamed));
    if (!remove_first) remove("old");
    EXPECT_TRUE(test::serves(desired(), renamed)) << remove_first;
    EXPECT_TRUE(desired().addresses.contains(test::address("10.96.0.1")));
    EXPECT_TRUE(desired().filter.contains(test::bucket("10.96.0.1")));
    remove("new");
    EXPECT_TRUE(desired().services.empty());
    EXPECT_TRUE(desired().addresses.empty());
  }
}

TEST_F(PlacementTest, TwoPortsCanSwapFrontends) {
  ASSERT_TRUE(put(port_spec("a", {kVip}, {kPod1})));
  ASSERT_TRUE(put(port_spec("b", {kOtherVip}, {kPod2})));
  const PortSpec a = port_spec("a", {kOtherVip}, {kPod1}), b = port_spec("b", {kVip}, {kPod2});
  ASSERT_TRUE(put(a));
  ASSERT_TRUE(put(b));
  EXPECT_TRUE(test::serves(desired(), a));
  EXPECT_TRUE(test::serves(desired(), b));
  remove("a");
  EXPECT_TRUE(test::serves(desired(), b));
  EXPECT_EQ(desired().services.size(), 1u);
}

TEST_F(PlacementTest, AFrontendThatIsSaidTwiceCountsOnce) {
  ASSERT_TRUE(put(port_spec("web", {kVip, kVip}, {kPod1})));
  remove("web");
  EXPECT_TRUE(desired().services.empty());
  EXPECT_TRUE(desired().addresses.empty());
}

TEST_F(PlacementTest, GenerationsSkipTheNumberOfAFreeSlot) {
  start(kRoomy, 0xffffffff);
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1, kPod2, kPod3})));
  std::set<std::uint32_t> generations;
  for (const auto& [index, backend] : desired().backends)
    generations.insert(backend.generation);
  EXPECT_EQ(generations, (std::set<std::uint32_t>{0xffffffff, 1, 2}));
}

// The cost of a change is that of its service: nothing of the hundred others is touched.
TEST_F(PlacementTest, AChangeTouchesOnlyItsOwnPort) {
  start({1024, 1024, 1024, 4096, 1u << 18, 1u << 14}, 1);
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(put(port_spec("other" + std::to_string(i), {tcp("10.97.0." + std::to_string(i), 80)}, {kPod1, kPod2})));
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1, kPod2})));
  commit();
  ASSERT_TRUE(put(port_spec("web", {kVip}, {kPod1, kPod2, kPod3})));
  const Touched touched = placement_->take_touched();
  EXPECT_EQ(touched.services.size(), 1u);
  EXPECT_EQ(touched.backends.size(), 3u);
  EXPECT_EQ(touched.rings.size(), 2u);
  EXPECT_EQ(touched.members.size(), 2u);
  EXPECT_TRUE(touched.names.empty());
  EXPECT_TRUE(touched.addresses.empty());
  EXPECT_TRUE(touched.filter.empty());
}

}  // namespace
}  // namespace fairlead::state
