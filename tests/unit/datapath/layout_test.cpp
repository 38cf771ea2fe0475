// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::datapath {
namespace {

using testing::HasSubstr;

constexpr const char* kText =
    "map array flags 1024 entries 1\n"
    "key 4\n"
    ". 0 u32\n"
    "value 16\n"
    "head.seq 0 u32\n"
    "head.sport 4 be16\n"
    "name 8 u8 x8\n";

TEST(LayoutText, SaysTheSameWhenReadAndPrinted) {
  const auto layout = parse_layout(kText);
  ASSERT_TRUE(layout) << layout.error().message;
  EXPECT_EQ(layout->type, "array");
  EXPECT_EQ(layout->flags, 1024U);
  EXPECT_EQ(layout->entries, 1U);
  EXPECT_EQ(layout->key, (Record{4, {{".", 0, 4, false, 1}}}));
  EXPECT_EQ(layout->value,
            (Record{16, {{"head.seq", 0, 4, false, 1}, {"head.sport", 4, 2, true, 1}, {"name", 8, 1, false, 8}}}));
  EXPECT_EQ(to_text(*layout), kText);
}

TEST(LayoutText, NamesTheLineThatIsDamaged) {
  const std::string head = "map hash flags 0 entries 1\n", key = "key 4\n. 0 u32\n";
  const struct {
    std::string text, says;
  } kRows[] = {
      {"", "ends after 0 lines"},
      {head, "ends after 1 lines"},
      {head + key, "ends after 3 lines"},
      {"rubbish\n", "line 1"},
      {"map hash flags x entries 1\n", "line 1"},
      {head + "value 4\n", "line 2"},
      {head + "key 0\n", "line 2"},
      {head + "key 99999999\n", "line 2"},
      {head + "key 4\nkey 4\n", "line 3"},
      {head + key + "value 8\na 0 u24\n", "line 5"},
      {head + key + "value 8\na 0 u16 8\n", "line 5"},
      {head + key + "value 8\na 0 u16 x0\n", "line 5"},
      {head + key + "value 8\na 0 u16 x5\n", "line 5"},
      {head + key + "value 8\na 7 u16\n", "line 5"},
      {head + key + "value 8\na 4294967295 u16 x2147483648\n", "line 5"},
      {head + key + "value 8\na 0 u16\na 2 u16\n", "line 6"},
      {head + key + "value 8\na 0 u16\nvalue 8\n", "line 6"},
      {std::string("\xff\xfe\x01", 3), "line 1"},
  };
  for (const auto& [text, says] : kRows) {
    const auto layout = parse_layout(text);
    ASSERT_FALSE(layout) << text;
    EXPECT_THAT(layout.error().message, HasSubstr(says)) << text;
  }
}

TEST(LayoutText, FirstDifferenceShowsBothLines) {
  const Layout ours = *parse_layout(kText);
  Layout theirs = ours;
  theirs.value.fields[1].offset = 6;
  EXPECT_EQ(first_difference(ours, theirs), "has \"head.sport 6 be16\" where this lbd has \"head.sport 4 be16\"");
  theirs = ours;
  theirs.value.fields.pop_back();
  EXPECT_EQ(first_difference(ours, theirs), "ends where this lbd has \"name 8 u8 x8\"");
  EXPECT_EQ(first_difference(theirs, ours), "has \"name 8 u8 x8\" where this lbd ends");
}

}  // namespace
}  // namespace fairlead::datapath
