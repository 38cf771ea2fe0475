// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/timestamp.h"

#include <gtest/gtest.h>

namespace fairlead {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::system_clock::time_point kTime{1767323045s};  // 2026-01-02T03:04:05Z

TEST(Timestamp, ReadsWhatKubernetesWrites) {
  EXPECT_EQ(parse_timestamp("2026-01-02T03:04:05Z"), kTime);
  EXPECT_EQ(parse_timestamp("2026-01-02T03:04:05.6Z"), kTime + 600ms);
  EXPECT_EQ(parse_timestamp("2026-01-02T03:04:05.123456789Z"), kTime + 123456789ns);
  EXPECT_EQ(parse_timestamp("2026-01-02T05:04:05+02:00"), kTime);
  EXPECT_EQ(parse_timestamp("2026-01-01T22:04:05-05:00"), kTime);
}

TEST(Timestamp, ReadsNothingElse) {
  for (const char* text : {"", "now", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02T03:04:05.Z",
                           "2026-01-02T03:04:05Z ", "2026-13-02T03:04:05Z", "99999-01-02T03:04:05Z", "1767323045"})
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
  EXPECT_EQ(parse_timestamp(std::string("2026-01-02T03:04:05Z\0", 21)), std::nullopt);
}

TEST(Timestamp, WritesWhatItReads) {
  EXPECT_EQ(format_timestamp(kTime), "2026-01-02T03:04:05Z");
  EXPECT_EQ(parse_timestamp(format_timestamp(kTime)), kTime);
}

}  // namespace
}  // namespace fairlead
