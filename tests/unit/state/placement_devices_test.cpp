// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/state/placement_fixture.h"

namespace fairlead::state {
namespace {

constexpr lb_device kPlain{},
    kRedirect{.addr4 = {}, .addr6 = {}, .flags = LB_DEVICE_XDP_REDIRECT, .parent = 0, .vlan_id = 0};

class PlacementDevices : public PlacementTest {
 protected:
  std::size_t set(Devices::Content devices) {
    placement_->set_devices(std::move(devices));
    return commit();
  }
};

TEST_F(PlacementDevices, AreWrittenWhenTheyDiffer) {
  EXPECT_EQ(set({{2, kPlain}, {3, kPlain}}), 2u);
  EXPECT_EQ(set({{2, kPlain}, {3, kPlain}}), 0u);
  EXPECT_EQ(set({{2, kRedirect}, {3, kPlain}}), 1u);
  EXPECT_EQ(set({{2, kRedirect}, {4, kPlain}}), 2u) << "one goes, one comes";
  EXPECT_TRUE(test::same_tables(actual_, desired()));
  EXPECT_EQ(actual_.devices.size(), 2u);
}

// What an earlier daemon was on stays described until the new one says what it is on.
TEST_F(PlacementDevices, OfAnEarlierDaemonGoWhenOthersAreSaid) {
  set({{2, kPlain}, {3, kRedirect}});
  restart();
  EXPECT_EQ(commit(), 0u);
  EXPECT_EQ(set({{2, kPlain}}), 1u);
  EXPECT_EQ(actual_.devices.size(), 1u);
}

}  // namespace
}  // namespace fairlead::state
