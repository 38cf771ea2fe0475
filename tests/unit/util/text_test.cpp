// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/text.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace fairlead {
namespace {

TEST(Text, IsTrimmedAtBothSides) {
  EXPECT_EQ(trimmed(" \t a b\r\n"), "a b");
  EXPECT_EQ(trimmed("a"), "a");
  EXPECT_EQ(trimmed(" \n"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Text, IsSplitIntoOnePartMoreThanThereAreSeparators) {
  using Parts = std::vector<std::string>;
  EXPECT_EQ(split("a,b c,", ','), (Parts{"a", "b c", ""}));
  EXPECT_EQ(split("/v1", '/'), (Parts{"", "v1"}));
  EXPECT_EQ(split("v1", '/'), Parts{"v1"});
  EXPECT_EQ(split("", ','), Parts{""});
}

TEST(Text, IsANumberAsAWholeOrNotAtAll) {
  EXPECT_EQ(to_number<std::uint16_t>("65535"), 65535);
  EXPECT_EQ(to_number<int>("-7"), -7);
  for (const char* text : {"", " 1", "1 ", "+1", "1x", "65536", "-1", "0x10"})
    EXPECT_EQ(to_number<std::uint16_t>(text), std::nullopt) << text;
}

}  // namespace
}  // namespace fairlead
