// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/scenario.h"

// The devices that lbd is told to be on.
namespace fairlead::test {
namespace {

using testing::HasSubstr;

// As many as lb_devices has room for.
constexpr int kRoom = 64;

class Devices : public Scenario {
 protected:
  void SetUp() override {
    Scenario::SetUp();
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
  }

  void in_node(const std::vector<std::string>& command) const {
    const auto ran = lab_->run_in(lab_->node(1), command);
    ASSERT_TRUE(ran) << ran.error().message;
  }

  void shell(const std::string& script) const { in_node({"sh", "-ec", script}); }

  std::int64_t failed_writes() { return daemon().query<admin::StatusView>({"status"})->failed_writes; }
};

// The table of devices is written as every other: what fails is told once, counted, and tried again.
TEST_F(Devices, ThatDoNotFitAreToldAndTriedAgain) {
  std::string names = "eth0";
  for (int i = 1; i <= kRoom; ++i)
    names += ",more" + std::to_string(i);
  shell("for i in $(seq " + std::to_string(kRoom) + "); do ip link add more$i type veth peer name peer$i; done");
  add_daemon(1, {.xdp_mode = "off", .more = {{"--devices", names}}});
  put({}, {backend(1, 1), backend(2, 1)});
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  EXPECT_TRUE(eventually(kSoon, [&] { return failed_writes() >= 3; })) << "it is tried again";
  const std::string log = daemon().log();
  const auto told = log.find("lb_devices");
  ASSERT_NE(told, log.npos) << log;
  EXPECT_EQ(log.find("lb_devices", log.find('\n', told)), log.npos) << log;
  EXPECT_THAT(log, HasSubstr("trying again"));
  shell("ip link delete more7");
  EXPECT_TRUE(eventually(kSoon, [&] { return failed_writes() == 0; })) << daemon().log();
}

}  // namespace
}  // namespace fairlead::test
