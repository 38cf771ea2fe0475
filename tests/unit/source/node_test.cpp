// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/source/decoding.h"

namespace fairlead::source {
namespace {

using model::Node;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(DecodeNode, ReadsEveryFieldThatTheProxyNeeds) {
  const Decoded decoded = decode(R"(
apiVersion: v1
kind: Node
metadata:
  name: node-a
  namespace: ignored
  labels: {topology.kubernetes.io/zone: zone-1}
  deletionTimestamp: "2026-01-02T03:04:05Z"
spec:
  taints: [{key: other, effect: NoSchedule}, {key: ToBeDeletedByClusterAutoscaler, effect: NoSchedule}]
status:
  addresses:
  - {type: Hostname, address: node-a}
  - {type: InternalIP, address: 192.0.2.10}
  - {type: ExternalIP, address: 203.0.113.10}
  - {type: InternalIP, address: "2001:db8::10"}
)");
  EXPECT_THAT(complaints(decoded), IsEmpty());
  const auto node = only<Node>(decoded);
  ASSERT_TRUE(node);
  EXPECT_EQ(node->name, "node-a");
  EXPECT_THAT(node->internal_ips, ElementsAre(Address::literal("192.0.2.10"), Address::literal("2001:db8::10")));
  EXPECT_EQ(node->zone, "zone-1");
  EXPECT_TRUE(node->being_deleted);
  EXPECT_TRUE(node->to_be_deleted);
}

TEST(DecodeNode, MayHaveNothingButAName) {
  const Decoded decoded = decode("apiVersion: v1\nkind: Node\nmetadata: {name: node-a}\n");
  EXPECT_THAT(complaints(decoded), IsEmpty());
  const auto node = only<Node>(decoded);
  ASSERT_TRUE(node);
  Node expected;
  expected.name = "node-a";
  EXPECT_EQ(*node, expected);
  EXPECT_EQ(decoded.items[0].key.to_string(), "Node node-a");
}

TEST(DecodeNode, ABadAddressCostsOnlyItself) {
  const Decoded decoded = decode(R"(
apiVersion: v1
kind: Node
metadata: {name: node-a}
status: {addresses: [{type: InternalIP, address: node-a}, {type: InternalIP, address: 192.0.2.10}]}
)");
  EXPECT_THAT(complaints(decoded),
              ElementsAre("Node node-a: status.addresses[0].address: node-a: is not an IP address"));
  const auto node = only<Node>(decoded);
  ASSERT_TRUE(node);
  EXPECT_THAT(node->internal_ips, ElementsAre(Address::literal("192.0.2.10")));
}

}  // namespace
}  // namespace fairlead::source
