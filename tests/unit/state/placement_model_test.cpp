// SPDX-License-Identifier: Apache-2.0
// Random histories of puts, removals, ticks, node addresses and restarts, with everything that must hold checked after
// each step, and with every write of every delta checked where it happens.
#include <map>
#include <set>

#include "tests/support/random.h"
#include "tests/unit/state/placement_fixture.h"

namespace fairlead::state {
namespace {

using test::tcp;
using Time = Placement::Time;

// Small enough that everything is refused now and then.
constexpr Limits kTight{14, 10, 6, 32, 1u << 13, 1u << 6};

// Milliseconds, around kRetireAfter and kQuarantine.
constexpr std::array<int, 8> kWaits{0, 1, 20, 500, 980, 999, 1000, 5000};

// Something that was given up and must not be used again before `due`.
struct Resting {
  Time due;
  std::uint32_t offset;
  std::uint32_t units;
};

struct Use {
  std::uint32_t slot;
  lb_service_key endpoint;
};

class PlacementModel : public PlacementTest {
 protected:
  PlacementModel() : PlacementTest(kTight) {}

  void step();
  void check();
  void finish();

  std::uint32_t accepted_ = 0, refused_ = 0, restarts_ = 0;
  test::Random random_;

 private:
  // What happens.
  PortSpec some_spec();
  void put_some();
  void try_put(const PortSpec& wished);
  void put_all_again();
  void remove_some();
  void change_node_addresses();
  void release_some();
  void die_and_restart();

  // What is expected of it.
  void note_put(const PortSpec& spec);
  void note_left(const std::string& name, const PortSpec& still);
  void write_checked();
  void expect_unread(const Operation& operation) const;
  void note_space();
  void check_ports();
  void check_backends();
  void check_generations();
  void check_space() const;
  void check_addresses() const;
  void check_filter();
  std::map<std::uint32_t, std::uint8_t> needed_classes() const;

  std::map<std::string, PortSpec> ports_;
  std::map<std::pair<std::string, std::string>, Time> left_;  // port and endpoint, both as text
  std::vector<NodeAddress> node_addresses_;
  std::map<std::uint32_t, Use> generations_;
  std::uint32_t next_generation_ = 1;
  std::vector<Resting> resting_rings_, resting_members_, resting_slots_;
  Tables before_;
  std::map<std::uint32_t, std::uint8_t> lingering_, needed_before_;
};

lb_service_key some_vip(test::Random& random) {
  if (random.one_in(6)) return test::nodeport(static_cast<std::uint16_t>(30000 + random.between(0, 2)));
  return tcp("10.96.0." + std::to_string(random.between(1, 6)), random.one_in(2) ? 80 : 443);
}

// Frontends with the same backends share a pool, as the compiler sees to it.
PortSpec with_distinct_pools(PortSpec spec) {
  std::vector<PoolSpec> distinct;
  std::vector<std::uint32_t> moved;
  for (const PoolSpec& pool : spec.pools) {
    const auto same = std::find_if(distinct.begin(), distinct.end(),
                                   [&](const PoolSpec& other) { return other.members == pool.members; });
    moved.push_back(static_cast<std::uint32_t>(same - distinct.begin()));
    if (same == distinct.end()) distinct.push_back(pool);
  }
  for (FrontendSpec& frontend : spec.frontends)
    frontend.pool = moved[frontend.pool];
  spec.pools = std::move(distinct);
  return spec;
}

PortSpec PlacementModel::some_spec() {
  PortSpec spec;
  spec.name = "port" + std::to_string(random_.between(0, 7));
  AbiSet<lb_service_key> endpoints, frontends;
  for (std::uint32_t left = random_.between(0, 6); left; --left)
    endpoints.insert(tcp("10.0.0." + std::to_string(random_.between(1, 9)), 8080));
  for (const lb_service_key& endpoint : endpoints)
    spec.backends.push_back({endpoint, random_.between(0, LB_BACKEND_LOCAL | LB_BACKEND_DRAINING)});
  for (std::uint32_t left = random_.between(1, 3); left; --left) {
    std::vector<std::uint32_t> members;
    for (std::uint32_t i = 0; i < spec.backends.size(); ++i)
      if (!random_.one_in(3)) members.push_back(i);
    spec.pools.push_back(test::pool(members, LB_RING_MIN_SLOTS << random_.between(0, 2)));
  }
  for (std::uint32_t left = random_.between(0, 3); left; --left)
    frontends.insert(some_vip(random_));
  for (const lb_service_key& frontend : frontends)
    spec.frontends.push_back({frontend, random_.between(0, static_cast<std::uint32_t>(spec.pools.size()) - 1)});
  return spec;
}

void PlacementModel::step() {
  before_ = desired();
  needed_before_ = needed_classes();
  const std::uint32_t choice = random_.between(0, 99);
  if (choice < 45)
    put_some();
  else if (choice < 55)
    remove_some();
  else if (choice < 58)
    change_node_addresses();
  else if (choice < 62)
    release_some();
  else if (choice < 64)
    die_and_restart();
  else
    advance(std::chrono::milliseconds(random_.any_of(kWaits)));
}

void PlacementModel::put_some() {
  if (ports_.empty() || random_.one_in(2)) return try_put(some_spec());
  PortSpec spec = random_.any_of(ports_).second;
  switch (random_.between(0, 2)) {
    case 0:  // one endpoint leaves, in every pool
      if (spec.backends.empty()) return;
      spec.backends.pop_back();
      for (PoolSpec& pool : spec.pools) {
        std::erase(pool.members, spec.backends.size());
        pool = test::pool(pool.members);
      }
      return try_put(spec);
    case 1:  // one endpoint comes, or comes back
      spec.backends.push_back({tcp("10.0.0." + std::to_string(random_.between(10, 12)), 8080), 0});
      for (std::size_t i = 0; i + 1 < spec.backends.size(); ++i)
        if (test::same_value(spec.backends[i].endpoint, spec.backends.back().endpoint)) return;
      spec.pools[0].members.push_back(static_cast<std::uint32_t>(spec.backends.size()) - 1);
      spec.pools[0] = test::pool(spec.pools[0].members);
      return try_put(spec);
    case 2:  // nothing changes
      try_put(spec);
      EXPECT_TRUE(refusal_.empty()) << refusal_;
      EXPECT_TRUE(test::same_tables(desired(), before_));
      EXPECT_TRUE(pending().empty());
  }
}

void PlacementModel::try_put(const PortSpec& wished) {
  const PortSpec spec = with_distinct_pools(wished);
  if (put(spec)) {
    ++accepted_;
    note_put(spec);
    return;
  }
  ++refused_;
  EXPECT_TRUE(test::same_tables(desired(), before_)) << refusal_;
  EXPECT_TRUE(pending().empty());
}

void PlacementModel::note_put(const PortSpec& spec) {
  note_left(spec.name, spec);
  for (auto& [name, other] : ports_)  // frontends that it took over
    if (name != spec.name)
      std::erase_if(other.frontends, [&](const FrontendSpec& had) {
        return std::any_of(spec.frontends.begin(), spec.frontends.end(),
                           [&](const FrontendSpec& has) { return test::same_value(has.key, had.key); });
      });
  ports_[spec.name] = spec;
}

// Backends of this port that `still` does not have leave now, unless they have left before.
void PlacementModel::note_left(const std::string& name, const PortSpec& still) {
  for (const auto& [slot, backend] : desired().backends)
    if (desired().names.at(backend.service_id) == name)
      left_.try_emplace({name, describe(test::endpoint_of(backend))}, now_);
  for (const BackendSpec& backend : still.backends)
    left_.erase({name, describe(backend.endpoint)});
}

void PlacementModel::remove_some() {
  if (ports_.empty()) return;
  const std::string name = random_.any_of(ports_).first;
  remove(name);
  note_left(name, {});
  ports_.erase(name);
}

void PlacementModel::change_node_addresses() {
  node_addresses_.clear();
  for (const char* text : {"192.0.2.1", "192.0.2.2", "10.96.0.1", "10.96.0.2"})
    if (random_.one_in(2)) node_addresses_.push_back(test::node_address(text, random_.one_in(2)));
  placement_->set_node_addresses(node_addresses_);
}

void PlacementModel::release_some() {
  std::set<std::uint32_t> released;
  for (const std::uint32_t bucket : placement_->lingering())
    if (random_.one_in(2)) released.insert(bucket);
  placement_->release(released);
  for (const std::uint32_t bucket : released)
    lingering_.erase(bucket);
}

// The new daemon hears of everything again. What rested may be used at once: no daemon, no memory of it.
void PlacementModel::die_and_restart() {
  ++restarts_;
  restart(kTight, next_generation_);
  EXPECT_TRUE(test::all_followable(desired()));
  placement_->set_node_addresses(node_addresses_);
  left_.clear();
  resting_rings_.clear();
  resting_members_.clear();
  resting_slots_.clear();
  for (const std::string& name : placement_->names())
    if (!ports_.contains(name)) {
      remove(name);
      note_left(name, {});
    }
  put_all_again();
  before_ = desired();
  needed_before_.clear();
  for (const auto& [bucket, classes] : actual_.filter)
    lingering_[bucket] = classes;
}

void PlacementModel::put_all_again() {
  for (const auto& [name, spec] : ports_) {
    const lb_service_key* some = spec.frontends.empty() ? nullptr : &spec.frontends[0].key;
    const auto before = some ? std::optional(service(*some)) : std::nullopt;
    ASSERT_TRUE(put(spec)) << refusal_;
    EXPECT_TRUE(!some || test::same_value(*before, service(*some))) << name << " has moved";
    note_left(name, spec);
  }
}

// Nothing that a published service leads to is ever written over.
void PlacementModel::expect_unread(const Operation& operation) const {
  const auto* ring = std::get_if<Write<ToRings>>(&operation);
  const auto* members = std::get_if<Write<ToMembers>>(&operation);
  const auto* backend = std::get_if<Write<ToBackends>>(&operation);
  for (const auto& [key, service] : actual_.services) {
    if (!service.ring_slots) continue;
    EXPECT_FALSE(ring && ring->value &&
                 test::overlap(ring->key, ring->value->get()->size(), service.ring_offset, service.ring_slots));
    EXPECT_FALSE(
        members && members->value &&
        test::overlap(members->key, members->value->get()->size(), service.member_offset, service.member_count));
    if (!backend || !backend->value) continue;
    for (const std::uint32_t slot : *actual_.members.at(service.member_offset))
      EXPECT_FALSE(slot == backend->key && actual_.backends.at(slot).generation != backend->value->generation);
  }
}

void PlacementModel::write_checked() {
  for (const Operation& operation : pending()) {
    SCOPED_TRACE(describe(operation));
    expect_unread(operation);
    apply(actual_, operation);
    EXPECT_LE(actual_.services.size(), kTight.frontends);
    EXPECT_TRUE(test::all_followable(actual_));
    if (const auto* backend = std::get_if<Write<ToBackends>>(&operation); backend && backend->value)
      next_generation_ = std::max(next_generation_, backend->value->generation + 1);
  }
  EXPECT_TRUE(test::same_tables(actual_, desired()));
}

// What was desired before this step and is not any more, begins to rest.
template <class Content, class Size>
void note_rest(const Content& before, const Content& now, Time time, std::vector<Resting>& resting, Size size) {
  std::erase_if(resting, [&](const Resting& rested) { return rested.due <= time; });
  for (const auto& [offset, value] : before)
    if (!now.contains(offset)) resting.push_back({time + Placement::kQuarantine, offset, size(value)});
}

std::uint32_t members_block(std::size_t count) {
  return std::max<std::uint32_t>(4, std::bit_ceil(static_cast<std::uint32_t>(count)));
}

void PlacementModel::note_space() {
  const auto ring_size = [](const Ring& ring) { return static_cast<std::uint32_t>(ring->size()); };
  const auto list_size = [](const Members& list) { return members_block(list->size()); };
  note_rest(before_.rings, desired().rings, now_, resting_rings_, ring_size);
  note_rest(before_.members, desired().members, now_, resting_members_, list_size);
  note_rest(before_.backends, desired().backends, now_, resting_slots_, [](const lb_backend&) { return 1u; });
}

void PlacementModel::check() {
  note_space();
  check_ports();
  check_backends();
  check_generations();
  check_space();
  check_addresses();
  check_filter();
  write_checked();
}

void PlacementModel::check_ports() {
  std::size_t frontends = 0;
  std::vector<std::string> expected;
  for (const auto& [name, spec] : ports_) {
    EXPECT_TRUE(test::serves(desired(), spec));
    frontends += spec.frontends.size();
    expected.push_back(name);
  }
  EXPECT_EQ(desired().services.size(), frontends);
  auto names = placement_->names();
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, expected);
  std::set<std::string> unique;
  for (const auto& [id, name] : desired().names)
    EXPECT_TRUE(id < kTight.service_ports && unique.insert(name).second);
  EXPECT_EQ(placement_->usage().service_ports, desired().names.size());
}

// A backend is there while its port has it, and for kRetireAfter after; not longer.
void PlacementModel::check_backends() {
  std::erase_if(left_, [&](const auto& entry) { return entry.second + Placement::kRetireAfter <= now_; });
  std::map<std::pair<std::string, std::string>, std::uint32_t> expected;
  for (const auto& [name, spec] : ports_)
    for (const BackendSpec& backend : spec.backends)
      expected[{name, describe(backend.endpoint)}] = backend.flags;
  EXPECT_EQ(desired().backends.size(), expected.size() + left_.size());
  for (const auto& [slot, backend] : desired().backends) {
    const std::pair key{desired().names.at(backend.service_id), describe(test::endpoint_of(backend))};
    const auto desired_flags = expected.find(key);
    EXPECT_TRUE(desired_flags != expected.end() || left_.contains(key)) << key.first << " " << key.second;
    EXPECT_TRUE(desired_flags == expected.end() || desired_flags->second == backend.flags);
  }
}

// A generation belongs to one use of one slot, for ever.
void PlacementModel::check_generations() {
  for (const auto& [slot, backend] : desired().backends) {
    ASSERT_NE(backend.generation, 0u);
    const lb_service_key endpoint = test::endpoint_of(backend);
    const auto [use, is_new] = generations_.try_emplace(backend.generation, Use{slot, endpoint});
    EXPECT_TRUE(use->second.slot == slot && test::same_value(use->second.endpoint, endpoint)) << backend.generation;
  }
}

// Live and resting space together is what is used, and no two of it overlap.
void PlacementModel::check_space() const {
  Rings::Content rings = desired().rings;
  std::uint32_t ring_slots = 0, members = 0;
  for (const Resting& rested : resting_rings_)
    EXPECT_TRUE(rings.emplace(rested.offset, std::make_shared<std::vector<std::uint16_t>>(rested.units)).second);
  EXPECT_TRUE(test::none_overlap(rings));
  for (const auto& [offset, ring] : rings)
    ring_slots += static_cast<std::uint32_t>(ring->size());

  MemberLists::Content lists = desired().members;
  for (const Resting& rested : resting_members_)
    EXPECT_TRUE(lists.emplace(rested.offset, std::make_shared<std::vector<std::uint32_t>>(rested.units)).second);
  EXPECT_TRUE(test::none_overlap(lists));
  for (const auto& [offset, list] : lists)
    members += members_block(list->size());

  for (const Resting& rested : resting_slots_)
    EXPECT_FALSE(desired().backends.contains(rested.offset));
  EXPECT_EQ(placement_->usage().ring_slots, ring_slots);
  EXPECT_EQ(placement_->usage().members, members);
  EXPECT_EQ(placement_->usage().backends, desired().backends.size() + resting_slots_.size());
}

void PlacementModel::check_addresses() const {
  Addresses::Content expected;
  for (const auto& [name, spec] : ports_)
    for (const FrontendSpec& frontend : spec.frontends)
      if (!from_abi(frontend.key.addr, frontend.key.family).is_unspecified())
        expected[{frontend.key.addr, frontend.key.family}] = LB_ADDRESS_VIP;
  for (const NodeAddress& node : node_addresses_)
    expected[{node.addr, node.family}] = LB_ADDRESS_NODE | (node.nodeports ? LB_ADDRESS_NODEPORT : 0);
  EXPECT_TRUE(test::same_content(desired().addresses, expected));
}

std::map<std::uint32_t, std::uint8_t> PlacementModel::needed_classes() const {
  std::map<std::uint32_t, std::uint8_t> needed;
  for (const auto& [key, service] : desired().services)
    if (!from_abi(key.addr, key.family).is_unspecified()) needed[filter_bucket(key.addr, key.family)] |= LB_CLASS_VIP;
  for (const auto& [slot, backend] : desired().backends)
    if (backend.flags & LB_BACKEND_LOCAL) needed[filter_bucket(backend.addr, backend.family)] |= LB_CLASS_BACKEND;
  for (const NodeAddress& node : node_addresses_)
    needed[filter_bucket(node.addr, node.family)] |= LB_CLASS_NODE;
  return needed;
}

// Open is what is needed, and what was needed until now and not released since. Not the node's own: what comes to an
// address that has gone is nobody's.
void PlacementModel::check_filter() {
  const auto needed = needed_classes();
  for (const auto& [bucket, classes] : needed_before_)
    lingering_[bucket] |= classes & ~LB_CLASS_NODE;
  for (const auto& [bucket, classes] : needed)
    lingering_[bucket] &= ~classes;
  std::erase_if(lingering_, [](const auto& entry) { return entry.second == 0; });
  Filter::Content expected(lingering_.begin(), lingering_.end());
  for (const auto& [bucket, classes] : needed)
    expected[bucket] |= classes;
  EXPECT_TRUE(test::same_content(desired().filter, expected));
  EXPECT_EQ(placement_->lingering().size(), lingering_.size());
}

void PlacementModel::finish() {
  expect_clean_end();
}

TEST_F(PlacementModel, HoldsItsPromisesInEveryHistory) {
  SCOPED_TRACE(random_.seed_text());
  for (int number = 0; number < 4000 && !HasFailure(); ++number) {
    SCOPED_TRACE("step " + std::to_string(number));
    step();
    check();
  }
  if (HasFailure()) return;
  finish();
  EXPECT_GT(accepted_, 500u) << "the test must see both";
  EXPECT_GT(refused_, 100u);
  EXPECT_GT(restarts_, 20u);
}

}  // namespace
}  // namespace fairlead::state
