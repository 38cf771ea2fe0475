// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/duration.h"

#include <gtest/gtest.h>

namespace fairlead {
namespace {

using namespace std::chrono_literals;

TEST(Duration, IsWrittenWithoutPartsThatAreZeroAndReadBack) {
  const std::pair<std::chrono::seconds, const char*> kTexts[] = {{0s, "0s"},        {59s, "59s"},    {2min, "2m"},
                                                                 {90min, "1h30m"},  {24h, "24h"},    {3601s, "1h1s"},
                                                                 {3661s, "1h1m1s"}, {8760h, "8760h"}};
  for (const auto& [duration, text] : kTexts) {
    EXPECT_EQ(duration_text(duration), text);
    EXPECT_EQ(parse_duration(text), duration) << text;
  }
}

}  // namespace
}  // namespace fairlead
