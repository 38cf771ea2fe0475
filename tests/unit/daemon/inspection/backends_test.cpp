// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection/backends.h"

#include <gmock/gmock.h>

#include "tests/support/specs.h"

namespace fairlead::daemon {
namespace {

using admin::BackendState;

class BackendsTest : public testing::Test {
 protected:
  BackendsTest()
      : spec_(test::port_spec("default/web:80/TCP/IPv4", {test::tcp("192.0.2.10", 80)},
                              {test::tcp("10.0.0.1", 8080), test::tcp("10.0.0.2", 8080)})) {}

  // Each figure of each slot is another one.
  static lb_backend_stats stats(std::uint32_t slot) {
    return {{slot + 10, slot + 200}, {slot + 3000, slot + 40000}, slot + 500000};
  }

  state::PortSpec spec_;
  state::Placement placement_{{64, 64, 64, 64, 1u << 14, 64}, 1};
};

TEST_F(BackendsTest, FiguresAreThoseOfTheirDirection) {
  ASSERT_TRUE(placement_.put(spec_, {}));
  const auto views = view_backends(spec_, placement_, stats);
  ASSERT_EQ(views.size(), 2U);
  EXPECT_EQ(views[1].address, "10.0.0.2");
  EXPECT_EQ(views[1].port, 8080);
  EXPECT_EQ(views[1].slot, 1);
  EXPECT_EQ(views[1].packets_in, 11U);
  EXPECT_EQ(views[1].packets_out, 201U);
  EXPECT_EQ(views[1].bytes_in, 3001U);
  EXPECT_EQ(views[1].bytes_out, 40001U);
  EXPECT_EQ(views[1].connections, 500001U);
}

TEST_F(BackendsTest, StateIsWhatNewConnectionsMeetThere) {
  spec_.pools[0].members = {0};
  spec_.backends[0].flags = LB_BACKEND_LOCAL;
  auto views = view_backends(spec_, placement_, stats);
  EXPECT_EQ(views[0].state, BackendState::kActive);
  EXPECT_TRUE(views[0].local);
  EXPECT_EQ(views[1].state, BackendState::kUnused);
  EXPECT_FALSE(views[1].local);
  spec_.backends[1].flags = LB_BACKEND_DRAINING;
  views = view_backends(spec_, placement_, stats);
  EXPECT_EQ(views[1].state, BackendState::kDraining);
}

TEST_F(BackendsTest, WithoutASlotNothingIsCounted) {
  const auto views = view_backends(spec_, placement_, stats);
  EXPECT_EQ(views[0].slot, -1);
  EXPECT_EQ(views[0].packets_in, 0U);
}

}  // namespace
}  // namespace fairlead::daemon
