// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/held.h"

#include <gtest/gtest.h>

#include "tests/support/specs.h"

namespace fairlead::state {
namespace {

const lb_service_key kWeb = test::tcp("10.96.0.1", 80), kTls = test::tcp("10.96.0.1", 443);

// Two frontends that lead to slots 5 and 6, by a ring at 512 and members at 8.
Tables two_frontends() {
  Tables tables;
  tables.members[8] = std::make_shared<const std::vector<std::uint32_t>>(std::vector<std::uint32_t>{5, 6});
  tables.services[kWeb] = tables.services[kTls] = {3, 0, 512, LB_RING_MIN_SLOTS, 8, 2};
  return tables;
}

TEST(Held, IsWhatTheEntryLeadsTo) {
  const Held held({kWeb}, two_frontends());
  EXPECT_TRUE(held.has_name(3));
  EXPECT_FALSE(held.has_name(4));
  EXPECT_TRUE(held.has_backend(5));
  EXPECT_FALSE(held.has_backend(7));
  EXPECT_TRUE(held.has_ring(512, 1));
  EXPECT_TRUE(held.has_ring(0, 513)) << "its first slot";
  EXPECT_TRUE(held.has_ring(512 + LB_RING_MIN_SLOTS - 1, 1)) << "its last";
  EXPECT_FALSE(held.has_ring(0, 512));
  EXPECT_FALSE(held.has_ring(512 + LB_RING_MIN_SLOTS, 1));
  EXPECT_TRUE(held.has_members(9, 1));
  EXPECT_FALSE(held.has_members(10, 1));
}

TEST(Held, IsHeldUntilTheLastEntryThatLeadsToItIsGone) {
  const Tables tables = two_frontends();
  Held held({kWeb, kTls}, tables);
  held.add(kWeb, tables);
  held.remove(kTls);
  EXPECT_TRUE(held.has_ring(512, 1));
  held.remove(kWeb);
  held.remove(kWeb);
  EXPECT_FALSE(held.has_name(3));
  EXPECT_FALSE(held.has_backend(5));
  EXPECT_FALSE(held.has_ring(512, 1));
  EXPECT_FALSE(held.has_members(8, 1));
}

TEST(Held, IsNothingWhereThereIsNoEntry) {
  const Held held({test::tcp("10.96.0.9", 80)}, two_frontends());
  EXPECT_FALSE(held.has_name(3));
}

}  // namespace
}  // namespace fairlead::state
