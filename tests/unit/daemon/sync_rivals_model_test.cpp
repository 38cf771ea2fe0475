// SPDX-License-Identifier: Apache-2.0
// Random histories of services that want each other's frontends, in maps that do not hold all of them.
#include <set>
#include <utility>

#include "tests/support/random.h"
#include "tests/support/specs.h"
#include "tests/support/tables.h"
#include "tests/unit/daemon/quiet.h"
#include "tests/unit/daemon/sync_rivals.h"

namespace fairlead::daemon {
namespace {

constexpr state::Limits kRoomy{64, 64, 64, 64, 1u << 16, 1u << 10};

// Six services, one history after the other.
class SyncRivalsModel : public SyncRivals {
 protected:
  void run();

  Quiet quiet_;
  test::Random random_;
  std::uint32_t settled_ = 0, refused_ = 0, shared_ = 0, all_fit_ = 0, restarts_ = 0;

 private:
  using Claim = std::pair<std::string, model::Name>;

  model::Name some_name() { return {"default", std::string(1, static_cast<char>('a' + random_.between(0, 5)))}; }
  state::Limits some_limits();
  model::Service some_service(const model::Name& name);
  std::vector<At> some_endpoints(const model::Name& name);
  void step();
  void change_node_addresses();
  void expect_settled();
  void expect_as_if_new();
  void expect_first_in_line(const lb_service_key& frontend, const std::set<Claim>& claims);
  state::AbiMap<lb_service_key, std::set<Claim>> claims() const;
};

// One kind is scarce, or all are.
state::Limits SyncRivalsModel::some_limits() {
  const std::uint32_t scarce = random_.between(0, 6);
  const auto limit = [&](std::uint32_t kind, std::uint32_t few, std::uint32_t many) {
    return scarce == kind || scarce == 6 ? few : many;
  };
  return {limit(0, random_.between(2, 8), 64),
          limit(1, random_.between(1, 4), 64),
          limit(2, random_.between(1, 4), 64),
          limit(3, random_.between(2, 8), 64),
          limit(4, LB_RING_MIN_SLOTS << random_.between(1, 3), 1u << 16),
          limit(5, 4u << random_.between(0, 2), 1u << 10)};
}

model::Service SyncRivalsModel::some_service(const model::Name& name) {
  model::Service service = compile::service({}, name);
  service.created = "202" + std::to_string(random_.between(0, 3)) + "-01-01T00:00:00Z";
  // Without one it has no family, and its NodePort none.
  service.cluster_ips = {Address::literal("10.96.0." + std::to_string(name.name[0] - 'a' + 1))};
  for (const char* ip : {"192.0.2.1", "192.0.2.2"}) {
    if (random_.one_in(2))
      service.load_balancer_ips.push_back(Address::literal(ip));
    else if (random_.one_in(4))
      service.external_ips.push_back(Address::literal(ip));
  }
  const std::uint16_t node_port = random_.one_in(2) ? static_cast<std::uint16_t>(random_.between(30080, 30081)) : 0;
  service.ports = {{"", model::Protocol::kTcp, 80, node_port}};
  if (random_.one_in(3)) service.external_traffic_policy = model::TrafficPolicy::kLocal;
  return service;
}

std::vector<At> SyncRivalsModel::some_endpoints(const model::Name& name) {
  std::vector<At> endpoints;
  for (std::uint32_t i = 1; i <= 4; ++i)
    if (random_.one_in(2))
      endpoints.push_back({"10.0." + std::to_string(name.name[0] - 'a') + "." + std::to_string(i),
                           random_.one_in(2) ? "node1" : "node2"});
  return endpoints;
}

// Several may change at once.
void SyncRivalsModel::step() {
  for (std::uint32_t left = random_.between(1, 3); left; --left) {
    const model::Name name = some_name();
    if (random_.one_in(4))
      remove(name);
    else if (random_.one_in(2))
      put(some_service(name));
    else
      put_endpoints(name, some_endpoints(name));
  }
  apply();
  if (random_.one_in(8)) change_node_addresses();
  if (random_.one_in(3)) advance(std::chrono::milliseconds(random_.between(0, 4000)));
  if (!random_.one_in(15)) return;
  ++restarts_;
  restart();
}

// One of them a service wants too.
void SyncRivalsModel::change_node_addresses() {
  node_addresses_.clear();
  for (const char* address : {"192.0.2.1", "192.0.2.99"})
    if (random_.one_in(2)) node_addresses_.push_back({test::tcp(address, 1).addr, LB_AF_INET, true});
  sync_->set_node(compile::kNode, node_addresses_, {}, store_, now_);
}

// Who wants what, in order of precedence.
state::AbiMap<lb_service_key, std::set<SyncRivalsModel::Claim>> SyncRivalsModel::claims() const {
  state::AbiMap<lb_service_key, std::set<Claim>> claims;
  for (const auto& [name, service] : store_.services()) {
    const Claim claim{service->created, name};
    for (const auto* addresses : {&service->cluster_ips, &service->load_balancer_ips, &service->external_ips})
      for (const Address& address : *addresses)
        claims[test::tcp(address.to_string(), 80)].insert(claim);
    if (const std::uint16_t port = service->ports[0].node_port) claims[test::nodeport(port)].insert(claim);
  }
  return claims;
}

void SyncRivalsModel::expect_settled() {
  ++settled_;
  // What one gives up lets the next one in, which gives something up too: each of six at most once.
  advance(6 * kLong);
  EXPECT_FALSE(sync_->next_wakeup());
  const state::Tables tables = sync_->actual();
  std::set<model::Name> all;
  for (const auto& [name, service] : store_.services())
    all.insert(name);
  sync_->changed(all, store_, now_);
  EXPECT_TRUE(test::same_tables(sync_->actual(), tables)) << "what fits is there by now";
  for (const auto& [name, spec] : sync_->specs())
    EXPECT_TRUE(test::serves(sync_->actual(), spec));
  for (const auto& [frontend, claims] : claims())
    expect_first_in_line(frontend, claims);
  refused_ += static_cast<std::uint32_t>(sync_->refused().size());
  if (sync_->refused().empty()) expect_as_if_new();
}

// Where everything fits, nothing is left of how it came.
void SyncRivalsModel::expect_as_if_new() {
  const auto nothing = [](const auto&) { return std::set<std::uint32_t>(); };
  sync_->release_unused({nothing, nothing}, now_);
  Sync fresh({kRoomy, 1, std::nullopt, [](const auto&) { return Result<>(); }}, [](const auto&...) {});
  fresh.set_node(compile::kNode, node_addresses_, {}, store_, now_);
  fresh.complete(store_, now_);
  for (const auto& [name, spec] : fresh.specs())
    EXPECT_TRUE(test::serves(sync_->actual(), spec));
  const state::Tables &now = sync_->actual(), &as_new = fresh.actual();
  EXPECT_EQ(now.services.size(), as_new.services.size());
  EXPECT_EQ(now.names.size(), as_new.names.size());
  EXPECT_EQ(now.backends.size(), as_new.backends.size());
  EXPECT_EQ(now.rings.size(), as_new.rings.size());
  EXPECT_EQ(now.members.size(), as_new.members.size());
  EXPECT_TRUE(test::same_content(now.addresses, as_new.addresses));
  EXPECT_TRUE(test::same_content(now.filter, as_new.filter));
  EXPECT_EQ(sync_->compiler().problems().size(), fresh.compiler().problems().size());
  ++all_fit_;
}

// It is the first one's of those that fit. Who does not fit any more stays as it was, until another takes its frontend.
void SyncRivalsModel::expect_first_in_line(const lb_service_key& frontend, const std::set<Claim>& claims) {
  SCOPED_TRACE(state::describe(frontend));
  shared_ += claims.size() > 1;
  const std::string has = owner(frontend);
  for (const auto& [created, service] : claims) {
    const std::string port = port_of(service);
    if (has != port && is_refused(port)) continue;
    EXPECT_EQ(has, port);
    return;
  }
  EXPECT_TRUE(has.empty() || is_refused(has)) << has;
}

void SyncRivalsModel::run() {
  store_ = {};
  node_addresses_ = {};
  start(some_limits());
  for (int number = 0; number < 30 && !HasFailure(); ++number) {
    SCOPED_TRACE("step " + std::to_string(number));
    step();
    if (random_.one_in(3)) expect_settled();
  }
}

TEST_F(SyncRivalsModel, PrecedenceDecidesWhateverTheOrder) {
  SCOPED_TRACE(random_.seed_text());
  for (int history = 0; history < 40 && !HasFailure(); ++history) {
    SCOPED_TRACE("history " + std::to_string(history));
    run();
  }
  if (HasFailure()) return;
  EXPECT_GT(settled_, 100u) << "the test must see them";
  EXPECT_GT(refused_, 20u);
  EXPECT_GT(shared_, 100u);
  EXPECT_GT(all_fit_, 20u);
  EXPECT_GT(restarts_, 10u);
}

}  // namespace
}  // namespace fairlead::daemon
