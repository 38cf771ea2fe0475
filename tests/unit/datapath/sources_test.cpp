// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/sources.h"

#include <gtest/gtest.h>

#include <vector>

namespace fairlead::datapath {
namespace {

lb_addr address(std::uint32_t number) {
  return {{number, 0, 0, 0}};
}

class SourcesTest : public testing::Test {
 protected:
  std::uint32_t of(std::uint32_t slot) const { return addresses_[backends_[slot].source].addr.word[0]; }

  std::vector<lb_source> addresses_{4};
  std::vector<lb_backend> backends_{8};
  Sources sources_{addresses_, backends_};
};

TEST_F(SourcesTest, BackendsShareThem) {
  sources_.set(0, address(7));
  sources_.set(1, address(8));
  sources_.set(2, address(7));
  EXPECT_EQ(of(0), 7u);
  EXPECT_EQ(of(1), 8u);
  EXPECT_EQ(backends_[0].source, backends_[2].source);
}

TEST_F(SourcesTest, NoneIsTheFirst) {
  sources_.set(0, address(7));
  sources_.set(0, {});
  EXPECT_EQ(backends_[0].source, 0u);
  EXPECT_EQ(addresses_[0].addr.word[0], 0u);
}

TEST_F(SourcesTest, WhatIsInUseIsNotChanged) {
  for (std::uint32_t slot = 0; slot < 3; ++slot)
    sources_.set(slot, address(7 + slot));
  sources_.set(3, address(10));
  EXPECT_EQ(backends_[3].source, 0u) << "there is no room";
  sources_.set(1, {});
  sources_.set(3, address(10));
  EXPECT_EQ(of(3), 10u);
  EXPECT_EQ(of(0), 7u);
  EXPECT_EQ(of(2), 9u);
}

TEST_F(SourcesTest, WhatWasGivenUpRests) {
  sources_.set(0, address(7));
  sources_.set(0, address(8));
  EXPECT_EQ(addresses_[1].addr.word[0], 7u);
  EXPECT_EQ(of(0), 8u);
}

}  // namespace
}  // namespace fairlead::datapath
