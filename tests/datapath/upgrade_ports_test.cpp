// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tests/datapath/upgrade_fixture.h"
#include "userspace/datapath/foreign_pools.h"

// What a handover that was killed leaves of the division of source ports between both builds. Killed is what is loaded
// anew without finish_upgrade().
namespace fairlead::test {
namespace {

constexpr std::uint64_t kEveryOther = 0x5555555555555555u;

class UpgradePorts : public Upgrade {
 protected:
  datapath::ForeignPools theirs() {
    return *datapath::ForeignPools::map(*datapath::open_foreign(pins_, layout_of("lb_snat_pools"), kOtherNumber));
  }

  void for_each_word(const std::function<void(std::size_t, std::size_t)>& visit) {
    for (std::size_t pool = 0; pool < LB_SNAT_POOLS; ++pool)
      for (std::size_t word = 0; word < object().config().snat_port_words; ++word)
        visit(pool, word);
  }

  // Either build's programs find ports in every word, and none that the other's find as well.
  void expect_divided() {
    const std::vector<lb_snat_pool> there = theirs().marked();
    unsigned none_here = 0, none_there = 0, for_both = 0;
    for_each_word([&](std::size_t pool, std::size_t word) {
      const std::uint64_t free_here = ~object().snat_pools[pool].used[word], free_there = ~there[pool].used[word];
      none_here += !free_here;
      none_there += !free_there;
      for_both += (free_here & free_there) != 0;
    });
    EXPECT_EQ(none_here, 0U);
    EXPECT_EQ(none_there, 0U);
    EXPECT_EQ(for_both, 0U);
  }

  // As the other build does, of whose maps this build's were not made.
  void let_them_divide() {
    const datapath::ForeignPools pools = theirs();
    for_each_word([&](std::size_t pool, std::size_t word) {
      object().snat_pools[pool].used[word] |= kEveryOther;
      pools.take(pool, word, ~kEveryOther);
    });
  }

  void expect_handover_leaves(unsigned ports) {
    ASSERT_NO_FATAL_FAILURE(reload(config_));
    object().begin_handover();
    expect_divided();
    ASSERT_NO_FATAL_FAILURE(finish());
    EXPECT_EQ(ports_in_use(), ports);
    EXPECT_EQ(changed_flows(), 0U);
  }
};

TEST_F(UpgradePorts, AreFreeAgainWhereAKilledHandoverIsBegunAnew) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(20));
  leave_all_scrambled();
  for (int killed = 0; killed < 2; ++killed) {
    ASSERT_NO_FATAL_FAILURE(reload(config_));
    object().begin_handover();
    expect_divided();
  }
  expect_handover_leaves(80);
}

TEST_F(UpgradePorts, AreFreeAgainWhereAKilledHandoverIsTakenBack) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(20));
  leave_beside();
  let_them_divide();
  expect_handover_leaves(80);
}

// As builds leave it that did not know how to divide them again.
TEST_F(UpgradePorts, AreFreeAgainWhereAllAreMarked) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_NO_FATAL_FAILURE(begin_flows(20));
  leave_beside();
  for_each_word([&](std::size_t pool, std::size_t word) { object().snat_pools[pool].used[word] = ~0ull; });
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  object().begin_handover();
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(ports_in_use(), 80U);
}

// A program marks a port before it writes the entry: one look without a flow says nothing.
TEST_F(UpgradePorts, ThatAreJustTakenStay) {
  ASSERT_NO_FATAL_FAILURE(serve());
  leave_all_scrambled();
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  object().begin_handover();
  flows_.push_back(begin(Family::IPv4, LB_IPPROTO_TCP, kRemotePort, 40000));
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  const auto sets = object().flows4.values();
  const auto is_reply = [](const lb_flow4& entry) { return entry.head.proto && entry.head.flags & LB_FLOW_REPLY; };
  const auto set = std::ranges::find_if(sets, [&](const auto& one) { return std::ranges::any_of(one.way, is_reply); });
  ASSERT_NE(set, sets.end());
  lb_flow4& reply = *std::ranges::find_if(set->way, is_reply);
  const std::uint8_t proto = std::exchange(reply.head.proto, std::uint8_t{0});
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(ports_in_use(), 1U);
  reply.head.proto = proto;
  EXPECT_EQ(changed_flows(), 0U);
}

// Those that are marked there may be divided with the third.
TEST_F(UpgradePorts, AreNotTakenBackFromTwoBuilds) {
  ASSERT_NO_FATAL_FAILURE(serve());
  leave_beside();
  const std::string third = pins_.map("lb_snat_pools", kOtherNumber + 1);
  const Fd pools(bpf_obj_get(pins_.map("lb_snat_pools", kOtherNumber).c_str()));
  const Fd layout(bpf_obj_get(pins_.layout("lb_snat_pools", kOtherNumber).c_str()));
  pin_instead(third, pools.get());
  pin_instead(pins_.layout("lb_snat_pools", kOtherNumber + 1), layout.get());
  const datapath::ForeignPools there = theirs();
  for_each_word([&](std::size_t pool, std::size_t word) { there.take(pool, word, kEveryOther); });
  ASSERT_NO_FATAL_FAILURE(reload(config_));
  object().begin_handover();
  unsigned free_here = 0;
  for_each_word([&](std::size_t pool, std::size_t word) { free_here += ~object().snat_pools[pool].used[word] != 0; });
  EXPECT_EQ(free_here, 0U);
  ASSERT_NO_FATAL_FAILURE(finish());
  EXPECT_EQ(ports_in_use(), 0U);
}

}  // namespace
}  // namespace fairlead::test
