// SPDX-License-Identifier: Apache-2.0
#include <linux/bpf.h>

#include <cerrno>
#include <filesystem>

#include "tests/lab/leftovers.h"
#include "tests/lab/scenario.h"

// A start that cannot put its programs in the place of those of the lbd before it.
namespace fairlead::test {
namespace {

namespace fs = std::filesystem;

using std::chrono::seconds;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Programs = std::set<std::string>;
using Launcher = std::vector<std::string>;

const Programs kAll{"eth0 tc ingress", "eth0 tc egress", "eth0 xdp driver"};

Launcher refused_bpf(bpf_cmd command, int error) {
  return {FAIRLEAD_REFUSING_PROGRAM, "bpf", std::to_string(command), std::to_string(error)};
}

// libbpf asks for a filter in more bytes than for anything else.
Launcher refused_filters(int error) {
  return {FAIRLEAD_REFUSING_PROGRAM, "sendto", "64", std::to_string(error)};
}

Launcher operator+(Launcher a, const Launcher& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

class Replacement : public Scenario {
 protected:
  void SetUp() override {
    Scenario::SetUp();
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
    ASSERT_NO_FATAL_FAILURE(restart({}));
    links_ = pinned_links(*lab_, node());
  }

  const Node& node() const { return lab_->node(1); }
  Programs programs() const { return programs_on(*lab_, node()); }
  // As they are by a libbpf that knows tcx.
  bool tc_by_links() const { return links_.size() > 1; }
  Launcher refused_tc(int error) const {
    return tc_by_links() ? refused_bpf(BPF_LINK_UPDATE, error) : refused_filters(error);
  }

  void restart(const DaemonOptions& options) {
    if (daemons_.contains(1)) {
      EXPECT_EQ(daemon().stop(), 0);
    }
    daemons_.erase(1);
    add_daemon(1, options);
    put({}, {backend(1, 1), backend(2, 1)});
    ASSERT_NO_FATAL_FAILURE(start_daemons());
  }

  // One that cannot; returns what it said.
  std::string fail_to_start(const Launcher& launcher, const std::string& program) {
    EXPECT_EQ(daemon().stop(), 0);
    auto process = Daemon(*lab_, node(), {.launcher = launcher, .program = program}).start_another();
    EXPECT_TRUE(process) << process.error().message;
    EXPECT_EQ(process->wait(seconds(30)), 1) << process->err();
    return process->err();
  }

  void expect_service() const {
    const AskReport report = ask(Transport::Tcp, vip_of(10, Family::IPv4), {.count = 20});
    EXPECT_EQ(report.failed, 0U) << testing::PrintToString(report.failures);
  }
  static void expect_held(Hold& hold) {
    for (const HeldConnection& connection : *hold.finish())
      EXPECT_EQ(connection.broken, "") << connection.server;
  }

  std::set<std::string> maps() const {
    std::set<std::string> maps;
    for (const auto& entry : fs::directory_iterator(node().pins + "/maps"))
      maps.insert(entry.path().filename());
    return maps;
  }

  std::set<std::int64_t> links_;
};

// By this build, whose maps are the same, and by one with others.
class RefusedTc : public Replacement, public testing::WithParamInterface<std::string> {};

TEST_P(RefusedTc, LeavesTheEarlierProgramsInTheirPlaces) {
  auto hold = Hold::start(*lab_, lab_->client(), vip_of(10, Family::IPv4), 10);
  ASSERT_TRUE(hold) << hold.error().message;
  const std::string said = fail_to_start(refused_tc(ENOBUFS), GetParam());
  EXPECT_THAT(said, AllOf(HasSubstr("replace tc egress"), HasSubstr("No buffer space available"),
                          HasSubstr("an earlier lbd's programs are attached still")));
  EXPECT_EQ(programs(), kAll);
  EXPECT_EQ(pinned_links(*lab_, node()), links_);
  expect_service();
  expect_held(*hold);
  ASSERT_TRUE(daemon().start());
  EXPECT_THAT(problems(), IsEmpty());
  expect_service();
  test::expect_clean_end(*lab_, daemon());
}

INSTANTIATE_TEST_SUITE_P(, RefusedTc, testing::Values("", FAIRLEAD_OTHER_LBD_PROGRAM),
                         [](const auto& info) { return info.param.empty() ? "of_this_build" : "of_another_build"; });

class RefusedXdp : public Replacement {
 protected:
  void SetUp() override {
    Replacement::SetUp();
    if (!IsSkipped() && tc_by_links()) GTEST_SKIP() << "tc's programs are links as well, and come first";
  }
};

TEST_F(RefusedXdp, IsAttachedAnew) {
  auto hold = Hold::start(*lab_, lab_->client(), vip_of(10, Family::IPv4), 10);
  ASSERT_TRUE(hold) << hold.error().message;
  const auto before = maps();
  ASSERT_NO_FATAL_FAILURE(
      restart({.launcher = refused_bpf(BPF_LINK_UPDATE, EINVAL), .program = FAIRLEAD_OTHER_LBD_PROGRAM}));
  EXPECT_EQ(programs(), kAll);
  EXPECT_NE(pinned_links(*lab_, node()), links_);
  EXPECT_THAT(problems(), IsEmpty());
  EXPECT_THAT(daemon().log(), HasSubstr("replace XDP (native) on eth0: Invalid argument; it was taken off"));
  EXPECT_EQ(daemon().query<admin::StatusView>({"status"})->devices.at(0).xdp, "native");
  EXPECT_EQ(maps().size(), before.size()) << "the upgrade is finished";
  expect_service();
  expect_held(*hold);
}

// A tool of somebody's keeps the link, which can be neither updated nor detached.
TEST_F(RefusedXdp, ThatStaysKeepsItsMapsAndIsNamed) {
  const auto before = maps();
  const fs::path kept = node().pins + "-kept";
  ASSERT_TRUE(
      lab_->run_in(node(), {"sh", "-ec", "bpftool link pin pinned " + node().pins + "/links/xdp-* " + kept.string()}));
  ASSERT_NO_FATAL_FAILURE(
      restart({.launcher = refused_bpf(BPF_LINK_UPDATE, EINVAL) + refused_bpf(BPF_LINK_DETACH, EPERM),
               .program = FAIRLEAD_OTHER_LBD_PROGRAM}));
  EXPECT_THAT(problems(),
              Contains(AllOf(HasSubstr("an earlier lbd's programs are attached still"), HasSubstr("XDP on eth0"))));
  EXPECT_THAT(problems(), Not(Contains(HasSubstr("another XDP program is attached"))));
  EXPECT_EQ(daemon().query<admin::StatusView>({"status"})->devices.at(0).name, "eth0");
  EXPECT_GT(maps().size(), before.size()) << "those of both builds";

  fs::remove(kept);
  EXPECT_TRUE(eventually(kSoon, [&] { return problems().empty(); })) << testing::PrintToString(problems());
  EXPECT_EQ(daemon().query<admin::StatusView>({"status"})->devices.at(0).xdp, "native");
  EXPECT_TRUE(eventually(kSoon, [&] { return maps().size() == before.size(); })) << "the upgrade is finished";
  EXPECT_EQ(programs(), kAll);
  expect_service();
}

}  // namespace
}  // namespace fairlead::test
