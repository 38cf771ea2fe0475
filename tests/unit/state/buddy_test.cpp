// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/buddy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>

#include "tests/support/random.h"

namespace fairlead::state {
namespace {

constexpr std::uint32_t kCapacity = 1024;
constexpr std::uint32_t kSmallest = 4;

// Knows of each unit whether it is taken, and finds everything else by looking.
class NaiveArena {
 public:
  static std::uint32_t rounded(std::uint32_t units) { return std::bit_ceil(std::max(units, kSmallest)); }

  bool is_free(std::uint32_t offset, std::uint32_t size) const {
    return std::none_of(taken_.begin() + offset, taken_.begin() + offset + size, [](bool taken) { return taken; });
  }

  // Where a block of this size goes: into the smallest of the largest free blocks, there the lowest.
  std::optional<std::uint32_t> place_for(std::uint32_t units) const {
    for (std::uint32_t size = rounded(units); size <= kCapacity; size *= 2)
      for (std::uint32_t offset = 0; offset < kCapacity; offset += size) {
        const std::uint32_t parent = offset & ~(2 * size - 1);
        const bool is_largest = size == kCapacity || !is_free(parent, 2 * size);
        if (is_largest && is_free(offset, size)) return offset;
      }
    return std::nullopt;
  }

  void mark(std::uint32_t offset, std::uint32_t units, bool taken) {
    std::fill_n(taken_.begin() + offset, rounded(units), taken);
  }

  std::uint32_t used() const { return static_cast<std::uint32_t>(std::count(taken_.begin(), taken_.end(), true)); }

 private:
  std::vector<bool> taken_ = std::vector<bool>(kCapacity);
};

class BuddyAgainstModel : public testing::Test {
 protected:
  void allocate(std::uint32_t units) {
    const auto expected = model_.place_for(units);
    const auto offset = arena_.allocate(units);
    ASSERT_EQ(offset, expected) << units << " units";
    if (offset) keep(*offset, units);
  }

  void reserve(std::uint32_t offset, std::uint32_t units) {
    const std::uint32_t size = NaiveArena::rounded(units);
    const bool possible = offset % size == 0 && offset + size <= kCapacity && model_.is_free(offset, size);
    ASSERT_EQ(arena_.reserve(offset, units), possible) << units << " units at " << offset;
    if (possible) keep(offset, units);
  }

  void release(std::uint32_t offset) {
    const std::uint32_t units = blocks_.at(offset);
    arena_.release(offset, units);
    model_.mark(offset, units, false);
    blocks_.erase(offset);
  }

  void keep(std::uint32_t offset, std::uint32_t units) {
    model_.mark(offset, units, true);
    blocks_[offset] = units;
  }

  // Sizes are powers of two, neighbours of them and anything between, small ones more often.
  std::uint32_t some_units() { return random_.between(1, 1u << random_.between(1, 8)); }

  test::Random random_;
  BuddyAllocator arena_{kCapacity, kSmallest};
  NaiveArena model_;
  std::map<std::uint32_t, std::uint32_t> blocks_;  // offset -> units asked for
};

TEST_F(BuddyAgainstModel, DoesWhatAnArrayOfUnitsDoes) {
  SCOPED_TRACE(random_.seed_text());
  for (int step = 0; step < 20000 && !HasFatalFailure(); ++step) {
    const std::uint32_t choice = random_.between(0, 9);
    if (choice < 4)
      allocate(some_units());
    else if (choice < 6)
      reserve(random_.between(0, kCapacity / kSmallest) * kSmallest, some_units());
    else if (!blocks_.empty())
      release(random_.any_of(blocks_).first);
    ASSERT_EQ(arena_.used(), model_.used());
  }
}

TEST(Buddy, AlignsABlockToItsSize) {
  BuddyAllocator arena(kCapacity, kSmallest);
  EXPECT_EQ(arena.allocate(1), 0u);
  EXPECT_EQ(arena.allocate(64), 64u);
  EXPECT_EQ(arena.allocate(5), 8u);  // takes 8
  EXPECT_EQ(arena.used(), 4u + 64u + 8u);
}

TEST(Buddy, RefusesWhatDoesNotFit) {
  BuddyAllocator arena(kCapacity, kSmallest);
  EXPECT_FALSE(arena.allocate(kCapacity + 1));
  EXPECT_FALSE(arena.allocate(0xffffffff));
  EXPECT_EQ(arena.allocate(kCapacity), 0u);
  EXPECT_FALSE(arena.allocate(1));
  EXPECT_EQ(arena.used(), kCapacity);
}

TEST(Buddy, AFragmentedHalfIsNotAHalf) {
  BuddyAllocator arena(kCapacity, kSmallest);
  for (std::uint32_t offset = 0; offset < kCapacity; offset += kSmallest)
    ASSERT_EQ(arena.allocate(kSmallest), offset);
  for (std::uint32_t offset = 0; offset < kCapacity; offset += 2 * kSmallest)
    arena.release(offset, kSmallest);
  EXPECT_EQ(arena.used(), kCapacity / 2);
  EXPECT_FALSE(arena.allocate(2 * kSmallest));
  EXPECT_TRUE(arena.allocate(kSmallest));
}

TEST(Buddy, JoinsFreedNeighboursInAnyOrder) {
  BuddyAllocator arena(32, kSmallest);
  for (int block = 0; block < 8; ++block)
    ASSERT_TRUE(arena.allocate(kSmallest));
  for (const std::uint32_t offset : {12u, 28u, 0u, 20u, 4u, 24u, 16u, 8u})
    arena.release(offset, kSmallest);
  EXPECT_EQ(arena.used(), 0u);
  EXPECT_EQ(arena.allocate(32), 0u);
}

TEST(Buddy, ReservesOnlyWhatIsWhollyFreeAlignedAndInRange) {
  BuddyAllocator arena(kCapacity, kSmallest);
  ASSERT_TRUE(arena.reserve(64, 64));
  EXPECT_FALSE(arena.reserve(64, 64)) << "taken";
  EXPECT_FALSE(arena.reserve(96, 8)) << "inside a taken block";
  EXPECT_FALSE(arena.reserve(0, 128)) << "around a taken block";
  EXPECT_FALSE(arena.reserve(136, 16)) << "not aligned";
  EXPECT_FALSE(arena.reserve(kCapacity, 1)) << "behind the end";
  EXPECT_FALSE(arena.reserve(0xfffffffc, 8)) << "wraps around";
  EXPECT_FALSE(arena.reserve(0, 0xffffffff)) << "larger than everything";
  EXPECT_EQ(arena.used(), 64u);
  EXPECT_TRUE(arena.reserve(0, 64));
  EXPECT_TRUE(arena.reserve(kCapacity - kSmallest, 1));
}

TEST(Buddy, AReservedBlockIsReleasedLikeAnAllocatedOne) {
  BuddyAllocator arena(kCapacity, kSmallest);
  ASSERT_TRUE(arena.reserve(512, 100));
  EXPECT_EQ(arena.used(), 128u);
  EXPECT_FALSE(arena.allocate(kCapacity));
  arena.release(512, 100);
  EXPECT_EQ(arena.allocate(kCapacity), 0u);
}

}  // namespace
}  // namespace fairlead::state
