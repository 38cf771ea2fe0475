// SPDX-License-Identifier: Apache-2.0
// What becomes of what an earlier daemon left while something of what is asked for cannot be read.
#include <gmock/gmock.h>

#include <memory>
#include <optional>

#include "tests/support/specs.h"
#include "tests/unit/compile/objects.h"
#include "tests/unit/daemon/fake_maps.h"
#include "tests/unit/daemon/quiet.h"

namespace fairlead::daemon {
namespace {

using namespace std::chrono_literals;
using compile::At;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const model::Name kWeb{"default", "web"}, kShop{"default", "shop"};
const lb_service_key kWebVip = test::tcp("10.96.0.1", 80), kShopVip = test::tcp("10.96.0.2", 80);
const source::Unread kAnything{true, {}};

// Maps in which an earlier daemon served web and shop by two endpoints each, and the daemon that was started now.
class SyncUnread : public testing::Test {
 protected:
  SyncUnread() {
    const auto before = start({});
    store_.put(service(kWeb, "10.96.0.1"));
    store_.put(service(kShop, "10.96.0.2"));
    put_endpoints(kWeb, {{"10.0.0.1"}, {"10.0.0.2"}});
    put_endpoints(kShop, {{"10.0.1.1"}, {"10.0.1.2"}});
    read(*before, {});
    state::Tables left = before->actual();
    store_ = {};
    sync_ = start(std::move(left));
  }

  static std::shared_ptr<const model::Service> service(const model::Name& name, const std::string& cluster_ip) {
    model::Service service = compile::service({}, name);
    service.cluster_ips = {Address::literal(cluster_ip)};
    service.ports = {{"", model::Protocol::kTcp, 80, 0}};
    return std::make_shared<const model::Service>(service);
  }
  void put_endpoints(const model::Name& service, const std::vector<At>& endpoints) {
    store_.put(compile::slice(endpoints, service.name + "-1", service));
  }

  void read(Sync& sync, const source::Unread& unread) {
    sync.set_unread(unread);
    sync.changed(store_.take_changed().services, store_, now_);
    if (sync.may_complete()) sync.complete(store_, now_);
    for (auto next = sync.next_wakeup(); next && *next <= now_ + kLong; next = sync.next_wakeup())
      sync.tick(store_, *next);
    now_ += kLong;
  }
  void read(const source::Unread& unread) { read(*sync_, unread); }

  // What new connections to a frontend go to; empty: they are refused.
  std::vector<std::string> balances_over(const lb_service_key& frontend) const {
    const state::Tables& actual = sync_->actual();
    std::vector<std::string> addresses;
    const auto entry = actual.services.find(frontend);
    if (entry == actual.services.end()) return {"not served"};
    if (!entry->second.member_count) return {};
    for (const std::uint32_t slot : *actual.members.at(entry->second.member_offset))
      addresses.push_back(address_of(actual.backends.at(slot)));
    return addresses;
  }
  std::set<std::string> backends() const {
    std::set<std::string> addresses;
    for (const auto& [slot, backend] : sync_->actual().backends)
      if (!(backend.flags & LB_BACKEND_LEFT)) addresses.insert(address_of(backend));
    return addresses;
  }

  model::Store store_;
  std::unique_ptr<Sync> sync_;

 private:
  static constexpr auto kLong = state::Placement::kRetireAfter + state::Placement::kQuarantine + 1s;

  std::unique_ptr<Sync> start(std::optional<state::Tables> adopted) {
    Sync::Maps maps = maps_.for_sync();
    maps.adopted = std::move(adopted);
    auto sync = std::make_unique<Sync>(std::move(maps), [](const auto&...) {});
    sync->set_node(compile::kNode, {}, {}, store_, now_);
    return sync;
  }
  static std::string address_of(const lb_backend& backend) {
    return state::from_abi(backend.addr, backend.family).to_string();
  }

  Quiet quiet_;
  FakeMaps maps_;
  Sync::Time now_{1h};
};

TEST_F(SyncUnread, EndpointsThatNobodyHasReadYetGoOnToServe) {
  store_.put(service(kWeb, "10.96.0.1"));
  read(kAnything);
  EXPECT_THAT(balances_over(kWebVip), UnorderedElementsAre("10.0.0.1", "10.0.0.2"));
  EXPECT_THAT(balances_over(kShopVip), UnorderedElementsAre("10.0.1.1", "10.0.1.2"));
  EXPECT_FALSE(sync_->completed());
}

TEST_F(SyncUnread, ThoseThatAreKnownTakeTheNewConnectionsAndTheOthersKeepTheirs) {
  store_.put(service(kWeb, "10.96.0.1"));
  put_endpoints(kWeb, {{"10.0.0.2"}, {"10.0.0.3"}});
  read(kAnything);
  EXPECT_THAT(balances_over(kWebVip), UnorderedElementsAre("10.0.0.2", "10.0.0.3"));
  EXPECT_THAT(backends(), UnorderedElementsAre("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.1.1", "10.0.1.2"));
}

TEST_F(SyncUnread, WhatIsReadAfterAllCounts) {
  store_.put(service(kWeb, "10.96.0.1"));
  read(kAnything);
  put_endpoints(kWeb, {{"10.0.0.3"}});
  read({});
  EXPECT_THAT(balances_over(kWebVip), UnorderedElementsAre("10.0.0.3"));
  EXPECT_THAT(balances_over(kShopVip), UnorderedElementsAre("not served"));
  EXPECT_THAT(backends(), UnorderedElementsAre("10.0.0.3"));
}

TEST_F(SyncUnread, AServiceThatReallyHasNoEndpointsRefusesInTheEnd) {
  store_.put(service(kWeb, "10.96.0.1"));
  read(kAnything);
  read({});
  EXPECT_THAT(balances_over(kWebVip), IsEmpty());
}

TEST_F(SyncUnread, OneServiceHoldsBackNothingOfOthers) {
  store_.put(service(kWeb, "10.96.0.1"));
  read({false, {kWeb}});
  EXPECT_TRUE(sync_->completed());
  EXPECT_THAT(balances_over(kWebVip), UnorderedElementsAre("10.0.0.1", "10.0.0.2"));
  EXPECT_THAT(balances_over(kShopVip), UnorderedElementsAre("not served"));
  read({});
  EXPECT_THAT(balances_over(kWebVip), IsEmpty());
}

// Not even its object could be read.
TEST_F(SyncUnread, AServiceThatNobodyHasReadYetStays) {
  read({false, {kWeb}});
  EXPECT_THAT(balances_over(kWebVip), UnorderedElementsAre("10.0.0.1", "10.0.0.2"));
  EXPECT_THAT(balances_over(kShopVip), UnorderedElementsAre("not served"));
  read({});
  EXPECT_THAT(balances_over(kWebVip), UnorderedElementsAre("not served"));
}

// Its source ranges are known, whatever its endpoints are.
TEST_F(SyncUnread, AnAddressThatIsForNobodyIsNotServedAsBefore) {
  model::Service web = *service(kWeb, "10.96.0.9");
  web.load_balancer_ips = {Address::literal("10.96.0.1")};
  web.load_balancer_source_ranges = {*Prefix::parse("192.0.2.0/24")};
  store_.put(std::make_shared<const model::Service>(web));
  read(kAnything);
  EXPECT_THAT(balances_over(kWebVip), IsEmpty());
}

// There is a last good version of all that was read.
TEST_F(SyncUnread, WhatWasReadOnceIsNotHeldBackAgain) {
  store_.put(service(kWeb, "10.96.0.1"));
  put_endpoints(kWeb, {{"10.0.0.3"}});
  read({false, {kShop}});
  store_.remove_slice({"default", "web-1"});
  read({false, {kShop, kWeb}});
  EXPECT_THAT(balances_over(kWebVip), IsEmpty());
  EXPECT_THAT(balances_over(kShopVip), UnorderedElementsAre("10.0.1.1", "10.0.1.2"));
}

}  // namespace
}  // namespace fairlead::daemon
