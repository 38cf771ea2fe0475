// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>

#include "tests/lab/leftovers.h"
#include "tests/lab/scenario.h"

// What lbd and its --cleanup do where the pin directory is not the one that was meant.
namespace fairlead::test {
namespace {

namespace fs = std::filesystem;

using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using Programs = std::set<std::string>;

const Programs kAll{"eth0 tc ingress", "eth0 tc egress", "eth0 xdp driver"};

// Every path below it.
std::set<std::string> tree(const std::string& directory) {
  std::set<std::string> paths;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    paths.insert(entry.path());
  return paths;
}

class WrongPath : public Scenario {
 protected:
  void SetUp() override {
    Scenario::SetUp();
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
  }
  void TearDown() override {
    Scenario::TearDown();
    fs::remove_all(other_pins());
  }

  const Node& node() const { return lab_->node(1); }
  std::string other_pins() const { return node().pins + "-other"; }
  Programs programs() const { return programs_on(*lab_, node()); }

  // lbd on node1 is there, and goes.
  void leave(const DaemonOptions& options = {}) {
    daemons_.erase(1);
    add_daemon(1, options);
    put({}, {backend(1, 1)});
    ASSERT_NO_FATAL_FAILURE(start_daemons());
    EXPECT_EQ(daemon().stop(), 0);
  }

  // Its status and what it says.
  std::pair<int, std::string> run_on(int number, const DaemonOptions& options,
                                     const std::vector<std::string>& switches) {
    auto process = Daemon(*lab_, lab_->node(number), options).start_another({}, switches);
    EXPECT_TRUE(process) << process.error().message;
    const int status = process->wait(seconds(30)).value_or(-1);
    return {status, process->out() + process->err()};
  }
  std::pair<int, std::string> clean_up(const DaemonOptions& options = {}) { return run_on(1, options, {"--cleanup"}); }

  void expect_service() const {
    const AskReport report = ask(Transport::Tcp, vip_of(10, Family::IPv4), {.count = 20});
    EXPECT_EQ(report.failed, 0U) << testing::PrintToString(report.failures);
  }
};

TEST_F(WrongPath, WhatIsNotOnABpfFileSystemIsNotCleaned) {
  ASSERT_NO_FATAL_FAILURE(leave());
  const std::string plain = lab_->dir() + "/plain", empty = lab_->dir() + "/empty";
  for (const char* directory : {"/maps/more", "/links", "/qdiscs/7", "/layouts", "/v1/maps", "/v8"})
    fs::create_directories(plain + directory);
  fs::create_directories(empty);
  std::ofstream(plain + "/maps/lb_flow4-v2") << "mine";
  const auto before = tree(lab_->dir());
  for (const std::string& path : {plain, empty, lab_->dir() + "/not-there"}) {
    const auto [status, said] = clean_up({.more = {{"--bpffs-path", path}}});
    EXPECT_EQ(status, 1) << said;
    EXPECT_THAT(said, HasSubstr(path + " is not on a bpf file system"));
  }
  EXPECT_EQ(tree(lab_->dir()), before);
  EXPECT_EQ(programs(), kAll);
  expect_clean_end(*lab_, daemon());
}

TEST_F(WrongPath, WhatIsMountedOrLinkedBelowIsNotCleaned) {
  ASSERT_NO_FATAL_FAILURE(leave());
  const std::string aside = lab_->dir() + "/aside", versions = node().pins + "/v8";
  fs::create_directories(aside + "/maps");
  fs::create_directory(versions);
  fs::create_directory_symlink(aside + "/maps", versions + "/maps");
  std::ofstream(aside + "/maps/lb_flow4") << "mine";
  const auto [status, said] = clean_up();
  EXPECT_EQ(status, 0) << said;
  EXPECT_TRUE(fs::exists(aside + "/maps/lb_flow4"));
  EXPECT_TRUE(fs::is_symlink(versions + "/maps")) << said;
  fs::remove_all(node().pins);
}

TEST_F(WrongPath, ASymbolicLinkLeadsToThePins) {
  const std::string link = lab_->dir() + "/pins-are-there";
  fs::create_directory_symlink(node().pins, link);
  ASSERT_NO_FATAL_FAILURE(leave());
  const auto [status, said] = clean_up({.more = {{"--bpffs-path", link + "/"}}});
  EXPECT_EQ(status, 0) << said;
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_FALSE(fs::exists(node().pins)) << said;
  EXPECT_EQ(programs(), Programs{});
}

// What is mounted over it has no pins.
TEST_F(WrongPath, PinsThatAreHiddenAreMissed) {
  ASSERT_NO_FATAL_FAILURE(leave());
  const auto hide = [](const std::string& kind) -> DaemonOptions {
    return {
        .launcher = {"unshare", "--mount", "sh", "-ec", "mount -t " + kind + " none /sys/fs/bpf; exec \"$@\"", "sh"}};
  };
  const auto [refused, why] = clean_up(hide("tmpfs"));
  EXPECT_EQ(refused, 1) << why;
  EXPECT_EQ(programs(), kAll);
  const auto [status, said] = clean_up(hide("bpf"));
  EXPECT_EQ(status, 1) << said;
  EXPECT_THAT(said, testing::ContainsRegex("[0-9]+ maps of the programs stay"));
  EXPECT_EQ(programs(), Programs{});
  const auto [end, at_last] = clean_up();
  EXPECT_EQ(end, 0) << at_last;
  EXPECT_FALSE(fs::exists(node().pins));
}

// Nobody may ask which maps the programs had, nor, where they are links, whose they are.
TEST_F(WrongPath, PinsThatAreHiddenAreMissedWithoutSysAdmin) {
  ASSERT_NO_FATAL_FAILURE(leave({.xdp_mode = "off"}));
  const bool are_links = !pinned_links(*lab_, node()).empty();
  const auto [status, said] =
      clean_up({.launcher = {"unshare", "--mount", "sh", "-ec",
                             "mount -t bpf none /sys/fs/bpf; exec setpriv --bounding-set=-sys_admin \"$@\"", "sh"}});
  EXPECT_EQ(status, 1) << said;
  EXPECT_THAT(said, HasSubstr(are_links ? "stays, and may be an lbd's: to ask for its name takes CAP_SYS_ADMIN"
                                        : "maps of the programs may stay"));
  EXPECT_EQ(clean_up().first, 0);
  EXPECT_FALSE(fs::exists(node().pins));
}

// Programs are taken over, connections are not, and that is said.
TEST_F(WrongPath, MapsThatAStartLeavesElsewhereAreAProblem) {
  ASSERT_NO_FATAL_FAILURE(leave());
  fs::rename(node().pins, other_pins());
  add_daemon(1);
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  const auto problems = [&] { return *daemon().query<std::vector<admin::ProblemView>>({"problems"}); };
  EXPECT_TRUE(eventually(kSoon, [&] { return !problems().empty(); }));
  ASSERT_EQ(problems().size(), 1U);
  EXPECT_THAT(problems()[0].message, HasSubstr("rm -r " + other_pins() + " removes them"));
  EXPECT_THAT(daemon().log(), HasSubstr("connections that it knew are given up"));
  fs::remove_all(other_pins());
  EXPECT_TRUE(eventually(kSoon, [&] { return problems().empty(); }));
  expect_service();
  expect_clean_end(*lab_, daemon());
}

class WrongNamespace : public WrongPath, public testing::WithParamInterface<bool> {
 protected:
  void expect_refused() {
    const auto links = pinned_links(*lab_, node());
    const auto before = tree(node().pins);
    for (const std::vector<std::string>& switches : {std::vector<std::string>{"--cleanup"}, {}}) {
      const auto [status, said] = run_on(2, {.more = {{"--bpffs-path", node().pins}}}, switches);
      EXPECT_EQ(status, 1) << said;
      EXPECT_THAT(said, HasSubstr(node().pins + " is of an lbd in another network namespace"));
    }
    EXPECT_EQ(tree(node().pins), before);
    EXPECT_EQ(pinned_links(*lab_, node()), links);
    EXPECT_EQ(programs_on(*lab_, lab_->node(2)), Programs{});
    expect_service();
  }
};

// Also without any links: before tcx, tc's programs have none.
TEST_P(WrongNamespace, LeavesThePinsAlone) {
  ASSERT_NO_FATAL_FAILURE(leave({.xdp_mode = GetParam() ? "native" : "off"}));
  ASSERT_NO_FATAL_FAILURE(expect_refused());
  expect_clean_end(*lab_, daemon());
}
INSTANTIATE_TEST_SUITE_P(Xdp, WrongNamespace, testing::Bool());

TEST_F(WrongNamespace, IsToldByLinksWhereNothingIsWrittenDown) {
  ASSERT_NO_FATAL_FAILURE(leave());
  fs::remove(node().pins + "/namespace");
  ASSERT_NO_FATAL_FAILURE(expect_refused());
  ASSERT_NO_FATAL_FAILURE(leave());
  EXPECT_TRUE(fs::is_symlink(node().pins + "/namespace"));
  expect_clean_end(*lab_, daemon());
}

TEST_F(WrongNamespace, IsWrittenDownAgain) {
  ASSERT_NO_FATAL_FAILURE(leave());
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  fs::remove(node().pins + "/namespace");
  EXPECT_TRUE(eventually(kSoon, [&] { return fs::is_symlink(node().pins + "/namespace"); }));
  expect_clean_end(*lab_, daemon());
}

// The links that are left hold nothing any more.
TEST_F(WrongNamespace, ThatHasEndedLeavesItsPinsToOthers) {
  Node gone = lab_->node(2);
  gone.netns = lab_->prefix() + "-gone";
  gone.pins = node().pins;
  const auto made = run({"sh", "-ec",
                         "ip netns add " + gone.netns + "; ip -n " + gone.netns +
                             " link add eth0 type veth peer name eth1; ip -n " + gone.netns + " link set eth0 up"},
                        seconds(20));
  ASSERT_TRUE(made) << made.error().message;
  Daemon there(*lab_, gone);
  const auto started = there.start();
  EXPECT_TRUE(started) << started.error().message;
  EXPECT_EQ(there.stop(), 0);
  run({"ip", "netns", "del", gone.netns}, seconds(20)).has_value();
  // Which takes the kernel a moment.
  add_daemon(1);
  put({}, {backend(1, 1)});
  EXPECT_TRUE(eventually(kSoon, [&] { return bool(daemon().start()); })) << daemon().log();
  EXPECT_EQ(programs(), kAll);
  expect_service();
  expect_clean_end(*lab_, daemon());
}

}  // namespace
}  // namespace fairlead::test
