// SPDX-License-Identifier: Apache-2.0
// A new daemon takes over what the last one left, and nothing of it that is damaged.
#include <functional>
#include <set>

#include "tests/support/random.h"
#include "tests/unit/state/placement_fixture.h"

namespace fairlead::state {
namespace {

using test::port_spec;
using test::tcp;

constexpr Limits kLimits{64, 64, 32, 64, 1u << 14, 1u << 8};
constexpr std::uint32_t kRing = LB_RING_MIN_SLOTS;

const lb_service_key kWeb = tcp("10.96.0.1", 80), kLocal = tcp("10.96.0.2", 80), kEmpty = tcp("10.96.0.3", 80);
const lb_service_key kOther = tcp("2001:db8::1", 443);
const lb_service_key kPod1 = tcp("10.0.0.1", 80), kPod2 = tcp("10.0.0.2", 80), kPod3 = tcp("10.0.0.3", 80);

// A port with two pools and a NodePort, one of the other family, and one without backends.
std::vector<PortSpec> everything() {
  PortSpec web = port_spec("web", {kWeb, test::nodeport(30080)}, {kPod1, kPod2, kPod3}, 2 * kRing);
  web.backends[1].flags = LB_BACKEND_LOCAL;
  web.backends[2].flags = LB_BACKEND_DRAINING;
  web.pools.push_back(test::pool({1}));
  web.frontends.push_back({kLocal, 1});
  return {web, port_spec("other", {kOther}, {tcp("2001:db8:1::1", 8443), tcp("2001:db8:1::2", 8443)}),
          port_spec("empty", {kEmpty}, {})};
}

class PlacementAdopt : public PlacementTest {
 protected:
  PlacementAdopt() : PlacementTest(kLimits) {
    put_everything();
    commit();
  }

  void put_everything() {
    placement_->set_node_addresses({test::node_address("192.0.2.1", true), test::node_address("192.0.2.2", false)});
    for (const PortSpec& spec : everything())
      ASSERT_TRUE(put(spec)) << refusal_;
  }

  std::uint32_t slot_of(const lb_service_key& endpoint) const { return slot(endpoint).value(); }

  // Whatever was found: what is desired now can be followed, and lies within the maps.
  void expect_sound() const {
    EXPECT_TRUE(test::all_followable(desired()));
    EXPECT_TRUE(test::none_overlap(desired().rings));
    EXPECT_TRUE(test::none_overlap(desired().members));
    for (const auto& [offset, ring] : desired().rings)
      EXPECT_LE(offset + ring->size(), kLimits.ring_slots);
    for (const auto& [offset, list] : desired().members)
      EXPECT_LE(offset + list->size(), kLimits.members);
    std::set<std::string> names;
    for (const auto& [id, name] : desired().names)
      EXPECT_TRUE(id < kLimits.service_ports && names.insert(name).second) << id << " " << name;
    for (const auto& [slot, backend] : desired().backends)
      EXPECT_TRUE(slot < kLimits.backends && backend.generation && desired().names.contains(backend.service_id));
    for (const auto& [bucket, classes] : desired().filter)
      EXPECT_EQ(classes & ~(LB_CLASS_VIP | LB_CLASS_NODE | LB_CLASS_BACKEND), 0);
  }

  // Puts everything, removes what nobody asked for, and finds the maps as if there had been no damage.
  void expect_repaired() {
    put_everything();
    std::set<std::string> unknown;
    for (const std::string& name : placement_->names())
      unknown.insert(name);
    for (const PortSpec& spec : everything())
      unknown.erase(spec.name);
    for (const std::string& name : unknown)
      remove(name);
    commit();
    expect_sound();
    for (const PortSpec& spec : everything())
      EXPECT_TRUE(test::serves(actual_, spec));
    EXPECT_EQ(actual_.services.size(), 5u);
    EXPECT_TRUE(test::same_tables(actual_, desired()));
    expect_clean_end();
  }
};

TEST_F(PlacementAdopt, TheSamePutsNeedNoWrite) {
  const Tables before = desired();
  restart(kLimits);
  put_everything();
  EXPECT_TRUE(test::same_tables(desired(), before));
  EXPECT_EQ(commit(), 0u);
  EXPECT_FALSE(placement_->next_tick());
  EXPECT_TRUE(placement_->lingering().empty());
  expect_clean_end();
}

TEST_F(PlacementAdopt, IsTrueBeforeAnythingIsPut) {
  restart(kLimits);
  expect_sound();
  EXPECT_EQ(desired().services.size(), 5u);
  EXPECT_EQ(placement_->names().size(), 3u);
  EXPECT_EQ(placement_->usage().ring_slots, 4 * kRing);
  EXPECT_EQ(placement_->usage().backends, 5u);
}

TEST_F(PlacementAdopt, WhatNobodyPutsAgainGoesInSteps) {
  restart(kLimits);
  ASSERT_TRUE(put(everything()[1]));
  remove("web");
  remove("empty");
  EXPECT_EQ(desired().services.size(), 1u);
  EXPECT_TRUE(slot(kPod1));
  advance(Placement::kRetireAfter);
  EXPECT_FALSE(slot(kPod1));
  EXPECT_EQ(desired().names.size(), 1u);
  expect_clean_end();
}

TEST_F(PlacementAdopt, WhoHadLeftAliveStillHas) {
  has_flows_ = true;
  const PortSpec without = port_spec("web", {kWeb}, {kPod2, kPod3});
  ASSERT_TRUE(put(without));
  commit();
  const auto old_slot = slot(kPod1), old_generation = generation(kPod1);
  restart(kLimits);
  ASSERT_TRUE(put(without));
  advance(Placement::kRetireAfter);
  EXPECT_EQ(placement_->lingering_backends(), (std::map{std::pair(*old_slot, *old_generation)}));
  expect_clean_end();
}

TEST_F(PlacementAdopt, NewBackendsHaveGenerationsThatNoneHadBefore) {
  std::set<std::uint32_t> old;
  for (const auto& [slot, backend] : actual_.backends)
    old.insert(backend.generation);
  restart(kLimits);
  const lb_service_key newcomer = tcp("10.0.0.9", 80);
  ASSERT_TRUE(put(port_spec("new", {tcp("10.96.0.9", 80)}, {newcomer})));
  EXPECT_EQ(generation(newcomer), *old.rbegin() + 1);
}

TEST_F(PlacementAdopt, AlsoThoseOfBackendsThatAreNotTakenOver) {
  actual_.backends[60] = {};
  actual_.backends[60].generation = 1000;
  actual_.backends[60].service_id = 31;  // nobody's
  restart(kLimits);
  EXPECT_EQ(placement_->next_generation(), 1001u);
}

TEST_F(PlacementAdopt, AGenerationThatAFlowMayRememberIsNotRepeated) {
  restart(kLimits, 5000);
  EXPECT_EQ(placement_->next_generation(), 5000u);
}

TEST_F(PlacementAdopt, OpenBucketsLingerUntilTheyAreReleased) {
  actual_.filter[7] = LB_CLASS_VIP | LB_CLASS_BACKEND;
  restart(kLimits);
  put_everything();
  EXPECT_EQ(desired().filter.at(7), LB_CLASS_VIP | LB_CLASS_BACKEND);
  EXPECT_EQ(placement_->lingering(), std::vector<std::uint32_t>{7});
  placement_->release({7});
  EXPECT_FALSE(desired().filter.contains(7));
}

TEST_F(PlacementAdopt, FreeNumbersBelowTheAdoptedAreUsedAgain) {
  remove("web");
  advance(Placement::kRetireAfter);
  commit();
  restart(kLimits);
  ASSERT_TRUE(put(port_spec("new", {kWeb}, {kPod1})));
  EXPECT_EQ(slot(kPod1), 0u);
  EXPECT_EQ(service(kWeb).id, 0u);
}

// One way in which maps can be wrong. `damaged` is the frontend that must not be taken over as it is, if there is one
// in particular; the port "other" is always whole.
struct Damage {
  const char* name;
  std::function<void(Tables&)> inflict;
  std::optional<lb_service_key> damaged = kWeb;
};

lb_service& entry(Tables& tables, const lb_service_key& key) {
  return tables.services.at(key);
}

Ring ring_of(std::size_t slots, std::uint16_t member) {
  return std::make_shared<const std::vector<std::uint16_t>>(slots, member);
}

void set_ring(Tables& tables, std::uint32_t offset, std::uint32_t slots) {
  entry(tables, kWeb).ring_offset = offset;
  entry(tables, kWeb).ring_slots = slots;
  tables.rings[offset] = ring_of(slots, 0);
}

void set_members(Tables& tables, std::uint32_t offset, const std::vector<std::uint32_t>& slots) {
  entry(tables, kWeb).member_offset = offset;
  entry(tables, kWeb).member_count = static_cast<std::uint32_t>(slots.size());
  tables.members[offset] = std::make_shared<const std::vector<std::uint32_t>>(slots);
}

std::uint32_t find_slot(const Tables& tables, const lb_service_key& endpoint) {
  for (const auto& [slot, backend] : tables.backends)
    if (test::same_value(test::endpoint_of(backend), endpoint)) return slot;
  return 0xffffffff;
}

std::vector<Damage> ring_damages() {
  return {
      {"RingMissing", [](Tables& t) { t.rings.erase(entry(t, kWeb).ring_offset); }},
      {"RingBehindTheArena", [](Tables& t) { set_ring(t, kLimits.ring_slots, 2 * kRing); }},
      {"RingAcrossTheEnd", [](Tables& t) { set_ring(t, kLimits.ring_slots - kRing, 2 * kRing); }},
      {"RingWrapsAround", [](Tables& t) { set_ring(t, 0xffffff00, 2 * kRing); }},
      {"RingNotAligned", [](Tables& t) { set_ring(t, 4096 + kRing, 2 * kRing); }},
      {"RingNoPowerOfTwo", [](Tables& t) { set_ring(t, 4096, 300); }},
      {"RingTooSmall", [](Tables& t) { set_ring(t, 4096, 128); }},
      {"RingOfOneSlot", [](Tables& t) { set_ring(t, 4096, 1); }},
      {"RingTooLarge", [](Tables& t) { set_ring(t, 0, 1u << 17); }},
      {"RingOfAnotherSize", [](Tables& t) { t.rings[entry(t, kWeb).ring_offset] = ring_of(kRing, 0); }},
      {"RingBeyondMembers", [](Tables& t) { t.rings[entry(t, kWeb).ring_offset] = ring_of(2 * kRing, 3); }},
      {"RingAndFlags", [](Tables& t) { entry(t, kWeb).flags = LB_SERVICE_REJECT; }},
      {"RingHalfOfAnother", [](Tables& t) { set_ring(t, entry(t, kLocal).ring_offset & ~(2 * kRing - 1), 2 * kRing); },
       std::nullopt},
      {"RingOfAnother", [](Tables& t) { entry(t, kWeb).ring_offset = entry(t, kOther).ring_offset; }},
  };
}

std::vector<Damage> member_damages() {
  const lb_service_key stranger = tcp("2001:db8:1::1", 8443);
  return {
      {"MembersMissing", [](Tables& t) { t.members.erase(entry(t, kWeb).member_offset); }},
      {"MembersBehindTheArena", [](Tables& t) { set_members(t, kLimits.members, {find_slot(t, kPod1)}); }},
      {"MembersNotAligned", [](Tables& t) { set_members(t, 129, {find_slot(t, kPod1)}); }},
      {"MembersOfAnotherCount", [](Tables& t) { entry(t, kWeb).member_count = 2; }},
      {"MembersMany", [](Tables& t) { entry(t, kWeb).member_count = 0xffffffff; }},
      {"MembersNone", [](Tables& t) { set_members(t, 128, {}); }},
      {"MemberWithoutBackend", [](Tables& t) { set_members(t, 128, {50}); }},
      {"MemberBehindTheMap", [](Tables& t) { set_members(t, 128, {0xffffffff}); }},
      {"MemberOfAnotherPort", [=](Tables& t) { set_members(t, 128, {find_slot(t, stranger)}); }},
      {"MembersOfAnother", [](Tables& t) { set_members(t, entry(t, kLocal).member_offset, {find_slot(t, kPod1)}); },
       std::nullopt},
      {"ServiceUnknown", [](Tables& t) { entry(t, kWeb).id = 30; }},
      {"ServiceAnother", [](Tables& t) { entry(t, kWeb).id = entry(t, kOther).id; }},
      {"NoRingNoFlags", [](Tables& t) { entry(t, kEmpty).flags = 0; }, kEmpty},
      {"NoRingTwoFlags", [](Tables& t) { entry(t, kEmpty).flags = LB_SERVICE_REJECT | LB_SERVICE_DROP; }, kEmpty},
      {"NoRingUnknownFlag", [](Tables& t) { entry(t, kEmpty).flags = 0x100; }, kEmpty},
      {"NoRingButMembers", [](Tables& t) { entry(t, kEmpty).member_count = 7; }, kEmpty},
  };
}

lb_service_key strange_family() {
  lb_service_key key = kWeb;
  key.family = 77;
  return key;
}

std::vector<Damage> other_damages() {
  return {
      {"KeyOfNoFamily", [](Tables& t) { t.services[strange_family()] = entry(t, kWeb); }, strange_family()},
      {"BackendOfNoFamily", [](Tables& t) { t.backends.at(find_slot(t, kPod1)).family = 77; }},
      {"BackendFree", [](Tables& t) { t.backends.at(find_slot(t, kPod1)).generation = 0; }},
      {"BackendOfNobody", [](Tables& t) { t.backends.at(find_slot(t, kPod1)).service_id = 29; }},
      {"BackendOfAnother", [](Tables& t) { t.backends.at(find_slot(t, kPod1)).service_id = entry(t, kOther).id; }},
      {"BackendTwice", [](Tables& t) { t.backends[40] = t.backends.at(find_slot(t, kPod1)); }, std::nullopt},
      {"BackendBehindTheMap", [](Tables& t) { t.backends[0xffffffff] = t.backends.at(find_slot(t, kPod1)); },
       std::nullopt},
      {"BackendFlags", [](Tables& t) { t.backends.at(find_slot(t, kPod1)).flags = 0xffffffff; }, std::nullopt},
      {"LastGeneration", [](Tables& t) { t.backends.at(find_slot(t, kPod1)).generation = 0xffffffff; }, std::nullopt},
      {"NameMissing", [](Tables& t) { t.names.erase(entry(t, kWeb).id); }},
      {"NameTwice", [](Tables& t) { t.names[20] = "web"; }, std::nullopt},
      {"NameOfAnother", [](Tables& t) { t.names[entry(t, kWeb).id] = "other"; }, std::nullopt},
      {"NameEmpty", [](Tables& t) { t.names[entry(t, kWeb).id] = ""; }, std::nullopt},
      {"NameBehindTheMap", [](Tables& t) { t.names[0xffffffff] = "far"; }, std::nullopt},
      {"NamesManyIds", [](Tables& t) { t.names[0xfffffff0] = "far"; }, std::nullopt},
      {"FilterUnknownBits", [](Tables& t) { t.filter[9] = 0xf0; }, std::nullopt},
      {"AddressUnknown", [](Tables& t) { t.addresses[test::address("10.9.9.9")] = 0xff; }, std::nullopt},
  };
}

class PlacementAdoptDamage : public PlacementAdopt, public testing::WithParamInterface<Damage> {};

TEST_P(PlacementAdoptDamage, IsLeftOutAndRepaired) {
  GetParam().inflict(actual_);
  restart(kLimits);
  expect_sound();
  EXPECT_FALSE(GetParam().damaged && desired().services.contains(*GetParam().damaged));
  expect_repaired();
}

const auto kNameOf = [](const auto& param) { return param.param.name; };
INSTANTIATE_TEST_SUITE_P(Ring, PlacementAdoptDamage, testing::ValuesIn(ring_damages()), kNameOf);
INSTANTIATE_TEST_SUITE_P(Members, PlacementAdoptDamage, testing::ValuesIn(member_damages()), kNameOf);
INSTANTIATE_TEST_SUITE_P(Other, PlacementAdoptDamage, testing::ValuesIn(other_damages()), kNameOf);

TEST_F(PlacementAdopt, TheOthersAreTakenOverAsTheyAre) {
  const lb_service other = service(kOther);
  entry(actual_, kWeb).ring_offset = 0xffffff00;
  restart(kLimits);
  EXPECT_TRUE(test::same_value(service(kOther), other));
  put_everything();
  for (const Operation& operation : pending())
    EXPECT_EQ(describe(operation).find("2001:db8"), std::string::npos) << describe(operation);
}

class RandomDamage {
 public:
  explicit RandomDamage(test::Random& random) : random_(random) {}

  void inflict(Tables& tables) {
    switch (random_.between(0, 6)) {
      case 0:
        return flip(random_.any_of(tables.services).second);
      case 1:
        return flip(random_.any_of(tables.backends).second);
      case 2:
        return move(tables.services);
      case 3:
        return move(tables.backends);
      case 4:
        return move(tables.names);
      case 5:
        return replace(tables.rings, random_.between(1, 3) * kRing);
      case 6:
        return replace(tables.members, random_.between(0, 5));
    }
  }

 private:
  // One word gets another value, near to a good one or far from it.
  template <class T>
  void flip(T& value) {
    auto* words = reinterpret_cast<std::uint32_t*>(&value);
    std::uint32_t& word = words[random_.between(0, sizeof(T) / 4 - 1)];
    word = random_.one_in(2) ? word ^ 1u << random_.between(0, 31) : random_.between(0, 10) * kRing / 64;
  }
  void flip(std::uint32_t& key) { key ^= 1u << random_.between(0, 31); }

  // The same content under another key, instead or also.
  template <class Content>
  void move(Content& content) {
    const auto [key, value] = random_.any_of(content);
    auto other = key;
    flip(other);
    if (random_.one_in(2)) content.erase(key);
    content[other] = value;
  }

  template <class Content>
  void replace(Content& content, std::size_t size) {
    auto& list = random_.any_of(content).second;
    auto changed = std::remove_cvref_t<decltype(*list)>(*list);
    changed.resize(random_.one_in(3) ? size : changed.size());
    if (!changed.empty()) random_.any_of(changed) = static_cast<std::uint16_t>(random_.between(0, 8));
    list = std::make_shared<decltype(changed)>(std::move(changed));
  }

  test::Random& random_;
};

TEST_F(PlacementAdopt, NoDamageIsTooStrange) {
  test::Random random;
  SCOPED_TRACE(random.seed_text());
  const Tables whole = actual_;
  for (int round = 0; round < 2000 && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    actual_ = whole;
    RandomDamage damage(random);
    for (std::uint32_t left = random.between(1, 5); left; --left)
      damage.inflict(actual_);
    restart(kLimits);
    expect_sound();
    expect_repaired();
  }
}

}  // namespace
}  // namespace fairlead::state
