// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/old_address.h"

#include <gtest/gtest.h>

namespace fairlead {
namespace {

std::string address(std::string_view text) {
  const auto address = parse_old_address(text);
  return address ? address->to_string() : "";
}

std::string prefix(std::string_view text) {
  const auto prefix = parse_old_prefix(text);
  return prefix ? prefix->to_string() : "";
}

TEST(OldAddress, MayHaveLeadingZeros) {
  EXPECT_EQ(address("010.096.000.010"), "10.96.0.10");
  EXPECT_EQ(address("0.0.0.0"), "0.0.0.0");
  EXPECT_EQ(address("10.96.0.10"), "10.96.0.10");
  EXPECT_EQ(address("2001:db8::0010"), "2001:db8::10");
}

TEST(OldAddress, MayBeMapped) {
  EXPECT_EQ(address("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(address("::ffff:192.000.002.001"), "192.0.2.1");
  EXPECT_EQ(address("0:0:0:0:0:ffff:c000:201"), "192.0.2.1");
  EXPECT_EQ(parse_old_address("::ffff:192.0.2.1")->family, Family::IPv4);
}

TEST(OldAddress, IsAnAddressAllTheSame) {
  for (const char* text : {"", ".", "0", "0.0.0", "010.096.000.0256", "1.2.3.x", "00.0.0.0.0",
                           "::ffff:", "::fffe:1.2.3", " 1.2.3.4", "1.2.3.4 "})
    EXPECT_EQ(address(text), "") << text;
  EXPECT_EQ(address(std::string_view("::ffff:1.2.3.4\0", 15)), "");
}

TEST(OldPrefix, HasAnOldAddress) {
  EXPECT_EQ(prefix("010.000.000.000/8"), "10.0.0.0/8");
  EXPECT_EQ(prefix("192.000.002.001"), "192.0.2.1/32");
  EXPECT_EQ(prefix("::ffff:10.0.0.0/104"), "10.0.0.0/8");
  EXPECT_EQ(prefix("::ffff:10.0.0.1"), "10.0.0.1/32");
  EXPECT_EQ(prefix("2001:db8::/32"), "2001:db8::/32");
  for (const char* text :
       {"", "/8", "10.0.0.0/33", "::ffff:10.0.0.0/95", "::ffff:10.0.0.0/129", "::ffff:10.0.0.0/", "10.0.0.0/x"})
    EXPECT_EQ(prefix(text), "") << text;
}

}  // namespace
}  // namespace fairlead
