// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/differential/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::test::differential {
namespace {

TEST(Ledger, StarsStandForAnythingWithinAPart) {
  const auto ledger = parse_ledger("# why\n\n*etp-local*/outside/*/tcp/*/* | verdict | not-built-yet | later\n");
  ASSERT_TRUE(ledger) << ledger.error().message;
  ASSERT_EQ(ledger->size(), 1U);
  const LedgerEntry& entry = ledger->front();
  EXPECT_EQ(entry.line, 3);
  EXPECT_EQ(entry.standing, Standing::kNotBuiltYet);
  EXPECT_EQ(entry.reason, "later");
  EXPECT_TRUE(entry.matches("random-2-etp-local-itp-local/outside/node-port/tcp/ipv6/iptables", "verdict"));
  EXPECT_FALSE(entry.matches("etp-local/outside/node-port/udp/ipv6/iptables", "verdict"));
  EXPECT_FALSE(entry.matches("etp-local/outside/node-port/tcp/ipv6/iptables", "source"));
  EXPECT_FALSE(entry.matches("etp-local/x/outside/node-port/tcp/ipv6/iptables", "verdict"));
}

TEST(Ledger, LinesThatExplainNothingAreNamed) {
  for (const char* line : {"plain/*/*/*/*/* | verdict | chosen", "plain/*/*/*/*/* | verdict | known | why",
                           "plain/*/*/*/* | verdict | chosen | why", "plain/*/*/*/*/* | verdict | chosen |"}) {
    const auto ledger = parse_ledger("# first\n" + std::string(line) + "\n");
    ASSERT_FALSE(ledger) << line;
    EXPECT_THAT(ledger.error().message, testing::StartsWith("ledger, line 2: "));
  }
}

}  // namespace
}  // namespace fairlead::test::differential
