// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/support/shell.h"

// lbctl itself, without an lbd.
namespace fairlead::cli {
namespace {

// What it says is wrong.
test::ShellOutcome lbctl(const std::string& arguments) {
  return test::in_shell(FAIRLEAD_LBCTL_PROGRAM " " + arguments + " 2>&1 >/dev/null");
}

TEST(Program, FailsWhereItsOutputDoesNotArrive) {
  for (const char* arguments : {"completion bash", "--help", "flow list --help", "--version"}) {
    const auto printed =
        test::in_shell(FAIRLEAD_LBCTL_PROGRAM " --socket /none " + std::string(arguments) + " 2>&1 >/dev/full");
    EXPECT_EQ(printed.status, 1) << arguments;
    EXPECT_EQ(printed.out, "lbctl: write standard output: No space left on device\n") << arguments;
  }
}

TEST(Program, CountsAreWholeNumbers) {
  for (const char* limit : {"-1", "1.5", "1e3", "18446744073709551616"}) {
    const auto refused = lbctl("--socket /none flow list --limit " + std::string(limit));
    EXPECT_EQ(refused.status, 2) << limit;
    EXPECT_THAT(refused.out,
                testing::StartsWith("--limit: " + std::string(limit) + ": must be a whole number, 0 or more"));
  }
  EXPECT_EQ(lbctl("--socket /none flow list --limit 0").status, 3) << "no lbd";
}

TEST(Program, NamesASocket) {
  const auto refused = lbctl("--socket '' status");
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.out, testing::StartsWith("--socket: must not be empty"));
}

}  // namespace
}  // namespace fairlead::cli
