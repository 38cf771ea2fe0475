// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/result.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace fairlead {
namespace {

TEST(Result, ErrorSaysWhatFailedOnWhatAndWhy) {
  const Error error = make_error("open", "/etc/fairlead", EACCES);
  EXPECT_EQ(error.message, "open /etc/fairlead: Permission denied");
  EXPECT_EQ(error.code, EACCES);
}

TEST(Result, IsEitherAValueOrAnError) {
  const auto half = [](int number) -> Result<int> {
    if (number % 2 != 0) return Error{"odd", 0};
    return number / 2;
  };
  ASSERT_TRUE(half(8));
  EXPECT_EQ(*half(8), 4);
  ASSERT_FALSE(half(7));
  EXPECT_EQ(half(7).error().message, "odd");
}

TEST(Result, OfNothingIsGoodByDefault) {
  EXPECT_TRUE(Result<>());
  EXPECT_FALSE(Result<>(Error{"no", 1}));
}

}  // namespace
}  // namespace fairlead
