// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/delta.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/random.h"
#include "tests/support/specs.h"
#include "tests/support/tables.h"

namespace fairlead::state {
namespace {

constexpr std::uint32_t kServices = 12;
constexpr std::uint32_t kVersions = 4;
constexpr std::uint32_t kBackendsEach = 6;

lb_service_key frontend(std::uint32_t id) {
  return test::tcp("10.96.0." + std::to_string(id + 1), 80);
}

// Which service exists in which version: a version has its own ring, member list and backends, because what is
// published is never written over.
struct World {
  std::vector<std::optional<std::uint32_t>> versions;
  std::uint32_t backend_flags = 0;  // bit by bit of the backends: draining or not
};

World some_world(test::Random& random) {
  World world;
  for (std::uint32_t id = 0; id < kServices; ++id)
    world.versions.push_back(random.one_in(3) ? std::nullopt : std::optional(random.between(0, kVersions - 1)));
  world.backend_flags = random.between(0, 0xffffffff);
  return world;
}

std::vector<std::uint32_t> slots_of(std::uint32_t id, std::uint32_t version) {
  std::vector<std::uint32_t> slots;
  for (std::uint32_t i = 0; i < kBackendsEach; ++i)
    if ((version + i) % kVersions != 0) slots.push_back(id * kBackendsEach + i);
  return slots;
}

void add_service(Tables& tables, std::uint32_t id, std::uint32_t version, std::uint32_t backend_flags) {
  const lb_service_key key = frontend(id);
  const auto slots = slots_of(id, version);
  for (const std::uint32_t slot : slots)
    tables.backends[slot] = {.addr = key.addr,
                             .port = static_cast<__be16>(slot),
                             .proto = key.proto,
                             .family = key.family,
                             .generation = slot + 1,
                             .flags = backend_flags >> slot % 32 & 1 ? LB_BACKEND_DRAINING : 0,
                             .service_id = id,
                             .hop = {},
                             .mtu = 0,
                             .source = 0,
                             .pad = {}};
  const std::uint32_t ring = (id * kVersions + version) * LB_RING_MIN_SLOTS, list = (id * kVersions + version) * 8;
  tables.names[id] = "test/service-" + std::to_string(id) + "-" + std::to_string(version);
  tables.rings[ring] = test::round_robin(slots.size());
  tables.members[list] = std::make_shared<const std::vector<std::uint32_t>>(slots);
  tables.services[key] = {id, 0, ring, LB_RING_MIN_SLOTS, list, static_cast<std::uint32_t>(slots.size())};
  tables.addresses[{key.addr, key.family}] = version % 2 ? LB_ADDRESS_VIP : LB_ADDRESS_NODEPORT;
  tables.filter[filter_bucket(key.addr, key.family)] |= version % 2 ? LB_CLASS_VIP : LB_CLASS_NODE;
}

Tables tables_of(const World& world) {
  Tables tables;
  for (std::uint32_t id = 0; id < kServices; ++id)
    if (const auto version = world.versions[id]) add_service(tables, id, *version, world.backend_flags);
  return tables;
}

Touched all_of(const Tables& a, const Tables& b) {
  Touched touched;
  touched.add_all(a);
  touched.add_all(b);
  return touched;
}

template <class Content, class Key>
bool has_equal(const Content& content, const Content& desired, const Key& key) {
  const auto have = content.find(key), want = desired.find(key);
  return have != content.end() && test::same_value(have->second, want->second);
}

// What a packet for this frontend meets, address and entry, is as it is desired.
bool is_served(const Tables& tables, const Tables& desired, const lb_service_key& key) {
  return has_equal(tables.services, desired.services, key) &&
         has_equal(tables.addresses, desired.addresses, lb_address_key{key.addr, key.family});
}

std::uint8_t bits(const Tables& tables, std::uint32_t bucket) {
  const auto it = tables.filter.find(bucket);
  return it == tables.filter.end() ? 0 : it->second;
}

// A bucket is opened only after all that it leads to is there.
testing::AssertionResult opens_last(const Tables& before, const Tables& after, const Tables& desired) {
  for (const auto& [key, service] : desired.services) {
    const std::uint32_t bucket = filter_bucket(key.addr, key.family);
    if (bits(after, bucket) & ~bits(before, bucket) && !is_served(after, desired, key))
      return testing::AssertionFailure() << "bucket opened before " << describe(key);
  }
  return testing::AssertionSuccess();
}

template <class Content, class Key>
bool has_lost(const Content& before, const Content& after, const Key& key) {
  return before.contains(key) && !after.contains(key);
}

// What it leads to goes only after all bits that are not desired have been closed.
testing::AssertionResult closes_first(const Tables& before, const Tables& after, const Tables& desired) {
  for (std::uint32_t id = 0; id < kServices; ++id) {
    const lb_service_key key = frontend(id);
    const std::uint32_t bucket = filter_bucket(key.addr, key.family);
    const bool lost = has_lost(before.services, after.services, key) ||
                      has_lost(before.addresses, after.addresses, lb_address_key{key.addr, key.family});
    if (lost && bits(after, bucket) != bits(desired, bucket))
      return testing::AssertionFailure() << "bucket still open without " << describe(key);
  }
  return testing::AssertionSuccess();
}

TEST(Delta, NoWriteLeavesAReferenceToNothing) {
  test::Random random;
  SCOPED_TRACE(random.seed_text());
  for (int round = 0; round < 200 && !testing::Test::HasFailure(); ++round) {
    Tables actual = tables_of(some_world(random));
    const Tables desired = tables_of(some_world(random));
    ASSERT_TRUE(test::all_followable(actual));
    for (const Operation& operation : diff(desired, actual, all_of(desired, actual))) {
      SCOPED_TRACE(describe(operation));
      const Tables before = actual;
      apply(actual, operation);
      EXPECT_TRUE(test::all_followable(actual));
      EXPECT_TRUE(opens_last(before, actual, desired));
      EXPECT_TRUE(closes_first(before, actual, desired));
    }
    EXPECT_TRUE(test::same_tables(actual, desired));
    EXPECT_TRUE(diff(desired, actual, all_of(desired, actual)).empty());
  }
}

// What goes makes room for what comes, in maps that have none.
TEST(Delta, FullMapsNeverHoldMoreThanTheyCan) {
  test::Random random;
  SCOPED_TRACE(random.seed_text());
  for (int round = 0; round < 200 && !testing::Test::HasFailure(); ++round) {
    Tables actual = tables_of(some_world(random));
    const Tables desired = tables_of(some_world(random));
    Limits limits = kNoLimits;
    limits.frontends = static_cast<std::uint32_t>(std::max(actual.services.size(), desired.services.size()));
    limits.addresses = static_cast<std::uint32_t>(std::max(actual.addresses.size(), desired.addresses.size()));
    if (random.one_in(3)) (random.one_in(2) ? limits.frontends : limits.addresses) = ~0u;
    for (const Operation& operation : diff(desired, actual, all_of(desired, actual), limits)) {
      SCOPED_TRACE(describe(operation));
      const Tables before = actual;
      apply(actual, operation);
      EXPECT_LE(actual.services.size(), limits.frontends);
      EXPECT_LE(actual.addresses.size(), limits.addresses);
      EXPECT_TRUE(test::all_followable(actual));
      EXPECT_TRUE(opens_last(before, actual, desired));
    }
    EXPECT_TRUE(test::same_tables(actual, desired));
  }
}

// With room for both, what is replaced is never missing.
TEST(Delta, WhatComesIsThereBeforeWhatGoes) {
  Tables actual, desired;
  add_service(actual, 1, 1, 0);
  add_service(desired, 2, 1, 0);
  Limits limits = kNoLimits;
  limits.frontends = limits.addresses = 2;
  for (const Operation& operation : diff(desired, actual, all_of(desired, actual), limits)) {
    apply(actual, operation);
    EXPECT_NE(actual.services.size(), 0u) << describe(operation);
  }
}

// A daemon that dies after any of the writes, or whose next write fails, starts the next diff from there.
TEST(Delta, EveryPrefixIsAStartingPoint) {
  test::Random random;
  SCOPED_TRACE(random.seed_text());
  const Tables first = tables_of(some_world(random)), second = tables_of(some_world(random));
  const auto operations = diff(second, first, all_of(first, second));
  for (std::size_t done = 0; done <= operations.size(); ++done) {
    Tables actual = first;
    std::for_each_n(operations.begin(), done, [&](const Operation& operation) { apply(actual, operation); });
    for (const Operation& operation : diff(second, actual, all_of(second, actual)))
      apply(actual, operation);
    ASSERT_TRUE(test::same_tables(actual, second)) << "after " << done << " writes";
  }
}

TEST(Delta, UntouchedKeysAreNotLookedAt) {
  Tables desired, actual;
  add_service(desired, 1, 0, 0);
  add_service(desired, 2, 0, 0);
  add_service(actual, 3, 0, 0);
  EXPECT_TRUE(diff(desired, actual, {}).empty());

  Tables only_two;
  add_service(only_two, 2, 0, 0);
  Touched touched;
  touched.add_all(only_two);
  for (const Operation& operation : diff(desired, actual, touched))
    apply(actual, operation);
  Tables expected;
  add_service(expected, 2, 0, 0);
  add_service(expected, 3, 0, 0);
  EXPECT_TRUE(test::same_tables(actual, expected));
}

TEST(Delta, EqualContentNeedsNoWrite) {
  Tables desired, actual;
  add_service(desired, 1, 2, 0);
  add_service(actual, 1, 2, 0);  // other ring and member objects, with the same content
  EXPECT_TRUE(diff(desired, actual, all_of(desired, actual)).empty());
}

TEST(Delta, EachTableIsComparedByContent) {
  Tables actual;
  add_service(actual, 1, 1, 0);
  actual.devices[2] = {};
  const auto differs = [&](auto change) {
    Tables desired = actual;
    change(desired);
    return diff(desired, actual, all_of(desired, actual)).size();
  };
  EXPECT_EQ(differs([](Tables& t) { t.services.begin()->second.flags = LB_SERVICE_DROP; }), 1u);
  EXPECT_EQ(differs([](Tables& t) { t.addresses.begin()->second = 0; }), 1u);
  EXPECT_EQ(differs([](Tables& t) { t.names.begin()->second += "x"; }), 1u);
  EXPECT_EQ(differs([](Tables& t) { t.backends.begin()->second.generation += 1; }), 1u);
  EXPECT_EQ(differs([](Tables& t) { t.rings.begin()->second = test::round_robin(1); }), 1u);
  EXPECT_EQ(differs([](Tables& t) { t.members.begin()->second = std::make_shared<std::vector<std::uint32_t>>(1); }),
            1u);
  EXPECT_EQ(differs([](Tables& t) { t.filter.begin()->second |= LB_CLASS_BACKEND; }), 1u);
  EXPECT_EQ(differs([](Tables& t) { t.devices.begin()->second.flags = LB_DEVICE_XDP_REDIRECT; }), 1u);
}

TEST(Delta, ADeviceGoesFirstWhereTheNextHasNoRoomBesideIt) {
  Tables actual, desired;
  for (std::uint32_t ifindex = 1; ifindex <= ToDevices::kRoom; ++ifindex)
    actual.devices[ifindex] = desired.devices[ifindex + 1] = {};
  const auto operations = diff(desired, actual, all_of(desired, actual));
  ASSERT_EQ(operations.size(), 2u);
  EXPECT_FALSE(std::get<Write<ToDevices>>(operations[0]).value);
  EXPECT_TRUE(std::get<Write<ToDevices>>(operations[1]).value);
}

TEST(Delta, TouchMarksTheWritesKeyForTheNextDiff) {
  Tables desired;
  add_service(desired, 1, 0, 0);
  Touched again;
  EXPECT_TRUE(again.empty());
  for (const Operation& operation : diff(desired, {}, all_of(desired, {})))
    touch(again, operation);
  EXPECT_FALSE(again.empty());
  Tables actual;
  for (const Operation& operation : diff(desired, actual, again))
    apply(actual, operation);
  EXPECT_TRUE(test::same_tables(actual, desired));
}

TEST(Delta, DescribesWhatIsWritten) {
  EXPECT_EQ(describe(Operation(Write<ToServices>{test::tcp("192.0.2.1", 80), lb_service{}})),
            "lb_services 192.0.2.1:80/TCP");
  EXPECT_EQ(describe(Operation(Write<ToServices>{test::nodeport(30080), std::nullopt})),
            "lb_services nodeport 30080/TCP/IPv4");
  EXPECT_EQ(describe(Operation(Write<ToDevices>{3, lb_device{}})), "lb_devices 3");
  EXPECT_EQ(describe(Operation(Write<ToAddresses>{test::address("2001:db8::1"), 1})), "lb_addresses 2001:db8::1");
  EXPECT_EQ(describe(Operation(Write<ToBackends>{7, std::nullopt})), "lb_backends 7");
}

TEST(Delta, DescribesADamagedKeyToo) {
  lb_service_key key = test::tcp("192.0.2.1", 80);
  key.family = 77;
  key.proto = 99;
  EXPECT_NE(describe(Operation(Write<ToServices>{key, std::nullopt})).find(":80/99"), std::string::npos);
}

}  // namespace
}  // namespace fairlead::state
