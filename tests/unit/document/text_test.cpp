// SPDX-License-Identifier: Apache-2.0
#include "userspace/document/text.h"

#include <gtest/gtest.h>

namespace fairlead::document {
namespace {

TEST(Text, ErrorsPointAtLineAndColumn) {
  EXPECT_EQ(error_at("ab\ncd\n", 0, "").place(), "document 1, line 1, column 1");
  EXPECT_EQ(error_at("ab\ncd\n", 4, "").place(), "document 1, line 2, column 2");
  EXPECT_EQ(error_at("ab\ncd\n", 99, "").place(), "document 1, line 3, column 1");
}

TEST(Text, IsUtf8WithoutControlCharacters) {
  EXPECT_FALSE(find_non_text("a: \"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"\t\r\n"));
  for (const char* bytes :
       {"a\xff", "a\xc0\xaf", "a\xed\xa0\x80", "a\xe2\x82", "a\xf4\x90\x80\x80", "a\x80", "a\x01"}) {
    const auto error = find_non_text(bytes);
    ASSERT_TRUE(error) << bytes;
    EXPECT_EQ(error->column, 2u) << bytes;
  }
  EXPECT_TRUE(find_non_text(std::string_view("a\0b", 3)));
}

TEST(Text, IsCutBetweenCharacters) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "abc...");
  EXPECT_EQ(shortened("ab\xe2\x82\xac", 3), "ab...");
  EXPECT_EQ(shortened("one\ntwo\x1b[0m"), "one two [0m") << "what somebody wrote must not forge lines of a log";
}

}  // namespace
}  // namespace fairlead::document
