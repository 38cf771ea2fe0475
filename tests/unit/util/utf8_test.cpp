// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/utf8.h"

#include <gtest/gtest.h>

namespace fairlead {
namespace {

TEST(Utf8, StaysAsItIs) {
  for (const char* text : {"", "web.yaml", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "a\tb\n"})
    EXPECT_EQ(as_utf8(text), text);
}

// Each byte that is no character's part counts for itself, as Unicode recommends.
TEST(Utf8, IsMadeOfAnyBytes) {
  EXPECT_EQ(as_utf8("caf\xe9.yaml"), "caf\xef\xbf\xbd.yaml");
  EXPECT_EQ(as_utf8("\xff\xfe"), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(as_utf8("a\xe2\x82"), "a\xef\xbf\xbd\xef\xbf\xbd") << "cut off";
  EXPECT_EQ(as_utf8("\xe2\x82\xac\xac"), "\xe2\x82\xac\xef\xbf\xbd");
}

}  // namespace
}  // namespace fairlead
