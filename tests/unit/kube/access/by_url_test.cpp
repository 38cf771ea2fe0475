// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/by_url.h"

#include <gtest/gtest.h>

#include "tests/unit/kube/access/awaiting.h"

namespace fairlead::kube {
namespace {

TEST(ByUrl, AsksTheServerAsNobody) {
  const auto access = by_url("https://192.0.2.1:6443/base");
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->cluster.url(), "https://192.0.2.1:6443/base");
  EXPECT_EQ(access->cluster.ca_pem, "");
  EXPECT_FALSE(access->cluster.skip_verify);
  boost::asio::io_context io;
  const auto identity = await(io, access->credentials->identity());
  ASSERT_TRUE(identity);
  EXPECT_EQ(*identity, Identity());
}

TEST(ByUrl, SaysWhatIsNoUrl) {
  const auto access = by_url("ftp://192.0.2.1");
  ASSERT_FALSE(access);
  EXPECT_EQ(access.error().message.find("master: 'ftp://192.0.2.1': "), 0U) << access.error().message;
}

}  // namespace
}  // namespace fairlead::kube
