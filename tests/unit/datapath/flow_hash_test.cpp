// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <random>
#include <vector>

#include "maps/abi.h"

// Nobody can choose addresses that fill one set of the flow table: maps/hash.h.
namespace {

using Words = std::array<__be32, 4>;

// 2001:db8:7:0:1:2:3:4 and a VIP, as the words that they are in memory.
constexpr Words kSource{0xb80d0120, 0x00000700, 0x02000100, 0x04000300}, kVip{0xb80d0120, 0x200, 0, 0x01000000};
constexpr std::uint32_t kSetMask = 0xffff;

class FlowHash : public testing::Test {
 protected:
  struct lb_flow_keys keys() {
    const __u64 seed[2] = {random_(), random_()};
    return lb_flow_keys(seed);
  }
  static std::uint64_t hash(const struct lb_flow_keys& keys, const Words& source, int words = 4,
                            std::uint16_t port = 1) {
    return lb_flow_hash(&keys, source.data(), kVip.data(), words, port, 80, LB_IPPROTO_TCP);
  }

  // The most that stand in one set, by their first choice and by their second.
  static std::size_t fullest(const struct lb_flow_keys& keys, const std::vector<Words>& sources, int words) {
    std::map<std::uint32_t, std::size_t> first, second;
    std::size_t most = 0;
    for (const Words& source : sources) {
      const struct lb_flow_place place = lb_flow_place(hash(keys, source, words), kSetMask);
      most = std::max({most, ++first[place.set[0]], ++second[place.set[1]]});
    }
    return most;
  }

  std::mt19937_64 random_{7};
};

// Two bits in one word make up for two in another, where words only go through a chain of multiplications.
TEST_F(FlowHash, HasNoPairsThatAreEqualForEverySeed) {
  Words other = kSource;
  other[1] ^= 0x80000000;
  other[2] ^= 0x80000000;
  other[3] ^= 0x80000000;
  for (int i = 0; i < 10000; ++i) {
    const auto with = keys();
    ASSERT_NE(hash(with, kSource), hash(with, other));
  }
}

// Any one, two or three bits of the source: if one such pair were equal for every seed, it would be for this one.
TEST_F(FlowHash, TellsAllNeighboursApart) {
  const auto with = keys();
  std::vector<std::uint64_t> hashes;
  const auto flip = [](Words words, unsigned bit) {
    words[bit / 32] ^= 1u << bit % 32;
    return words;
  };
  for (unsigned a = 0; a < 128; ++a)
    for (unsigned b = a; b < 128; ++b)
      for (unsigned c = b; c < 128; ++c)
        if ((a == b) == (b == c)) hashes.push_back(hash(with, flip(flip(flip(kSource, a), b), c)));
  std::ranges::sort(hashes);
  EXPECT_EQ(std::ranges::adjacent_find(hashes), hashes.end());
}

struct Sources {
  const char* name;
  int words;
  Words (*make)(std::uint32_t n);
};

const Sources kFamilies[] = {
    {"upper bits of the words", 4,
     [](std::uint32_t n) {
       Words words = kSource;
       words[1] ^= (n & 63) << 26;
       words[3] ^= (n >> 6) << 26;
       words[2] ^= (n >> 6) << 26;
       return words;
     }},
    {"one after the other", 4,
     [](std::uint32_t n) {
       Words words = kSource;
       words[3] = __builtin_bswap32(n);
       return words;
     }},
    {"prefixes", 4,
     [](std::uint32_t n) {
       Words words = kSource;
       words[1] = n << 16;
       return words;
     }},
    {"the same change in two words", 4,
     [](std::uint32_t n) {
       Words words = kSource;
       words[2] += n << 12;
       words[3] -= n << 12;
       return words;
     }},
    {"IPv4, one after the other", 1, [](std::uint32_t n) { return Words{__builtin_bswap32(0x64400000 + n)}; }},
    {"IPv4, upper bits", 1, [](std::uint32_t n) { return Words{n << 20}; }},
};

// 4,096 of 65,536 sets: chance alone puts four or five into one of them.
TEST_F(FlowHash, SpreadsEveryFamilyOfSources) {
  for (const Sources& family : kFamilies) {
    std::vector<Words> sources;
    for (std::uint32_t n = 0; n < 4096; ++n)
      sources.push_back(family.make(n));
    for (int i = 0; i < 20; ++i)
      EXPECT_LE(fullest(keys(), sources, family.words), 7U) << family.name;
  }
}

// The two choices of a key, and its gate, say nothing of each other.
TEST_F(FlowHash, MakesChoicesThatAreIndependent) {
  const auto with = keys();
  std::size_t equal = 0, gates = 0;
  for (std::uint32_t n = 0; n < 65536; ++n) {
    const std::uint64_t value = hash(with, Words{n << 8, 0, 0, n}, 4, static_cast<std::uint16_t>(n));
    const struct lb_flow_place place = lb_flow_place(value, 0xff);
    equal += place.set[0] == place.set[1];
    gates += lb_flow_gate(value) % 256 == place.set[0];
  }
  EXPECT_NEAR(static_cast<double>(equal), 256, 100);
  EXPECT_NEAR(static_cast<double>(gates), 256, 100);
}

}  // namespace
