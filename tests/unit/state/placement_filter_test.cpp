// SPDX-License-Identifier: Apache-2.0
// Which addresses this node answers for, and which buckets of the filter are open.
#include <algorithm>

#include "tests/unit/state/placement_fixture.h"

namespace fairlead::state {
namespace {

using test::address;
using test::bucket;
using test::node_address;
using test::port_spec;
using test::tcp;
using test::with_flags;

constexpr char kVip[] = "10.96.0.1", kNode[] = "192.0.2.1", kPod[] = "10.0.0.1";

class PlacementFilter : public PlacementTest {
 protected:
  std::uint32_t address_flags(std::string_view text) const {
    const auto it = desired().addresses.find(address(text));
    return it == desired().addresses.end() ? 0 : it->second;
  }
  std::uint32_t classes(std::string_view text) const {
    const auto it = desired().filter.find(bucket(text));
    return it == desired().filter.end() ? 0 : it->second;
  }
};

// Another address, in the same bucket.
std::string neighbour_of(std::string_view text) {
  for (std::uint32_t i = 0; i < 1u << 24; ++i) {
    const std::string other =
        "11." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255);
    if (bucket(other) == bucket(text)) return other;
  }
  return "none";
}

TEST_F(PlacementFilter, AVipIsOwnedWhileAFrontendHasIt) {
  ASSERT_TRUE(put(port_spec("web", {tcp(kVip, 80)}, {})));
  ASSERT_TRUE(put(port_spec("tls", {tcp(kVip, 443)}, {})));
  EXPECT_EQ(address_flags(kVip), LB_ADDRESS_VIP);
  EXPECT_EQ(classes(kVip), LB_CLASS_VIP);
  remove("web");
  EXPECT_EQ(address_flags(kVip), LB_ADDRESS_VIP);
  remove("tls");
  EXPECT_EQ(address_flags(kVip), 0u);
}

TEST_F(PlacementFilter, ANodePortOwnsNoAddress) {
  ASSERT_TRUE(put(port_spec("web", {test::nodeport(30080), tcp("::", 30080)}, {tcp(kPod, 80)})));
  EXPECT_EQ(desired().services.size(), 2u);
  EXPECT_TRUE(desired().addresses.empty());
  EXPECT_TRUE(desired().filter.empty());
}

TEST_F(PlacementFilter, EveryNodeAddressIsOpenAndSomeServeNodePorts) {
  placement_->set_node_addresses({node_address(kNode, true), node_address("2001:db8::1", false)});
  EXPECT_EQ(address_flags(kNode), LB_ADDRESS_NODE | LB_ADDRESS_NODEPORT);
  EXPECT_EQ(address_flags("2001:db8::1"), LB_ADDRESS_NODE);
  EXPECT_EQ(classes(kNode), LB_CLASS_NODE);
  EXPECT_EQ(classes("2001:db8::1"), LB_CLASS_NODE) << "replies to SNAT ports";
}

// Its other ports are the host's: were it owned, they would be refused.
TEST_F(PlacementFilter, TheNodesOwnAddressIsNeverOwned) {
  for (const bool nodeports : {false, true}) {
    start(kRoomy, 1);
    ASSERT_TRUE(put(port_spec("web", {tcp(kNode, 80)}, {})));
    placement_->set_node_addresses({node_address(kNode, nodeports)});
    const std::uint32_t flags = LB_ADDRESS_NODE | (nodeports ? LB_ADDRESS_NODEPORT : 0);
    EXPECT_EQ(address_flags(kNode), flags);
    EXPECT_EQ(classes(kNode), LB_CLASS_NODE | LB_CLASS_VIP);
    ASSERT_TRUE(put(port_spec("tls", {tcp(kNode, 443)}, {})));
    EXPECT_EQ(address_flags(kNode), flags);
    placement_->set_node_addresses({});
    EXPECT_EQ(address_flags(kNode), LB_ADDRESS_VIP) << "not the node's any more";
    remove("web");
    remove("tls");
    EXPECT_EQ(address_flags(kNode), 0u);
  }
}

TEST_F(PlacementFilter, NodeAddressesAreWhatWasSaidLast) {
  placement_->set_node_addresses({node_address(kNode, true), node_address("192.0.2.2", true)});
  commit();
  placement_->set_node_addresses({node_address(kNode, true), node_address("192.0.2.2", true)});
  EXPECT_TRUE(placement_->take_touched().empty());
  placement_->set_node_addresses({node_address("192.0.2.2", false)});
  EXPECT_EQ(address_flags(kNode), 0u);
  EXPECT_EQ(classes(kNode), 0u);
  EXPECT_EQ(address_flags("192.0.2.2"), LB_ADDRESS_NODE);
  EXPECT_EQ(classes("192.0.2.2"), LB_CLASS_NODE);
  commit();
  EXPECT_TRUE(test::same_tables(actual_, desired()));
}

TEST_F(PlacementFilter, RepliesOfLocalBackendsComeThrough) {
  const PortSpec remote = port_spec("web", {tcp(kVip, 80)}, {tcp(kPod, 80)});
  ASSERT_TRUE(put(remote));
  EXPECT_EQ(classes(kPod), 0u);
  ASSERT_TRUE(put(with_flags(remote, 0, LB_BACKEND_LOCAL)));
  EXPECT_EQ(classes(kPod), LB_CLASS_BACKEND);
  ASSERT_TRUE(put(with_flags(remote, 0, LB_BACKEND_LOCAL | LB_BACKEND_DRAINING)));
  EXPECT_EQ(classes(kPod), LB_CLASS_BACKEND);
}

TEST_F(PlacementFilter, ABucketIsOpenWhileOneOfItsAddressesNeedsIt) {
  const std::string neighbour = neighbour_of(kVip);
  ASSERT_NE(neighbour, kVip);
  ASSERT_TRUE(put(port_spec("web", {tcp(kVip, 80)}, {})));
  ASSERT_TRUE(put(port_spec("other", {tcp(neighbour, 80)}, {})));
  remove("web");
  EXPECT_TRUE(placement_->lingering().empty()) << "the other keeps it open";
  EXPECT_EQ(classes(kVip), LB_CLASS_VIP);
  remove("other");
  EXPECT_EQ(placement_->lingering(), std::vector<std::uint32_t>{bucket(kVip)});
  placement_->release({bucket(kVip)});
  EXPECT_EQ(classes(kVip), 0u);
}

TEST_F(PlacementFilter, EachClassOfABucketIsCountedAlone) {
  const std::string neighbour = neighbour_of(kVip);
  const PortSpec local = with_flags(port_spec("web", {tcp(kVip, 80)}, {tcp(neighbour, 80)}), 0, LB_BACKEND_LOCAL);
  ASSERT_TRUE(put(local));
  placement_->set_node_addresses({node_address(neighbour, false)});
  EXPECT_EQ(classes(kVip), LB_CLASS_VIP | LB_CLASS_BACKEND | LB_CLASS_NODE);
  placement_->set_node_addresses({});
  EXPECT_EQ(classes(kVip), LB_CLASS_VIP | LB_CLASS_BACKEND);
  ASSERT_TRUE(put(port_spec("web", {tcp(kVip, 80)}, {})));
  advance(Placement::kRetireAfter);
  placement_->release({bucket(kVip)});
  EXPECT_EQ(classes(kVip), LB_CLASS_VIP);
}

// Flows that are under way still come through the filter.
TEST_F(PlacementFilter, WhatFlowsMayNeedStaysOpenUntilItIsReleased) {
  ASSERT_TRUE(put(with_flags(port_spec("web", {tcp(kVip, 80)}, {tcp(kPod, 80)}), 0, LB_BACKEND_LOCAL)));
  remove("web");
  advance(Placement::kRetireAfter);
  EXPECT_EQ(classes(kVip), LB_CLASS_VIP);
  EXPECT_EQ(classes(kPod), LB_CLASS_BACKEND);
  auto lingering = placement_->lingering();
  std::sort(lingering.begin(), lingering.end());
  std::vector<std::uint32_t> expected{bucket(kVip), bucket(kPod)};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(lingering, expected);

  placement_->release({bucket(kPod)});
  EXPECT_EQ(classes(kPod), 0u);
  EXPECT_EQ(classes(kVip), LB_CLASS_VIP);
  placement_->release({bucket(kVip), bucket(kPod)});
  EXPECT_TRUE(desired().filter.empty());
  EXPECT_TRUE(placement_->lingering().empty());
}

TEST_F(PlacementFilter, ABucketThatIsNeededAgainDoesNotLinger) {
  ASSERT_TRUE(put(port_spec("web", {tcp(kVip, 80)}, {})));
  remove("web");
  ASSERT_EQ(placement_->lingering().size(), 1u);
  ASSERT_TRUE(put(port_spec("web", {tcp(kVip, 80)}, {})));
  EXPECT_TRUE(placement_->lingering().empty());
  placement_->release({bucket(kVip)});
  EXPECT_EQ(classes(kVip), LB_CLASS_VIP);
}

TEST_F(PlacementFilter, LocalBackendsOfTwoPortsKeepTheAddressOpenTogether) {
  const PortSpec web = with_flags(port_spec("web", {tcp(kVip, 80)}, {tcp(kPod, 80)}), 0, LB_BACKEND_LOCAL);
  const PortSpec tls = with_flags(port_spec("tls", {tcp(kVip, 443)}, {tcp(kPod, 443)}), 0, LB_BACKEND_LOCAL);
  ASSERT_TRUE(put(web));
  ASSERT_TRUE(put(tls));
  remove("web");
  advance(Placement::kRetireAfter);
  placement_->release({bucket(kPod)});
  EXPECT_EQ(classes(kPod), LB_CLASS_BACKEND);
  remove("tls");
  advance(Placement::kRetireAfter);
  placement_->release({bucket(kPod)});
  EXPECT_EQ(classes(kPod), 0u);
}

}  // namespace
}  // namespace fairlead::state
