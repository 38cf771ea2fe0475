// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "tests/e2e/stage.h"
#include "tests/support/content.h"
#include "tests/support/doomed.h"
#include "tests/support/guardian.h"

// A control plane is half a gigabyte of processes: none may be left behind.
namespace fairlead::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

// Processes whose command line names that directory.
std::vector<std::string> processes_of(const std::string& dir) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != pid.npos) continue;
    const std::string line = content_of(entry.path() / "cmdline");
    if (line.find(dir + "/") != line.npos || line.find("=" + dir) != line.npos)
      found.push_back(pid + " " + line.c_str());
  }
  return found;
}

class ControlPlaneLifecycle : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto missing = missing_for_kubernetes(kNewestKubernetes)) GTEST_SKIP() << *missing;
    guardian_ = *Guardian::start({lab_script_path(), "down", "--prefix", prefix_});
  }

  const std::string prefix_ = "plane" + std::to_string(getpid());
  const std::string dir_ = "/run/" + prefix_ + "/kubernetes";
  Guardian guardian_;
};

TEST_F(ControlPlaneLifecycle, EndsWithItsObject) {
  auto lab = Lab::up({.nodes = 1, .pods = 1, .prefix = prefix_});
  ASSERT_TRUE(lab) << lab.error().message;
  {
    const auto plane = ControlPlane::up(*lab);
    ASSERT_TRUE(plane) << plane.error().message;
    EXPECT_EQ(plane->dir(), dir_);
    EXPECT_EQ(processes_of(dir_).size(), 4U);
    EXPECT_FALSE(ControlPlane::up(*lab)) << "there is one in this folder";
  }
  EXPECT_THAT(processes_of(dir_), testing::IsEmpty());
}

TEST_F(ControlPlaneLifecycle, KilledTestLeavesNothing) {
  Doomed test([&](const Doomed::Wait& wait) {
    const auto lab = Lab::up({.nodes = 1, .pods = 1, .prefix = prefix_});
    const auto plane = ControlPlane::up(*lab);
    wait(plane.has_value());
  });
  EXPECT_TRUE(test.went_well());
  EXPECT_FALSE(processes_of(dir_).empty());
  test.kill();
  EXPECT_TRUE(eventually(seconds(20), [&] { return processes_of(dir_).empty() && !fs::exists("/run/" + prefix_); }));
}

TEST_F(ControlPlaneLifecycle, KilledItselfLeavesNoProcess) {
  auto lab = Lab::up({.nodes = 1, .pods = 1, .prefix = prefix_});
  ASSERT_TRUE(lab) << lab.error().message;
  const auto plane = ControlPlane::up(*lab);
  ASSERT_TRUE(plane) << plane.error().message;
  kill(plane->pid(), SIGKILL);
  EXPECT_TRUE(eventually(seconds(20), [&] { return processes_of(dir_).empty(); }));
}

// readme_test does more with the newest.
TEST_F(ControlPlaneLifecycle, LabScriptBringsAndEndsAClusterOfTheOldest) {
  const auto up = lab_script({"up", "--prefix", prefix_, "--nodes", "2", "--pods", "1", "--build-dir",
                              FAIRLEAD_BUILD_DIR, "--kubernetes", kOldestKubernetes});
  ASSERT_TRUE(up) << up.error().message;
  EXPECT_THAT(*up, testing::HasSubstr("export KUBECONFIG=" + dir_ + "/admin.kubeconfig"));
  const auto kubectl = [&](const std::string& arguments) {
    const auto text = run({"sh", "-c",
                           "eval \"$(\"$0\" env --prefix \"$1\" | grep ^KUBE)\"; \"$KUBECTL\" --kubeconfig "
                           "\"$KUBECONFIG\" " +
                               arguments,
                           lab_script_path(), prefix_},
                          seconds(60));
    return text ? *text : text.error().message;
  };
  EXPECT_EQ(kubectl("create deployment web --image=any --replicas=2"), "deployment.apps/web created\n");
  EXPECT_THAT(kubectl("rollout status deployment web --timeout=50s"), testing::HasSubstr("successfully rolled out"));
  EXPECT_THAT(kubectl("get pods -o wide"), testing::ContainsRegex("1/1 +Running .* 10.210.2.11 +node2"));
  const auto down = lab_script({"down", "--prefix", prefix_});
  ASSERT_TRUE(down) << down.error().message;
  EXPECT_THAT(processes_of(dir_), testing::IsEmpty());
  EXPECT_FALSE(fs::exists("/run/" + prefix_));
}

}  // namespace
}  // namespace fairlead::test
