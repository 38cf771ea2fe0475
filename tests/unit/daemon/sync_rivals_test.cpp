// SPDX-License-Identifier: Apache-2.0
// Services that want the same frontends, in maps that do not hold all of them.
#include <gmock/gmock.h>

#include <chrono>
#include <memory>

#include "tests/support/specs.h"
#include "tests/unit/compile/objects.h"
#include "userspace/daemon/sync.h"

namespace fairlead::daemon {
namespace {

using namespace std::chrono_literals;
using compile::At;
using testing::ElementsAre;
using testing::IsEmpty;

// Longer than anything that was given up rests.
constexpr auto kLong = state::Placement::kRetireAfter + state::Placement::kQuarantine + 1s;

// A daemon's Sync, and a clock that the test moves.
class SyncRivals : public testing::Test {
 protected:
  void start(const state::Limits& limits) {
    Sync::Maps maps{limits, 1, std::nullopt, [](const auto&) { return Result<>(); }};
    sync_ = std::make_unique<Sync>(std::move(maps), [](const auto&...) {});
    sync_->set_node(compile::kNode, {}, {}, store_, now_);
    sync_->complete(now_);
  }

  void put(const model::Service& service) { store_.put(std::make_shared<const model::Service>(service)); }
  void put_endpoints(const model::Name& service, const std::vector<At>& endpoints) {
    const model::Name slice{service.space, service.name + "-1"};
    if (endpoints.empty())
      store_.remove_slice(slice);
    else
      store_.put(compile::slice(endpoints, slice.name, service));
  }
  void remove(const model::Name& name) { store_.remove_service(name); }
  void apply() { sync_->changed(store_.take_changed().services, store_, now_); }

  // Does what becomes due meanwhile, when it becomes due.
  void advance(Sync::Time::duration by) {
    const auto end = now_ + by;
    for (auto next = sync_->next_wakeup(); next && *next <= end; next = sync_->next_wakeup()) {
      now_ = *next;
      sync_->tick(store_, now_);
    }
    now_ = end;
  }

  // The service port's that is served there; empty: nobody's.
  std::string owner(const lb_service_key& frontend) const {
    const state::Tables& tables = sync_->actual();
    const auto service = tables.services.find(frontend);
    return service == tables.services.end() ? "" : tables.names.at(service->second.id);
  }
  bool is_refused(const std::string& port) const { return sync_->refused().contains(port); }

  model::Store store_;
  Sync::Time now_{1h};
  std::unique_ptr<Sync> sync_;
};

std::string port_of(const model::Name& service) {
  return service.to_string() + ":80/TCP/IPv4";
}

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
