// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/change_text.h"

#include <gtest/gtest.h>

#include "tests/support/specs.h"

namespace fairlead::daemon {
namespace {

using test::tcp;

TEST(ChangeText, NamesWhatComesAndGoes) {
  const auto before = test::port_spec("web", {tcp("192.0.2.1", 80)}, {tcp("10.0.0.1", 8080), tcp("10.0.0.2", 8080)});
  auto after = test::port_spec("web", {tcp("192.0.2.2", 80)}, {tcp("10.0.0.2", 8080), tcp("10.0.0.3", 8080)});
  EXPECT_EQ(change_text(before, after),
            "+backend 10.0.0.3:8080/TCP active, +frontend 192.0.2.2:80/TCP, -backend 10.0.0.1:8080/TCP, "
            "-frontend 192.0.2.1:80/TCP");
  EXPECT_EQ(change_text({}, before),
            "+backend 10.0.0.1:8080/TCP active, +backend 10.0.0.2:8080/TCP active, +frontend 192.0.2.1:80/TCP");
}

TEST(ChangeText, NamesWhatIsInAnotherState) {
  const auto before = test::port_spec("web", {tcp("192.0.2.1", 80)}, {tcp("10.0.0.1", 8080), tcp("10.0.0.2", 8080)});
  auto after = before;
  after.backends[0].flags |= LB_BACKEND_DRAINING;
  EXPECT_EQ(change_text(before, after), "backend 10.0.0.1:8080/TCP draining");
  EXPECT_EQ(change_text(before, before), "");
}

TEST(Counted, IsOneOrSeveral) {
  EXPECT_EQ(counted(0, "service port"), "0 service ports");
  EXPECT_EQ(counted(1, "service port"), "1 service port");
  EXPECT_EQ(counted(2, "service port"), "2 service ports");
}

}  // namespace
}  // namespace fairlead::daemon
