// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/base64.h"

#include <gtest/gtest.h>

namespace fairlead::kube {
namespace {

struct Pair {
  std::string bytes;
  std::string text;
};

class Base64 : public testing::TestWithParam<Pair> {};

TEST_P(Base64, GoesBothWays) {
  EXPECT_EQ(base64_encode(GetParam().bytes), GetParam().text);
  EXPECT_EQ(base64_decode(GetParam().text), GetParam().bytes);
}

INSTANTIATE_TEST_SUITE_P(Pairs, Base64,
                         testing::Values(Pair{"", ""}, Pair{"f", "Zg=="}, Pair{"fo", "Zm8="}, Pair{"foo", "Zm9v"},
                                         Pair{std::string("\0\xff\xfe\0", 4), "AP/+AA=="},
                                         Pair{std::string(300, 'x'), [] {
                                                std::string text;
                                                for (int i = 0; i < 100; ++i)
                                                  text += "eHh4";
                                                return text;
                                              }()}));

TEST(Base64Lines, MayEndAnywhere) {
  EXPECT_EQ(base64_decode("Zm\n9v\r\nZg==\n"), "foof");
}

class NotBase64 : public testing::TestWithParam<const char*> {};

TEST_P(NotBase64, IsTold) {
  EXPECT_EQ(base64_decode(GetParam()), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Texts, NotBase64,
                         testing::Values("Z", "Zg", "Zg=", "Zm9v=", "Zg==Zm9v", "Z===", "Zm9v-", "-", "Zm9v Zm9v",
                                         "Zm_v", "Zm9v!", "====", "-----BEGIN CERTIFICATE-----"));

}  // namespace
}  // namespace fairlead::kube
