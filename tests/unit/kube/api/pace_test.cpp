// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/api/pace.h"

#include <gtest/gtest.h>

#include "userspace/kube/api/version.h"

namespace fairlead::kube {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToItsLimitAndVaries) {
  std::mt19937 random(1);
  Backoff backoff({100ms, 1s});
  std::set<Clock::duration> seen;
  for (const auto whole : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    const auto wait = backoff.next(random);
    EXPECT_GE(wait, whole / 2);
    EXPECT_LE(wait, whole);
    seen.insert(wait);
  }
  EXPECT_EQ(seen.size(), 6u);
  backoff.reset();
  EXPECT_LE(backoff.next(random), 100ms);
}

TEST(TokenBucket, LetsABurstThroughAndThenItsRate) {
  TokenBucket bucket(10, 3);
  const Clock::time_point begin{1h};
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(bucket.take(begin), 0s);
  EXPECT_EQ(bucket.take(begin), 100ms);
  EXPECT_EQ(bucket.take(begin), 200ms);
  EXPECT_EQ(bucket.take(begin + 200ms), 100ms);
  EXPECT_EQ(bucket.take(begin + 400ms), 0s);
  // A long pause gives no more than a burst.
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(bucket.take(begin + 1h), 0s);
  EXPECT_EQ(bucket.take(begin + 1h), 100ms);
}

TEST(Version, ComparesAsNumbersThatGrow) {
  EXPECT_TRUE(is_older("9", "10"));
  EXPECT_TRUE(is_older("18446744073709551614", "18446744073709551615"));
  EXPECT_FALSE(is_older("10", "10"));
  EXPECT_FALSE(is_older("10", "9"));
}

TEST(Version, SaysNothingOfOtherTexts) {
  for (const char* text : {"", "0", "007", "1x", "-1"}) {
    EXPECT_FALSE(is_older(text, "100")) << text;
    EXPECT_FALSE(is_older("100", text)) << text;
  }
}

}  // namespace
}  // namespace fairlead::kube
