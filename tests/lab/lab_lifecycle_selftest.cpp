// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/content.h"
#include "tests/support/doomed.h"
#include "tests/support/eventually.h"
#include "tests/support/lab.h"

// Labs come and go on machines that people work on: what is left behind, or taken along, matters.
namespace fairlead::test {
namespace {

using std::chrono::seconds;
namespace fs = std::filesystem;

// Everything on this machine that bears the name of that lab.
std::vector<std::string> traces_of(const std::string& prefix) {
  std::vector<std::string> traces;
  for (const char* directory : {"/run/netns", "/run", "/sys/fs/bpf", "/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    std::error_code gone;
    for (const auto& entry : fs::directory_iterator(directory, gone)) {
      const std::string name = entry.path().filename();
      if (name == prefix || name.starts_with(prefix + "-")) traces.push_back(entry.path());
    }
  }
  return traces;
}

fs::path namespace_of(pid_t pid) {
  std::error_code gone;
  return fs::read_symlink("/proc/" + std::to_string(pid) + "/ns/net", gone);
}

class LabLifecycle : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto missing = missing_requirement()) GTEST_SKIP() << *missing;
    guardian_ = *Guardian::start({lab_script_path(), "down", "--prefix", prefix_});
  }

  // By the script itself, as a person would; the guardian cleans up after a test that fails.
  const std::string prefix_ = "life" + std::to_string(getpid());
  Guardian guardian_;
};

TEST_F(LabLifecycle, DownLeavesNothing) {
  auto lab = Lab::up({.nodes = 2, .pods = 1, .prefix = prefix_});
  ASSERT_TRUE(lab) << lab.error().message;
  auto server = lab->serve(lab->pod(1, 1), 8080);
  ASSERT_TRUE(server);
  auto stubborn = lab->start(lab->node(1), {"sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"});
  ASSERT_TRUE(stubborn);
  ASSERT_TRUE(stubborn->wait_for_line("ready", seconds(5)));
  ASSERT_NE(namespace_of(stubborn->pid()), namespace_of(getpid()));
  fs::create_directories(lab->node(1).pins + "/v1/deep");
  if (!lab->node(1).cgroup.empty()) fs::create_directories(lab->node(1).cgroup + "/deep/er");
  ASSERT_TRUE(lab_script({"exec", "--prefix", prefix_, "node2", "touch", lab->node(2).run + "/socket"}));
  EXPECT_THAT(traces_of(prefix_), testing::Not(testing::IsEmpty()));

  const auto down = lab->down();
  ASSERT_TRUE(down) << down.error().message;
  EXPECT_THAT(traces_of(prefix_), testing::IsEmpty());
  EXPECT_EQ(server->wait(seconds(0)), 0);
  EXPECT_EQ(stubborn->wait(seconds(0)), 128 + SIGKILL);
}

TEST_F(LabLifecycle, UpReplacesWhatIsThere) {
  const std::vector<std::string> small{"up", "--prefix", prefix_, "--nodes", "1", "--pods", "1"};
  ASSERT_TRUE(lab_script({"up", "--prefix", prefix_, "--cni", "bridge"}));
  auto old = Process::start(
      {lab_script_path(), "exec", "--prefix", prefix_, "node3-pod2", "sh", "-c", "echo ready; exec sleep 1000"});
  ASSERT_TRUE(old);
  ASSERT_TRUE(old->wait_for_line("ready", seconds(5)));

  ASSERT_TRUE(lab_script(small));
  EXPECT_EQ(old->wait(seconds(0)), 128 + SIGTERM);
  EXPECT_FALSE(fs::exists("/run/netns/" + prefix_ + "-node3"));
  EXPECT_TRUE(lab_script({"exec", "--prefix", prefix_, "node1-pod1", "true"}));
  EXPECT_TRUE(lab_script(small));
  const auto status = lab_script({"status", "--prefix", prefix_});
  EXPECT_TRUE(status) << status.error().message;

  EXPECT_TRUE(lab_script({"down", "--prefix", prefix_}));
  EXPECT_TRUE(lab_script({"down", "--prefix", prefix_})) << "nothing to remove is no error";
  EXPECT_THAT(traces_of(prefix_), testing::IsEmpty());
}

TEST_F(LabLifecycle, HalfBuiltLabIsRemoved) {
  for (const char* reached : {"client", "node1", "node3-pod2"}) {
    auto up = Process::start({lab_script_path(), "up", "--prefix", prefix_});
    ASSERT_TRUE(up);
    ASSERT_TRUE(eventually(seconds(10), [&] { return fs::exists("/run/netns/" + prefix_ + "-" + reached); }));
    up->signal(SIGKILL);
    ASSERT_TRUE(up->wait(seconds(5)));
    const auto down = lab_script({"down", "--prefix", prefix_});
    ASSERT_TRUE(down) << down.error().message;
    EXPECT_THAT(traces_of(prefix_), testing::IsEmpty()) << reached;
  }
}

TEST_F(LabLifecycle, FailedOrInterruptedUpCleansUpItself) {
  EXPECT_FALSE(lab_script({"up", "--prefix", prefix_, "--vip-via", "node9"}));
  EXPECT_THAT(traces_of(prefix_), testing::IsEmpty());
  auto up = Process::start({lab_script_path(), "up", "--prefix", prefix_});
  ASSERT_TRUE(up);
  ASSERT_TRUE(eventually(seconds(10), [&] { return fs::exists("/run/netns/" + prefix_ + "-client"); }));
  EXPECT_NE(up->terminate(), 0);
  EXPECT_THAT(traces_of(prefix_), testing::IsEmpty());
}

TEST_F(LabLifecycle, TwoAtOnceOfOnePrefixTakeTurns) {
  const std::vector<std::string> up{lab_script_path(), "up", "--prefix", prefix_, "--nodes", "2", "--pods", "1"};
  auto first = Process::start(up);
  auto second = Process::start(up);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->wait(seconds(30)), 0) << first->err();
  EXPECT_EQ(second->wait(seconds(30)), 0) << second->err();
  EXPECT_TRUE(lab_script({"exec", "--prefix", prefix_, "node2-pod1", "true"}));
}

TEST_F(LabLifecycle, DownSparesALabWhoseNameBeginsAlike) {
  auto other = Lab::up({.nodes = 1, .pods = 1, .prefix = prefix_ + "-node1"});
  ASSERT_TRUE(other) << other.error().message;
  auto server = other->serve(other->pod(1, 1), 8080);
  ASSERT_TRUE(server);
  ASSERT_TRUE(lab_script({"up", "--prefix", prefix_, "--nodes", "1", "--pods", "1"}));
  ASSERT_TRUE(lab_script({"down", "--prefix", prefix_}));
  EXPECT_FALSE(server->status()) << "still running";
  EXPECT_TRUE(other->run_in(other->node(1), {"true"}));
}

TEST_F(LabLifecycle, DownSparesADirectoryOfSomebodyElse) {
  const fs::path precious = fs::path("/run") / prefix_ / "precious";
  fs::create_directories(precious);
  EXPECT_FALSE(lab_script({"up", "--prefix", prefix_}));
  EXPECT_FALSE(lab_script({"down", "--prefix", prefix_}));
  EXPECT_TRUE(fs::exists(precious));
  fs::remove_all(precious.parent_path());
}

TEST_F(LabLifecycle, KilledTestLeavesNothing) {
  Doomed test([&](const Doomed::Wait& wait) {
    const auto lab = Lab::up({.nodes = 1, .pods = 1, .prefix = prefix_});
    const auto server = lab->serve(lab->pod(1, 1), 8080);
    wait(server.has_value());
  });
  EXPECT_TRUE(test.went_well());
  test.kill();
  EXPECT_TRUE(eventually(seconds(10), [&] { return traces_of(prefix_).empty(); }));
}

TEST_F(LabLifecycle, SaysWhatIsWrong) {
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"up", "--nodes", "0"},
                                             {"up", "--cni", "flannel"},
                                             {"up", "--prefix", "A/b"},
                                             {"up", "--mtu"},
                                             {"fly"},
                                             {"exec", "--prefix", prefix_, "client", "true"},
                                             {"env", "--prefix", prefix_}}) {
    const auto outcome = lab_script(wrong);
    EXPECT_FALSE(outcome) << wrong[0];
  }
  EXPECT_THAT(traces_of(prefix_), testing::IsEmpty());
}

// As /proc/PID/cmdline does when its process has ended meanwhile.
TEST(Content, EndsWhereAReadFails) {
  EXPECT_EQ(content_of("/proc/self/mem"), "");
}

}  // namespace
}  // namespace fairlead::test
