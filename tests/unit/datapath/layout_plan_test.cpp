// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/layout_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::datapath {
namespace {

using testing::ElementsAreArray;
using Bytes = std::vector<std::uint8_t>;

struct Row {
  const char* what;
  Record from;
  Record to;
  Bytes old;
  Bytes becomes;  // empty: cannot be converted
};

const Row kRows[] = {
    {"the same stays the same",
     {4, {{"a", 0, 2, false, 1}, {"b", 2, 2, false, 1}}},
     {4, {{"a", 0, 2, false, 1}, {"b", 2, 2, false, 1}}},
     {1, 2, 3, 4},
     {1, 2, 3, 4}},
    {"fields are found by their names",
     {4, {{"a", 0, 2, false, 1}, {"b", 2, 2, false, 1}}},
     {4, {{"b", 0, 2, false, 1}, {"a", 2, 2, false, 1}}},
     {1, 2, 3, 4},
     {3, 4, 1, 2}},
    {"a new field is zero, one that is gone is dropped",
     {2, {{"a", 0, 1, false, 1}, {"gone", 1, 1, false, 1}}},
     {2, {{"new", 0, 1, false, 1}, {"a", 1, 1, false, 1}}},
     {7, 9},
     {0, 7}},
    {"a wider integer has the same number",
     {2, {{"a", 0, 2, false, 1}}},
     {8, {{"a", 0, 8, false, 1}}},
     {0x34, 0x12},
     {0x34, 0x12, 0, 0, 0, 0, 0, 0}},
    {"in network order too",
     {2, {{"a", 0, 2, true, 1}}},
     {4, {{"a", 0, 4, true, 1}}},
     {0x12, 0x34},
     {0, 0, 0x12, 0x34}},
    {"the order of bytes may change",
     {4, {{"a", 0, 4, true, 1}}},
     {4, {{"a", 0, 4, false, 1}}},
     {1, 2, 3, 4},
     {4, 3, 2, 1}},
    {"a narrower integer, where the number fits",
     {8, {{"a", 0, 8, false, 1}}},
     {1, {{"a", 0, 1, false, 1}}},
     {255, 0, 0, 0, 0, 0, 0, 0},
     {255}},
    {"a narrower integer, where it does not", {2, {{"a", 0, 2, false, 1}}}, {1, {{"a", 0, 1, false, 1}}}, {0, 1}, {}},
    {"a longer array ends in zeroes", {2, {{"a", 0, 1, false, 2}}}, {4, {{"a", 0, 1, false, 4}}}, {1, 2}, {1, 2, 0, 0}},
    {"a shorter array of wider elements",
     {4, {{"a", 0, 1, false, 4}}},
     {4, {{"a", 0, 2, false, 2}}},
     {1, 2, 0, 0},
     {1, 0, 2, 0}},
    {"a shorter array that would lose something",
     {4, {{"a", 0, 1, false, 4}}},
     {2, {{"a", 0, 1, false, 2}}},
     {1, 2, 0, 3},
     {}},
};

TEST(LayoutPlan, Converts) {
  for (const Row& row : kRows) {
    Bytes becomes(row.to.size, 0xee);
    const bool fits =
        Plan(row.from, row.to).apply(std::as_bytes(std::span(row.old)), std::as_writable_bytes(std::span(becomes)));
    EXPECT_EQ(fits, !row.becomes.empty()) << row.what;
    if (fits) {
      EXPECT_THAT(becomes, ElementsAreArray(row.becomes)) << row.what;
    }
  }
}

TEST(LayoutPlan, APartKeepsItsOffsets) {
  const Record set{8, {{"way[0].a", 0, 4, false, 1}, {"way[1].a", 4, 4, false, 1}}};
  EXPECT_EQ(part_of(set, "way[1]."), (Record{8, {{"a", 4, 4, false, 1}}}));
}

}  // namespace
}  // namespace fairlead::datapath
