// SPDX-License-Identifier: Apache-2.0
// Services that want the same frontends, in maps that do not hold all of them.
#include "tests/unit/daemon/sync_rivals.h"

#include <gmock/gmock.h>

#include "tests/support/specs.h"

namespace fairlead::daemon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const model::Name kOld{"default", "old"}, kYoung{"default", "young"}, kFiller{"default", "filler"};
const lb_service_key kShared = test::tcp("192.0.2.10", 80);

// Wants this address only.
model::Service with_address(const model::Name& name, const std::string& created, const std::string& address) {
  model::Service service = compile::service({address}, name);
  service.created = created;
  service.cluster_ips.clear();
  service.ports = {{"", model::Protocol::kTcp, 80, 0}};
  return service;
}

// Nothing else wakes Sync then: there is no slot that rests.
TEST_F(SyncRivals, AnAddressThatTheNodeGivesUpIsRoom) {
  start({16, 1, 16, 16, 1u << 16, 1u << 10});
  sync_->set_node(compile::kNode, {{test::tcp("192.0.2.99", 1).addr, LB_AF_INET, true}}, {}, store_, now_);
  put(with_address(kOld, "2020-01-01T00:00:00Z", "192.0.2.10"));
  put_endpoints(kOld, {{"10.0.0.1"}});
  apply();
  ASSERT_TRUE(is_refused(port_of(kOld)));
  sync_->set_node(compile::kNode, {}, {}, store_, now_);
  EXPECT_EQ(owner(kShared), port_of(kOld));
}

// As many addresses as before are taken then.
TEST_F(SyncRivals, AnAddressThatAServiceLeavesForAnothersIsRoom) {
  start({16, 2, 16, 2, 1u << 16, 1u << 10});
  put(with_address(kFiller, "2019-01-01T00:00:00Z", "192.0.2.1"));
  put(with_address(kYoung, "2021-01-01T00:00:00Z", "192.0.2.2"));
  apply();
  model::Service old = with_address(kOld, "2020-01-01T00:00:00Z", "192.0.2.10");
  old.load_balancer_ips.push_back(Address::literal("192.0.2.1"));
  put(old);
  apply();
  ASSERT_TRUE(is_refused(port_of(kOld)));
  put(with_address(kYoung, "2021-01-01T00:00:00Z", "192.0.2.10"));
  apply();
  EXPECT_EQ(owner(kShared), port_of(kOld));
}

// Of an earlier daemon's services, which are known to be gone by then.
TEST_F(SyncRivals, WhatIsGoneWhenAllIsKnownIsRoomAtOnce) {
  start({16, 1, 16, 16, 1u << 16, 1u << 10});
  put(with_address(kFiller, "2019-01-01T00:00:00Z", "192.0.2.1"));
  apply();
  remove(kFiller);
  put(with_address(kOld, "2020-01-01T00:00:00Z", "192.0.2.10"));
  restart();
  EXPECT_EQ(owner(kShared), port_of(kOld));
}

// Nothing else of it is given up then: it has no backends.
TEST_F(SyncRivals, ThePlaceOfAPortThatIsForgottenIsRoom) {
  start({16, 16, 1, 16, 1u << 16, 1u << 10});
  put(with_address(kFiller, "2019-01-01T00:00:00Z", "192.0.2.1"));
  put(with_address(kOld, "2020-01-01T00:00:00Z", "192.0.2.10"));
  apply();
  remove(kFiller);
  apply();
  ASSERT_TRUE(is_refused(port_of(kOld)));
  advance(state::Placement::kRetireAfter);
  EXPECT_EQ(owner(kShared), port_of(kOld));
}

// To try costs a generation, where the backends fit and the ring does not.
TEST_F(SyncRivals, WhereNothingIsGivenUpNothingIsTriedAgain) {
  start({16, 16, 16, 16, LB_RING_MIN_SLOTS, 1u << 10});
  put(with_address(kFiller, "2019-01-01T00:00:00Z", "192.0.2.1"));
  put_endpoints(kFiller, {{"10.0.0.1"}});
  put(with_address(kOld, "2020-01-01T00:00:00Z", "192.0.2.10"));
  put_endpoints(kOld, {{"10.0.1.1"}});
  apply();
  ASSERT_TRUE(is_refused(port_of(kOld)));
  const std::uint32_t generation = sync_->placement().next_generation();
  sync_->tick(store_, now_);
  EXPECT_EQ(sync_->placement().next_generation(), generation);
}

class SyncRefusedRivals : public SyncRivals {
 protected:
  // Beside the filler's backends two have room, and each of them has three.
  void fill(const model::Name& old) {
    start({16, 16, 16, 6, 1u << 16, 1u << 10});
    put(with_address(kFiller, "2019-01-01T00:00:00Z", "192.0.2.1"));
    put_endpoints(kFiller, {{"10.0.0.1"}, {"10.0.0.2"}, {"10.0.0.3"}, {"10.0.0.4"}});
    apply();
    put(with_address(old, "2020-01-01T00:00:00Z", "192.0.2.10"));
    put_endpoints(old, {{"10.0.1.1"}, {"10.0.1.2"}, {"10.0.1.3"}});
    apply();
    put(with_address(kYoung, "2021-01-01T00:00:00Z", "192.0.2.10"));
    put_endpoints(kYoung, {{"10.0.2.1"}, {"10.0.2.2"}, {"10.0.2.3"}});
    apply();
    ASSERT_EQ(sync_->refused().size(), 2u);
  }
};

TEST_F(SyncRefusedRivals, WhenBothFitTheFirstInLineIsServed) {
  fill(kOld);
  remove(kFiller);
  apply();
  advance(kLong);
  EXPECT_EQ(owner(kShared), port_of(kOld));
  EXPECT_THAT(sync_->refused(), IsEmpty());
  EXPECT_THAT(sync_->compiler().problems(), ElementsAre(testing::Key(kYoung)));
}

// Whatever their names: who is last by its name is first in line here.
TEST_F(SyncRefusedRivals, WhenOneFitsItIsTheFirstInLine) {
  const model::Name last{"default", "zebra"};
  fill(last);
  put_endpoints(kFiller, {{"10.0.0.1"}, {"10.0.0.2"}, {"10.0.0.3"}});
  apply();
  advance(kLong);
  EXPECT_EQ(owner(kShared), port_of(last));
}

TEST_F(SyncRefusedRivals, WhenBothChangeSoThatTheyFitTheFirstInLineIsServed) {
  fill(kOld);
  put_endpoints(kOld, {{"10.0.1.1"}});
  put_endpoints(kYoung, {{"10.0.2.1"}});
  apply();
  EXPECT_EQ(owner(kShared), port_of(kOld));
}

TEST_F(SyncRivals, OfThoseThatComeAtOnceTheFirstInLineHasTheRoom) {
  start({16, 16, 16, 2, 1u << 16, 1u << 10});
  put(with_address(kYoung, "2020-01-01T00:00:00Z", "192.0.2.10"));
  put_endpoints(kYoung, {{"10.0.2.1"}, {"10.0.2.2"}});
  put(with_address(kOld, "2021-01-01T00:00:00Z", "192.0.2.11"));
  put_endpoints(kOld, {{"10.0.1.1"}, {"10.0.1.2"}});
  apply();
  EXPECT_EQ(owner(test::tcp("192.0.2.10", 80)), port_of(kYoung));
  EXPECT_TRUE(is_refused(port_of(kOld)));
}

}  // namespace
}  // namespace fairlead::daemon
