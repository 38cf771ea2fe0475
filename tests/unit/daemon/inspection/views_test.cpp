// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/support/specs.h"
#include "tests/unit/compile/objects.h"
#include "userspace/daemon/inspection/problems.h"
#include "userspace/daemon/inspection/rings.h"
#include "userspace/daemon/inspection/usage.h"
#include "userspace/daemon/inspection/verdicts.h"

namespace fairlead::daemon {
namespace {

using testing::ElementsAre;

TEST(ViewRings, CountsSlotsAndNamesFrontends) {
  model::Service service;
  service.load_balancer_ips = {Address::literal("192.0.2.10")};
  auto spec = test::port_spec("default/web:80/TCP/IPv4", {test::tcp("192.0.2.10", 80), test::nodeport(30080)},
                              {test::tcp("10.0.0.1", 8080), test::tcp("10.0.0.2", 8080)});
  spec.pools[0].ring = std::make_shared<const std::vector<std::uint16_t>>(std::vector<std::uint16_t>{0, 1, 0, 0});
  spec.pools.push_back(test::pool({}));
  const auto rings = view_rings(service, spec);
  ASSERT_EQ(rings.size(), 2U);
  EXPECT_THAT(rings[0].frontends, ElementsAre("LoadBalancer 192.0.2.10:80", "NodePort 30080"));
  EXPECT_EQ(rings[0].slots, 4U);
  ASSERT_EQ(rings[0].members.size(), 2U);
  EXPECT_EQ(rings[0].members[0].slots, 3U);
  EXPECT_EQ(rings[0].members[1].slots, 1U);
  EXPECT_EQ(rings[0].imbalance, 1.5);
  EXPECT_EQ(rings[1].slots, 0U);
  EXPECT_THAT(rings[1].members, testing::IsEmpty());
}

TEST(ViewUsage, AFlowHasTwoEntries) {
  const state::Placement placement({64, 63, 62, 61, 1u << 14, 64}, 1);
  datapath::Sizes sizes;
  sizes.flows4 = 100;
  sizes.flows6 = 200;
  const auto usage = view_usage(placement, {.ended = true, .live4 = 6, .live6 = 8}, sizes);
  ASSERT_EQ(usage.size(), 8U);
  EXPECT_EQ(usage[6].name, "IPv4 flows");
  EXPECT_EQ(usage[6].used, 3);
  EXPECT_EQ(usage[6].limit, 100U);
  EXPECT_EQ(usage[7].used, 4);
  EXPECT_EQ(usage[7].limit, 200U);
}

TEST(ViewUsage, FlowsThatHaveNotBeenCountedAreNotZero) {
  const auto usage = view_usage(state::Placement({64, 63, 62, 61, 1u << 14, 64}, 1), {}, {});
  EXPECT_EQ(usage[6].used, -1);
  EXPECT_EQ(usage[7].used, -1);
  EXPECT_EQ(usage[0].used, 0);
}

TEST(UnknownNode, IsNamedWhereNodesAreKnown) {
  model::Store store;
  store.put(compile::slice({{"10.0.0.1", "node1"}, {"10.0.0.2", "node2"}}));
  EXPECT_FALSE(unknown_node("node1", store, true)) << "an endpoint is on it";
  const auto unknown = unknown_node("node3", store, true);
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->object, "node node3");
  EXPECT_EQ(unknown->message, "no Node and no endpoint has this name: nothing is local by name");
  store.set_node(std::make_shared<const model::Node>());
  EXPECT_FALSE(unknown_node("node3", store, true)) << "it has a Node";
}

TEST(UnknownNode, MayBeOneWithoutEndpointsWhereNodesAreNotKnown) {
  model::Store store;
  EXPECT_FALSE(unknown_node("node1", store, false));
  store.put(compile::slice({{"10.0.0.1", "node1"}, {"10.0.0.2", "Node2"}}));
  EXPECT_FALSE(unknown_node("node3", store, false));
  EXPECT_THAT(unknown_node("node2", store, false)->message, testing::EndsWith("; endpoints are on Node2"));
}

TEST(ViewVerdicts, EachHookHasItsOwnCounts) {
  datapath::Verdicts counts{};
  counts[LB_HOOK_TC_EGRESS][LB_VERDICT_LOCAL_REPLY] = 7;
  const auto hooks = view_verdicts(counts);
  ASSERT_EQ(hooks.size(), 3U);
  for (const admin::HookView& hook : hooks)
    for (const admin::VerdictView& verdict : hook.verdicts)
      EXPECT_EQ(verdict.packets, hook.hook == "tc_egress" && verdict.name == "local_reply" ? 7U : 0U)
          << hook.hook << " " << verdict.name;
}

TEST(ViewVerdicts, KindIsThatOfTheList) {
  const auto hooks = view_verdicts({});
  std::map<std::string, std::string> kinds;
  for (const admin::VerdictView& verdict : hooks[0].verdicts)
    kinds[verdict.name] = admin::to_string(verdict.kind);
  for (const datapath::VerdictInfo& info : datapath::verdict_infos())
    EXPECT_EQ(kinds[info.name], info.kind) << info.name;
}

}  // namespace
}  // namespace fairlead::daemon
