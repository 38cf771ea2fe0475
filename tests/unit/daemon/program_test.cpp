// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/support/shell.h"

namespace fairlead::daemon {
namespace {

TEST(Program, FailsWhereItsOutputDoesNotArrive) {
  for (const char* arguments : {"--help", "--version", "--write-config-to /dev/null"}) {
    const auto printed = test::in_shell(FAIRLEAD_LBD_PROGRAM " " + std::string(arguments) + " 2>&1 >/dev/full");
    EXPECT_EQ(printed.status, 1) << arguments;
    EXPECT_EQ(printed.out, "lbd: write standard output: No space left on device\n") << arguments;
  }
}

}  // namespace
}  // namespace fairlead::daemon
