// SPDX-License-Identifier: Apache-2.0
#include "userspace/compile/maglev.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <string>

#include "maps/limits.h"
#include "tests/support/random.h"
#include "tests/support/shell.h"

namespace fairlead::compile {
namespace {

std::uint64_t fnv(const void* data, std::size_t size) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (std::size_t i = 0; i < size; ++i)
    hash = (hash ^ static_cast<const std::uint8_t*>(data)[i]) * 0x100000001b3ull;
  return hash;
}

// Backend number i of a cluster, and another one in every other cluster.
RingMember member(std::uint32_t cluster, std::uint32_t i, std::uint32_t weight = 1) {
  const std::string endpoint = std::to_string(cluster) + "/10.0.0.0+" + std::to_string(i) + ":80";
  return {fnv(endpoint.data(), endpoint.size()), weight};
}

std::vector<RingMember> cluster_of(std::uint32_t count, std::uint32_t cluster = 0,
                                   const std::vector<std::uint32_t>& weights = {1}) {
  std::vector<RingMember> members;
  for (std::uint32_t i = 0; i < count; ++i)
    members.push_back(member(cluster, i, weights[i % weights.size()]));
  return members;
}

std::vector<std::uint32_t> slots_each(const std::vector<std::uint16_t>& ring, std::size_t members) {
  std::vector<std::uint32_t> counts(members);
  for (const std::uint16_t slot : ring)
    ++counts.at(slot);
  return counts;
}

// Who has each slot, by identity: what a ring means whatever the order of the members.
std::vector<std::uint64_t> owners(const std::vector<RingMember>& members, std::uint32_t slots) {
  std::vector<std::uint64_t> result;
  for (const std::uint16_t slot : fill_ring(members, slots))
    result.push_back(members.at(slot).identity);
  return result;
}

class MaglevBalance : public testing::TestWithParam<std::uint32_t> {};

TEST_P(MaglevBalance, TheBusiestIsWithinAPercentOfTheMean) {
  const std::uint32_t backends = GetParam(), slots = ring_slots(backends);
  ASSERT_GE(slots / backends, LB_RING_SLOTS_PER_BACKEND);
  const auto counts = slots_each(fill_ring(cluster_of(backends), slots), backends);
  const double mean = static_cast<double>(slots) / backends;
  EXPECT_LE(*std::max_element(counts.begin(), counts.end()) / mean, 1.01);
  EXPECT_GE(*std::min_element(counts.begin(), counts.end()) / mean, 0.99);
}

INSTANTIATE_TEST_SUITE_P(Backends, MaglevBalance, testing::Values(1, 2, 3, 10, 99, 100, 163, 164, 327, 500, 655));

class MaglevWeights : public testing::TestWithParam<std::vector<std::uint32_t>> {};

TEST_P(MaglevWeights, SharesAreInProportion) {
  const std::vector<RingMember> members = cluster_of(60, 1, GetParam());
  const double total = std::accumulate(members.begin(), members.end(), 0.0,
                                       [](double sum, const RingMember& each) { return sum + each.weight; });
  const auto counts = slots_each(fill_ring(members, LB_RING_MAX_SLOTS), members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    const double expected = members[i].weight / total * LB_RING_MAX_SLOTS;
    EXPECT_LE(std::abs(counts[i] - expected), std::max(2.0, expected * 0.01)) << "weight " << members[i].weight;
  }
}

using Weights = std::vector<std::uint32_t>;
INSTANTIATE_TEST_SUITE_P(Of, MaglevWeights,
                         testing::Values(Weights{1, 1}, Weights{1, 2}, Weights{1, 2, 5, 10}, Weights{100, 99, 1},
                                         Weights{1000000, 500000, 2000000}, Weights{0, 3, 4}, Weights{0xffffffff, 1}));

TEST(Maglev, OnlyProportionsOfWeightsMatter) {
  EXPECT_EQ(fill_ring(cluster_of(20, 0, {1, 2, 3}), 4096), fill_ring(cluster_of(20, 0, {7, 14, 21}), 4096));
}

TEST(Maglev, WeightZeroGetsNothing) {
  const auto counts = slots_each(fill_ring(cluster_of(10, 0, {1, 0}), 1024), 10);
  for (std::size_t i = 0; i < 10; ++i)
    EXPECT_EQ(counts[i] == 0, i % 2 == 1) << i;
}

TEST(Maglev, WithoutWeightThereIsNoRing) {
  EXPECT_TRUE(fill_ring({}, 256).empty());
  EXPECT_TRUE(fill_ring(cluster_of(3, 0, {0}), 256).empty());
}

// Share of the slots of those who stay that have another owner afterwards, when member `gone` leaves.
double disruption(const std::vector<RingMember>& members, const std::vector<std::uint64_t>& before, std::size_t gone) {
  std::vector<RingMember> left = members;
  left.erase(left.begin() + static_cast<std::ptrdiff_t>(gone));
  const auto after = owners(left, static_cast<std::uint32_t>(before.size()));
  std::uint32_t others = 0, moved = 0;
  for (std::size_t slot = 0; slot < before.size(); ++slot) {
    if (before[slot] == members[gone].identity) continue;
    ++others;
    moved += before[slot] != after[slot];
  }
  return static_cast<double>(moved) / others;
}

TEST(Maglev, WhoeverLeavesTheOthersKeepTheirSlots) {
  test::Random random;
  SCOPED_TRACE(random.seed_text());
  const std::vector<RingMember> members = cluster_of(100, random.between(0, 0xffffffff));
  const auto before = owners(members, 16384);
  double sum = 0, worst = 0;
  for (std::size_t gone = 0; gone < members.size(); ++gone) {
    const double moved = disruption(members, before, gone);
    sum += moved;
    worst = std::max(worst, moved);
  }
  EXPECT_LE(sum / 100, 0.02);
  EXPECT_LE(worst, 0.03);
}

TEST(Maglev, ANewcomerTakesItsShareAndLittleElse) {
  std::vector<RingMember> members = cluster_of(100);
  const auto before = owners(members, 16384);
  members.push_back(member(7, 7));
  const auto after = owners(members, 16384);
  std::uint32_t moved_among_old = 0;
  for (std::size_t slot = 0; slot < before.size(); ++slot)
    moved_among_old += after[slot] != before[slot] && after[slot] != members.back().identity;
  EXPECT_LE(moved_among_old, 16384 * 0.03);
}

TEST(Maglev, TheOrderOfMembersDoesNotMatter) {
  test::Random random;
  SCOPED_TRACE(random.seed_text());
  std::vector<RingMember> members = cluster_of(50, 3, {1, 2, 3, 0});
  const auto before = owners(members, 8192);
  for (int round = 0; round < 10; ++round) {
    for (std::uint32_t i = 49; i > 0; --i)
      std::swap(members[i], members[random.between(0, i)]);
    EXPECT_EQ(owners(members, 8192), before);
  }
}

TEST(Maglev, EverySlotIsFilledWhateverTheNumbers) {
  for (const std::uint32_t backends : {1u, 255u, 256u, 257u, 1000u}) {
    const auto ring = fill_ring(cluster_of(backends), 256);
    ASSERT_EQ(ring.size(), 256u);
    for (const std::uint16_t slot : ring)
      EXPECT_LT(slot, backends);
  }
}

TEST(Maglev, AsManyMembersAsSlots) {
  const auto counts = slots_each(fill_ring(cluster_of(65535), LB_RING_MAX_SLOTS), 65535);
  EXPECT_EQ(*std::min_element(counts.begin(), counts.end()), 1u);
  EXPECT_EQ(*std::max_element(counts.begin(), counts.end()), 2u);
}

TEST(Maglev, RingSlotsAreAPowerOfTwoWithinTheAbisBounds) {
  const std::map<std::size_t, std::uint32_t> expected = {
      {0, 256},     {1, 256},     {2, 256},     {3, 512},      {40, 4096},     {41, 8192},        {163, 16384},
      {164, 32768}, {655, 65536}, {656, 65536}, {5000, 65536}, {65535, 65536}, {1u << 30, 65536}, {1ull << 40, 65536},
  };
  for (const auto& [backends, slots] : expected)
    EXPECT_EQ(ring_slots(backends), slots) << backends;
}

std::uint64_t digest_of_a_ring() {
  const auto ring = fill_ring(cluster_of(100, 0, {1, 2, 3, 0}), 16384);
  return fnv(ring.data(), ring.size() * sizeof(ring[0]));
}

// Nodes of one cluster run different versions while they are upgraded, and they must choose alike: a ring that changes
// moves every connection that changes its node meanwhile. If this test fails, the algorithm has changed. Do not adjust
// the number; unless that is what you want, and then the release notes must say that connections move.
TEST(Maglev, TheAlgorithmIsPartOfTheProtocolBetweenNodes) {
  const std::uint64_t digest = digest_of_a_ring();
  std::printf("ring digest %016" PRIx64 "\n", digest);
  EXPECT_EQ(digest, 0x46be2ca6752f8098u);
}

// The digest that another process prints, which has other addresses and hash seeds.
std::string digest_elsewhere() {
  std::array<char, 4096> path{};
  if (readlink("/proc/self/exe", path.data(), path.size() - 1) < 0) return "no /proc/self/exe";
  const std::string command =
      "'" + std::string(path.data()) + "' --gtest_filter=Maglev.TheAlgorithmIsPartOfTheProtocolBetweenNodes";
  return test::in_shell(command).out;
}

TEST(Maglev, AnotherProcessHasTheSameRing) {
  char line[64];
  std::snprintf(line, sizeof(line), "ring digest %016" PRIx64 "\n", digest_of_a_ring());
  for (int process = 0; process < 3; ++process)
    EXPECT_THAT(digest_elsewhere(), testing::HasSubstr(line));
}

}  // namespace
}  // namespace fairlead::compile
