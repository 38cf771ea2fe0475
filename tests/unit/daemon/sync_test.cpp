// SPDX-License-Identifier: Apache-2.0
// What the maps hold at every moment, whichever write fails.
#include "userspace/daemon/sync.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "tests/support/random.h"
#include "tests/support/specs.h"
#include "tests/unit/compile/objects.h"
#include "tests/unit/daemon/fake_maps.h"
#include "tests/unit/daemon/quiet.h"

namespace fairlead::daemon {
namespace {

using namespace std::chrono_literals;
using compile::At;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const model::Name kWeb{"default", "web"}, kShop{"default", "shop"};
const lb_service_key kWebVip = test::tcp("10.96.0.1", 80), kShopVip = test::tcp("10.96.0.2", 80);

// Longer than anything that was given up rests.
constexpr auto kLong = state::Placement::kRetireAfter + state::Placement::kQuarantine + 1s;

// As many as one may have that has had none.
constexpr std::uint32_t kNewcomersBackends = FakeMaps::kLimits.backends - state::reserve(FakeMaps::kLimits.backends);

// A store, the maps, and Sync between them, with a clock that the test moves.
class World {
 public:
  World() {
    sync_.set_node(compile::kNode, {}, {}, store, now_);
    sync_.complete(store, now_);
  }

  void service(const model::Name& name, const std::string& cluster_ip, const std::string& cluster_ip6 = "") {
    model::Service service = compile::service({}, name);
    service.cluster_ips = {Address::literal(cluster_ip)};
    if (!cluster_ip6.empty()) service.cluster_ips.push_back(Address::literal(cluster_ip6));
    service.ports = {{"", model::Protocol::kTcp, 80, 0}};
    put(service);
  }
  void put(const model::Service& service) {
    store.put(std::make_shared<const model::Service>(service));
    changed();
  }
  const std::vector<std::string>& told() const { return told_; }
  // By another's spec: none, when it is not served.
  std::vector<std::string> frontends(const std::string& port) const {
    const auto spec = sync_.specs().find(port);
    return spec == sync_.specs().end() ? std::vector<std::string>{} : compile::frontends(spec->second);
  }
  void remove(const model::Name& name) {
    store.remove_service(name);
    changed();
  }
  void endpoints(const model::Name& name, const std::vector<At>& endpoints, const std::string& family = "4") {
    const model::Name slice{name.space, name.name + "-" + family};
    if (endpoints.empty())
      store.remove_slice(slice);
    else
      store.put(compile::slice(endpoints, slice.name, name));
    changed();
  }

  // What a pass over the flow table finds: entries of everything that may have some, or of no backend.
  void pass_over_flows(bool backends_have_some) {
    const auto used = [&](const std::map<std::uint32_t, std::uint32_t>& backends) {
      std::set<std::uint32_t> slots;
      for (const auto& [slot, generation] : backends)
        if (backends_have_some) slots.insert(slot);
      return slots;
    };
    sync_.release_unused({[](const auto& buckets) { return buckets; }, used}, now_);
  }

  // Does what becomes due meanwhile, when it becomes due.
  void advance(Sync::Time::duration by) {
    const auto end = now_ + by;
    for (auto next = sync_.next_wakeup(); next && *next <= end; next = sync_.next_wakeup()) {
      now_ = *next;
      sync_.tick(store, now_);
    }
    now_ = end;
  }

  void expect_served() {
    EXPECT_FALSE(sync_.has_pending_writes());
    EXPECT_TRUE(test::same_tables(sync_.actual(), sync_.placement().desired()));
    EXPECT_TRUE(maps.holds(sync_.placement().desired()));
    EXPECT_THAT(sync_.refused(), IsEmpty());
    for (const auto& [name, spec] : sync_.specs())
      EXPECT_TRUE(test::serves(sync_.actual(), spec));
  }

  Sync& sync() { return sync_; }

  model::Store store;
  FakeMaps maps;

 private:
  void changed() { sync_.changed(store.take_changed().services, store, now_); }

  Sync::Time now_{1h};
  std::vector<std::string> told_;
  Sync sync_{maps.for_sync(), [this](const auto& service, const auto& reason, const auto& message) {
               told_.push_back(service.to_string() + " " + reason + " " + message);
             }};
};

using Step = std::function<void(World&)>;

struct Scenario {
  const char* name;
  std::vector<Step> steps;
};

Step web(std::vector<At> endpoints) {
  return [=](World& world) { world.endpoints(kWeb, endpoints); };
}
void add_web(World& world) {
  world.service(kWeb, "10.96.0.1");
}

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> kScenarios{
      {"Add", {web({{"10.0.0.1"}, {"10.0.0.2"}}), add_web}},
      {"ReplaceEndpoints", {add_web, web({{"10.0.0.1"}, {"10.0.0.2"}}), web({{"10.0.0.2"}, {"10.0.0.3"}}), web({})}},
      {"Remove", {web({{"10.0.0.1"}}), add_web, [](World& world) { world.remove(kWeb); }}},
      {"TwoServices",
       {web({{"10.0.0.1"}}), add_web, [](World& world) { world.service(kShop, "10.96.0.2"); },
        [](World& world) { world.endpoints(kShop, {{"10.0.0.1"}, {"10.0.0.9"}}); },
        [](World& world) { world.remove(kWeb); }}},
      {"AFrontendThatMoves",
       {web({{"10.0.0.1"}}), [](World& world) { world.endpoints(kShop, {{"10.0.0.9"}}); }, add_web,
        [](World& world) { world.service(kShop, "10.96.0.1"); }, [](World& world) { world.remove(kShop); }}},
      {"BothFamilies",
       {[](World& world) { world.service(kWeb, "10.96.0.1", "fd00:96::1"); }, web({{"10.0.0.1"}}),
        [](World& world) { world.endpoints(kWeb, {{"fd00::1"}, {"fd00::2"}}, "6"); },
        [](World& world) { world.service(kWeb, "10.96.0.1"); }}},
  };
  return kScenarios;
}

class SyncFailure : public testing::TestWithParam<Scenario> {
 protected:
  // With a pause after each step; returns how many writes that took.
  std::size_t run(Sync::Time::duration pause, std::size_t failing) {
    World world;
    world.maps.fails = [&](std::size_t n, const auto&) { return n == failing; };
    for (const Step& step : GetParam().steps) {
      step(world);
      world.advance(pause);
    }
    world.advance(kLong);
    world.expect_served();
    EXPECT_EQ(world.maps.failures(), failing ? 1u : 0u);
    EXPECT_EQ(world.sync().failed_writes(), world.maps.failures());
    return world.maps.writes();
  }
};

// At once one after the other, before anything is tried again or given up; and with everything done in between.
TEST_P(SyncFailure, OfAnyWriteHeals) {
  const Quiet quiet;
  for (const Sync::Time::duration pause : {Sync::Time::duration(10ms), Sync::Time::duration(kLong)}) {
    const std::size_t writes = run(pause, 0);
    for (std::size_t n = 1; n <= writes && !HasFailure(); ++n) {
      SCOPED_TRACE("write " + std::to_string(n) + " of " + std::to_string(writes) + " fails");
      run(pause, n);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Scenario, SyncFailure, testing::ValuesIn(scenarios()),
                         [](const auto& param) { return param.param.name; });

bool is_entry_of(const state::Operation& operation, const lb_service_key& frontend) {
  const auto* write = std::get_if<state::Write<state::ToServices>>(&operation);
  return write && test::same_value(write->key, frontend);
}

// Its old ring, members and backends stay, while the other service takes all space that is free, again and again.
TEST(Sync, AnEntryThatCannotBeWrittenKeepsWhatItLeadsTo) {
  const Quiet quiet;
  World world;
  add_web(world);
  world.endpoints(kWeb, {{"10.0.0.1"}, {"10.0.0.2"}});
  world.service(kShop, "10.96.0.2");
  world.maps.fails = [](std::size_t, const auto& operation) { return is_entry_of(operation, kWebVip); };
  world.endpoints(kWeb, {{"10.0.0.3"}});
  for (int i = 0; i < 20; ++i) {
    world.endpoints(kShop, {{"10.0.1." + std::to_string(i)}});
    world.advance(kLong);
    EXPECT_TRUE(test::serves(world.sync().actual(), world.sync().specs().at("default/shop:80/TCP/IPv4")))
        << "it is not given what is held, where it would have to wait";
  }
  EXPECT_TRUE(world.sync().has_pending_writes());
  world.maps.fails = [](auto...) { return false; };
  world.advance(kLong);
  world.expect_served();
}

// The other services do not wait for the one whose name cannot be written.
TEST(Sync, OnlyWhatCountsOnAFailedWriteWaits) {
  const Quiet quiet;
  World world;
  world.maps.fails = [](std::size_t, const auto& operation) {
    const auto* write = std::get_if<state::Write<state::ToNames>>(&operation);
    return write && write->value && write->value->starts_with("default/web");
  };
  add_web(world);
  world.endpoints(kWeb, {{"10.0.0.1"}});
  world.service(kShop, "10.96.0.2");
  world.endpoints(kShop, {{"10.0.0.2"}});
  EXPECT_FALSE(world.sync().actual().services.contains(kWebVip));
  EXPECT_EQ(world.sync().actual().services.at(kShopVip).member_count, 1u);
  EXPECT_TRUE(world.sync().has_pending_writes());
}

// The id is given to another port while the map still has the name of the one before.
TEST(Sync, NoEntryHasTheNameOfAnother) {
  const Quiet quiet;
  World world;
  add_web(world);
  world.maps.fails = [](std::size_t, const auto& operation) {
    return std::holds_alternative<state::Write<state::ToNames>>(operation);
  };
  world.remove(kWeb);
  world.advance(kLong);
  world.service(kShop, "10.96.0.2");
  EXPECT_FALSE(world.sync().actual().services.contains(kShopVip));
  world.maps.fails = [](auto...) { return false; };
  world.advance(kLong);
  world.expect_served();
}

// The slot is given to another backend while the map still has the one before.
TEST(Sync, NoEntryLeadsToTheBackendBefore) {
  const Quiet quiet;
  World world;
  add_web(world);
  world.endpoints(kWeb, {{"10.0.0.1"}});
  world.maps.fails = [](std::size_t, const auto& operation) {
    return std::holds_alternative<state::Write<state::ToBackends>>(operation);
  };
  world.endpoints(kWeb, {});
  world.advance(kLong);
  world.service(kShop, "10.96.0.2");
  world.endpoints(kShop, {{"10.0.0.2"}});
  EXPECT_EQ(world.sync().actual().services.at(kShopVip).ring_slots, 0u) << "it goes on to reject";
  world.maps.fails = [](auto...) { return false; };
  world.advance(kLong);
  world.expect_served();
}

// Has these addresses, on port 80.
model::Service with_addresses(const model::Name& name, const std::string& cluster_ip,
                              const std::vector<std::string>& external_ips) {
  model::Service service = compile::service({}, name);
  service.cluster_ips = {Address::literal(cluster_ip)};
  for (const std::string& ip : external_ips)
    service.external_ips.push_back(Address::literal(ip));
  service.ports = {{"", model::Protocol::kTcp, 80, 0}};
  return service;
}

// As many as the maps have room for, beside its cluster IP.
void put_external_ips(World& world, std::uint32_t count, std::uint32_t first = 1) {
  std::vector<std::string> ips;
  for (std::uint32_t i = 0; i < count; ++i)
    ips.push_back("192.0.2." + std::to_string(first + i));
  world.put(with_addresses(kWeb, "10.96.0.1", ips));
}

TEST(Sync, WhatDidNotFitIsServedWhenAServiceThatStaysGivesUpAnAddress) {
  World world;
  put_external_ips(world, FakeMaps::kLimits.frontends - 1);
  world.service(kShop, "10.96.0.2");
  ASSERT_EQ(world.sync().refused().size(), 1u);
  put_external_ips(world, FakeMaps::kLimits.frontends - 2);
  world.expect_served();
  EXPECT_TRUE(world.sync().actual().services.contains(kShopVip));
}

TEST(Sync, WhatIsReplacedInFullMapsIsThereAtOnce) {
  World world;
  put_external_ips(world, FakeMaps::kLimits.frontends - 1);
  put_external_ips(world, FakeMaps::kLimits.frontends - 1, 100);
  world.expect_served();
  EXPECT_EQ(world.maps.failures(), 0u);
  EXPECT_EQ(world.frontends("default/web:80/TCP/IPv4").size(), FakeMaps::kLimits.frontends);
}

// Two frontends have room beside web. older wants three, and one of them is what younger wants too.
TEST(Sync, WhoLeavesAliveIsInTheMapsAsLongAsItHasFlows) {
  World world;
  world.service(kWeb, "10.96.0.1");
  world.endpoints(kWeb, {{"10.0.0.1"}, {"10.0.0.2"}});
  world.endpoints(kWeb, {{"10.0.0.1"}});
  world.advance(kLong);
  world.pass_over_flows(true);
  EXPECT_EQ(world.sync().actual().backends.size(), 2u);
  world.expect_served();
  world.pass_over_flows(false);
  EXPECT_EQ(world.sync().actual().backends.size(), 1u);
  world.expect_served();
}

// It is placed when room is given up, with nobody's help.
class SyncRoom : public testing::TestWithParam<Sync::Time::duration> {};

TEST_P(SyncRoom, IsMadeByWhoHasLeftAlive) {
  Quiet quiet;
  World world;
  world.service(kWeb, "10.96.0.1");
  std::vector<At> all{{"10.0.0.1"}};
  while (all.size() < kNewcomersBackends)
    all.push_back(compile::unready("10.0.0." + std::to_string(all.size() + 1)));
  world.endpoints(kWeb, all);
  world.endpoints(kWeb, {all[0]});
  world.advance(GetParam());
  world.service(kShop, "10.96.0.2");
  world.endpoints(kShop, {{"10.1.0.1"}});
  EXPECT_FALSE(world.sync().refused().empty());
  world.advance(kLong);
  world.expect_served();
  EXPECT_EQ(world.sync().actual().backends.size(), 2u);
}

INSTANTIATE_TEST_SUITE_P(AfterItLeft, SyncRoom, testing::Values(0s, kLong),
                         [](const auto& info) { return info.param == 0s ? "AtOnce" : "Later"; });

class SyncRefusal : public testing::Test {
 protected:
  static constexpr const char* kShared = "203.0.113.1";
  static constexpr const char* kOlderPort = "default/older:80/TCP/IPv4";
  static constexpr const char* kYoungerPort = "default/younger:80/TCP/IPv4";

  SyncRefusal() { put_external_ips(world_, FakeMaps::kLimits.frontends - 3); }

  void put_older() {
    model::Service service = with_addresses({"default", "older"}, "10.96.0.3", {kShared, "203.0.113.2"});
    service.created = "2026-01-01T00:00:00Z";
    world_.put(service);
  }
  void put_younger(const char* name = "younger", const char* cluster_ip = "10.96.0.4") {
    model::Service service = with_addresses({"default", name}, cluster_ip, {kShared});
    service.created = "2026-02-01T00:00:00Z";
    world_.put(service);
  }
  void expect_younger_served() {
    EXPECT_THAT(world_.frontends(kYoungerPort), ElementsAre("10.96.0.4:80/TCP", "203.0.113.1:80/TCP"));
    EXPECT_THAT(world_.told(), ElementsAre(HasSubstr("default/older DoesNotFit service port ")));
    EXPECT_THAT(world_.sync().compiler().problems(), IsEmpty());
    ASSERT_EQ(world_.sync().refused().size(), 1u);
    EXPECT_EQ(world_.sync().refused().begin()->first, kOlderPort);
    EXPECT_EQ(world_.sync().actual().services.size(), FakeMaps::kLimits.frontends);
  }

  World world_;
};

TEST_F(SyncRefusal, WhoDoesNotFitTakesNoFrontendAway) {
  put_younger();
  const std::size_t writes = world_.maps.writes();
  put_older();
  expect_younger_served();
  EXPECT_EQ(world_.maps.writes(), writes);
}

TEST_F(SyncRefusal, TheNextInLineHasTheFrontendsOfWhoDoesNotFit) {
  put_older();
  put_younger();
  expect_younger_served();
}

TEST_F(SyncRefusal, WhoFitsAfterAllHasItsFrontends) {
  put_older();
  put_younger();
  put_external_ips(world_, FakeMaps::kLimits.frontends - 5);
  EXPECT_THAT(world_.frontends(kOlderPort),
              ElementsAre("10.96.0.3:80/TCP", "203.0.113.1:80/TCP", "203.0.113.2:80/TCP"));
  EXPECT_THAT(world_.frontends(kYoungerPort), ElementsAre("10.96.0.4:80/TCP"));
  EXPECT_THAT(world_.told().back(), HasSubstr("is already used by Service default/older"));
  world_.expect_served();
}

// Room that comes with time: slots of backends that have gone.
TEST_F(SyncRefusal, WhoFitsAfterAWhileHasItsFrontends) {
  std::vector<At> many;
  for (std::uint32_t i = 1; i < kNewcomersBackends; ++i)
    many.push_back(compile::unready("10.0.0." + std::to_string(i)));
  world_.endpoints({"default", "older"}, {{"10.0.1.1"}, {"10.0.1.2"}});
  world_.endpoints(kWeb, many);
  put_external_ips(world_, FakeMaps::kLimits.frontends - 5);
  put_older();
  put_younger();
  EXPECT_THAT(world_.told(), ElementsAre(HasSubstr("no room for backends: 57 needed")));
  EXPECT_THAT(world_.frontends(kYoungerPort), ElementsAre("10.96.0.4:80/TCP", "203.0.113.1:80/TCP"));
  world_.endpoints(kWeb, {});
  EXPECT_EQ(world_.sync().refused().size(), 1u) << "the slots still rest";
  world_.advance(kLong);
  EXPECT_THAT(world_.frontends(kYoungerPort), ElementsAre("10.96.0.4:80/TCP"));
  world_.expect_served();
}

// younger would have nothing without the shared frontend, and what it gave up would rest before it could have it again.
TEST_F(SyncRefusal, WhoDoesNotFitCostsNobodyItsPlace) {
  std::vector<At> half_of_ring_slots;
  for (std::uint32_t i = 0; i < FakeMaps::kLimits.ring_slots / 200; ++i)
    half_of_ring_slots.push_back({"10.0.0." + std::to_string(i + 1)});
  model::Service younger = with_addresses({"default", "younger"}, "10.96.0.4", {kShared});
  younger.cluster_ips.clear();
  younger.created = "2026-02-01T00:00:00Z";
  world_.put(younger);
  world_.endpoints(younger.name, half_of_ring_slots);
  ASSERT_THAT(world_.sync().refused(), IsEmpty());
  const std::size_t writes = world_.maps.writes();
  put_older();
  EXPECT_THAT(world_.frontends(kYoungerPort), ElementsAre("203.0.113.1:80/TCP"));
  EXPECT_EQ(world_.maps.writes(), writes);
}

// It stays as it was, but for what an older one has now.
TEST_F(SyncRefusal, WhoStaysAsItWasIsNotSaidToHaveWhatAnotherHas) {
  put_younger();
  std::vector<At> many;
  for (std::uint32_t i = 0; i <= FakeMaps::kLimits.backends; ++i)
    many.push_back({"10.0.0." + std::to_string(i)});
  world_.endpoints({"default", "younger"}, many);
  ASSERT_EQ(world_.sync().refused().size(), 1u);
  put_external_ips(world_, FakeMaps::kLimits.frontends - 5);
  put_older();
  EXPECT_THAT(world_.frontends(kYoungerPort), ElementsAre("10.96.0.4:80/TCP"));
  EXPECT_EQ(world_.sync().refused().size(), 1u);
  for (const auto& [name, spec] : world_.sync().specs())
    EXPECT_TRUE(test::serves(world_.sync().actual(), spec));
}

TEST_F(SyncRefusal, WhoseFrontendsAreOthersIsGoneWhenItIs) {
  put_older();
  put_younger();
  world_.remove({"default", "older"});
  EXPECT_THAT(world_.frontends(kYoungerPort), ElementsAre("10.96.0.4:80/TCP", "203.0.113.1:80/TCP"));
  world_.expect_served();
}

TEST(Sync, AFailureThatLastsIsCountedEachTimeAndLoggedOnce) {
  std::ostringstream log;
  const auto logger = spdlog::default_logger();
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  World world;
  world.maps.fails = [](std::size_t, const auto& operation) { return is_entry_of(operation, kWebVip); };
  add_web(world);
  EXPECT_EQ(world.sync().failed_writes(), 1u);
  world.advance(3s);
  EXPECT_EQ(world.sync().failed_writes(), 4u) << "tried again every second";
  spdlog::set_default_logger(logger);
  const std::string once = "lb_services 10.96.0.1:80/TCP: the kernel does not want to; trying again";
  EXPECT_THAT(log.str(), HasSubstr(once));
  EXPECT_EQ(log.str().find(once), log.str().rfind(once));
}

// Services come and go and change in any order, any write fails, time passes or does not.
TEST(Sync, WhateverFailsNothingLeadsToNothing) {
  const Quiet quiet;
  test::Random random;
  SCOPED_TRACE(random.seed_text());
  World world;
  world.maps.fails = [&](auto...) { return random.one_in(6); };
  const std::vector<model::Name> names{kWeb, kShop, {"default", "a"}, {"default", "b"}};
  for (int step = 0; step < 400 && !testing::Test::HasFailure(); ++step) {
    const std::uint32_t which = random.between(0, 3);
    std::vector<At> endpoints;
    for (std::uint32_t i = random.between(0, 3); i > 0; --i)
      endpoints.push_back({"10.0.0." + std::to_string(random.between(1, 6))});
    if (random.one_in(4))
      world.remove(names[which]);
    else if (random.one_in(2))
      world.service(names[which], "10.96.0." + std::to_string(random.between(1, 5)));
    else
      world.endpoints(names[which], endpoints);
    if (random.one_in(3)) world.advance(std::chrono::milliseconds(random.between(0, 4000)));
  }
  world.maps.fails = [](auto...) { return false; };
  world.advance(kLong);
  world.expect_served();
}

}  // namespace
}  // namespace fairlead::daemon
