// SPDX-License-Identifier: Apache-2.0
#include "userspace/util/address.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace fairlead {
namespace {

TEST(Address, KeepsNetworkByteOrder) {
  const auto v4 = Address::parse("192.0.2.1");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->family, Family::IPv4);
  EXPECT_EQ(v4->bytes[0], 192);
  EXPECT_EQ(v4->bytes[3], 1);
  const auto v6 = Address::parse("2001:db8::1");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->family, Family::IPv6);
  EXPECT_EQ(v6->bytes[0], 0x20);
  EXPECT_EQ(v6->bytes[15], 1);
}

TEST(Address, WritesTheCanonicalForm) {
  EXPECT_EQ(Address::literal("2001:DB8:0:0::1").to_string(), "2001:db8::1");
  EXPECT_EQ(endpoint_text(Address::literal("192.0.2.1"), 80), "192.0.2.1:80");
  EXPECT_EQ(endpoint_text(Address::literal("2001:db8::1"), 80), "[2001:db8::1]:80");
}

TEST(Address, RefusesEverythingElse) {
  for (const char* text : {"", "192.0.2", "192.0.2.256", "192.0.2.01", " 192.0.2.1", "192.0.2.1/32", "fe80::1%eth0",
                           "[::1]", "::1:", "::ffff:192.0.2.1", "localhost"})
    EXPECT_FALSE(Address::parse(text)) << text;
  EXPECT_FALSE(Address::parse(std::string("192.0.2.1\0", 10))) << "the text ends where it says, not at a NUL";
  EXPECT_THROW(Address::literal("localhost"), std::invalid_argument);
}

TEST(Address, KnowsWhatItIsFor) {
  EXPECT_TRUE(Address::literal("0.0.0.0").is_unspecified());
  EXPECT_TRUE(Address::literal("::").is_unspecified());
  EXPECT_FALSE(Address::literal("0.0.0.1").is_unspecified());
  EXPECT_TRUE(Address::literal("127.255.0.1").is_loopback());
  EXPECT_TRUE(Address::literal("::1").is_loopback());
  EXPECT_FALSE(Address::literal("128.0.0.1").is_loopback());
  EXPECT_TRUE(Address::literal("169.254.0.1").is_link_local());
  EXPECT_TRUE(Address::literal("febf::1").is_link_local());
  EXPECT_FALSE(Address::literal("fec0::1").is_link_local());
  EXPECT_TRUE(Address::literal("239.1.2.3").is_multicast());
  EXPECT_TRUE(Address::literal("ff02::1").is_multicast());
  EXPECT_FALSE(Address::literal("240.0.0.1").is_multicast());
}

TEST(Prefix, ContainsWhatSharesItsBits) {
  const auto contains = [](const char* prefix, const char* address) {
    return Prefix::parse(prefix)->contains(Address::literal(address));
  };
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.200"));
  EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1")) << "families are apart, however short the prefix";
  EXPECT_TRUE(contains("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(contains("192.0.2.7", "192.0.2.6"));
}

TEST(Prefix, RefusesLengthsThatItsFamilyDoesNotHave) {
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/8/8",
                           "2001:db8::/129", "10.0.0.0/256", "web/8"})
    EXPECT_FALSE(Prefix::parse(text)) << text;
  EXPECT_EQ(Prefix::parse("2001:db8::/128")->to_string(), "2001:db8::/128");
  EXPECT_EQ(Prefix::parse("192.0.2.7")->to_string(), "192.0.2.7/32");
}

TEST(Address, HashesFamiliesApart) {
  const std::hash<Address> hash;
  EXPECT_NE(hash(Address::literal("0.0.0.0")), hash(Address::literal("::")));
  EXPECT_NE(hash(Address::literal("192.0.2.1")), hash(Address::literal("192.0.2.2")));
}

}  // namespace
}  // namespace fairlead
