// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "tests/lab/leftovers.h"
#include "tests/lab/scenario.h"

// Whose a network namespace, a link and a pin are.
namespace fairlead::test {
namespace {

namespace fs = std::filesystem;

using std::chrono::seconds;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using Programs = std::set<std::string>;

const Programs kTc{"eth0 tc ingress", "eth0 tc egress"};
const Programs kAll{"eth0 tc ingress", "eth0 tc egress", "eth0 xdp driver"};

class Ownership : public Scenario {
 protected:
  void SetUp() override {
    Scenario::SetUp();
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
  }

  const Node& node() const { return lab_->node(1); }
  std::string other_pins() const { return node().pins + "/other"; }
  Programs programs() const { return programs_on(*lab_, node()); }

  // One lbd after the other, over the same manifests.
  void restart(const DaemonOptions& options) {
    if (daemons_.contains(1)) {
      EXPECT_EQ(daemon().stop(), 0);
    }
    daemons_.erase(1);
    add_daemon(1, options);
    put({}, {backend(1, 1), backend(2, 1)});
    const auto started = daemon().start();  // the other node's goes on as it is
    ASSERT_TRUE(started) << started.error().message;
  }
  void leave_other(const std::string& xdp_mode) {
    ASSERT_NO_FATAL_FAILURE(restart({.xdp_mode = xdp_mode, .more = {{"--bpffs-path", other_pins()}}}));
  }

  // Whatever it does, with its status and both of its outputs.
  std::string run_another(const Flags& flags, const std::vector<std::string>& switches, int status) {
    auto process = daemon().start_another(flags, switches);
    EXPECT_TRUE(process) << process.error().message;
    EXPECT_EQ(process->wait(seconds(20)), status) << process->err();
    return process->out() + process->err();
  }

  // Where this build pins its flows; empty while there are none.
  std::string flows_pin() const {
    std::error_code error;
    for (fs::directory_iterator entry(node().pins + "/maps", error), end; !error && entry != end;
         entry.increment(error))
      if (entry->path().filename().string().starts_with("lb_flow4-v")) return entry->path();
    return "";
  }
  std::int64_t flows_id() const {
    const auto map = bpftool(*lab_, node(), {"map", "show", "pinned", flows_pin()});
    return map.is_object() && map.as_object().contains("id") ? map.at("id").to_number<std::int64_t>() : 0;
  }

  void expect_service() const {
    const AskReport report = ask(Transport::Tcp, vip_of(10, Family::IPv4), {.count = 20});
    EXPECT_EQ(report.failed, 0U) << testing::PrintToString(report.failures);
  }

  void expect_clean_end() {
    fs::remove_all(other_pins());
    test::expect_clean_end(*lab_, daemon());
  }
};

// Under whatever path: the devices are the same.
TEST_F(Ownership, ANetworkNamespaceHasOneLbd) {
  ASSERT_NO_FATAL_FAILURE(restart({}));
  const auto links = pinned_links(*lab_, node());
  const Flags elsewhere{{"--bpffs-path", other_pins()},
                        {"--control-socket", node().run + "/other.sock"},
                        {"--healthz-bind-address", ""},
                        {"--metrics-bind-address", ""}};
  const std::string refusal = "another lbd runs in this network namespace";
  EXPECT_THAT(run_another(elsewhere, {}, 1), HasSubstr(refusal));
  EXPECT_THAT(run_another(elsewhere, {"--cleanup"}, 1), HasSubstr(refusal));
  EXPECT_FALSE(fs::exists(other_pins()));
  EXPECT_EQ(programs(), kAll);
  EXPECT_EQ(pinned_links(*lab_, node()), links);
  expect_service();
  expect_clean_end();
}

// Without --devices a start looks for what has programs of ours before anything else.
TEST_F(Ownership, AStartThatIsRefusedHasMovedNoLink) {
  ASSERT_NO_FATAL_FAILURE(restart({}));
  fs::create_directories(other_pins());
  const Flags elsewhere{{"--bpffs-path", other_pins()},
                        {"--control-socket", node().run + "/other.sock"},
                        {"--healthz-bind-address", ""},
                        {"--metrics-bind-address", ""},
                        {"--devices", ""}};
  EXPECT_THAT(run_another(elsewhere, {}, 1), HasSubstr("another lbd runs in this network namespace"));
  EXPECT_FALSE(fs::exists(other_pins() + "/links"));
  fs::remove(other_pins());
  expect_clean_end();
}

TEST_F(Ownership, CleanUpSaysThatItsDirectoryIsNotThere) {
  ASSERT_NO_FATAL_FAILURE(restart({}));
  EXPECT_EQ(daemon().stop(), 0);
  const std::string said = run_another({{"--bpffs-path", other_pins()}}, {"--cleanup"}, 1);
  EXPECT_THAT(said, HasSubstr(other_pins() + ": no such directory"));
  EXPECT_THAT(said, ContainsRegex("removed tc ingress( \\(tcx\\))? on eth0"));
  EXPECT_THAT(said, HasSubstr("removed XDP (native) on eth0")) << "which is pinned in another directory";
  EXPECT_THAT(said, HasSubstr("whose maps stay: --cleanup --bpffs-path " + node().pins + " removes them"));
  EXPECT_EQ(programs(), Programs{});
  expect_clean_end();
}

// With no more capabilities than lbd.service and the DaemonSet give, which may not ask for a program's name.
TEST_F(Ownership, LinksOfAnotherPinDirectoryAreTakenOverWithoutSysAdmin) {
  ASSERT_NO_FATAL_FAILURE(leave_other("native"));
  const auto links = pinned_links(*lab_, node());
  ASSERT_NO_FATAL_FAILURE(restart({.launcher = {"setpriv", "--bounding-set=-sys_admin"}}));
  EXPECT_EQ(programs(), kAll);
  EXPECT_EQ(pinned_links(*lab_, node()), links) << "the same, with other programs";
  EXPECT_THAT(problems(), IsEmpty());
  expect_service();
  expect_clean_end();
}

// Links whose pins are in a bpf file system that lbd does not look into, as after one was mounted over another.
class Unseen : public Ownership {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Ownership::SetUp());
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(restart({}));
    links_ = pinned_links(*lab_, node());
    ASSERT_FALSE(links_.empty());
  }
  void TearDown() override {
    unmount();
    fs::remove(mount_);
    Ownership::TearDown();
  }

  void hide() const {
    std::string script = "mkdir -p " + mount_ + "; mount -t bpf bpf " + mount_;
    for (const std::int64_t id : links_)
      script += "; bpftool link pin id " + std::to_string(id) + " " + mount_ + "/" + std::to_string(id);
    const auto hidden = lab_->run_in(node(), {"sh", "-ec", script + "; rm " + node().pins + "/links/*"});
    ASSERT_TRUE(hidden) << hidden.error().message;
  }
  void expect_all_taken_over() {
    EXPECT_TRUE(eventually(seconds(20), [&] { return pinned_links(*lab_, node()) == links_; }));
    EXPECT_EQ(programs(), kAll);
    EXPECT_THAT(problems(), IsEmpty());
    expect_service();
    unmount();
    expect_clean_end();
  }
  void unmount() const { run({"umount", mount_}, seconds(20)).has_value(); }

  const std::string mount_ = "/tmp/fairlead-unseen-" + std::to_string(getpid());
  std::set<std::int64_t> links_;
};

TEST_F(Unseen, ArePinnedAgainByALbdThatRuns) {
  ASSERT_NO_FATAL_FAILURE(hide());
  expect_all_taken_over();
}

TEST_F(Unseen, AreTakenOverByTheNext) {
  EXPECT_EQ(daemon().stop(), 0);
  ASSERT_NO_FATAL_FAILURE(hide());
  ASSERT_NO_FATAL_FAILURE(restart({}));
  expect_all_taken_over();
}

TEST_F(Unseen, AreNotDesiredBySomebodyWithoutXdp) {
  EXPECT_EQ(daemon().stop(), 0);
  ASSERT_NO_FATAL_FAILURE(hide());
  ASSERT_NO_FATAL_FAILURE(restart({.xdp_mode = "off"}));
  EXPECT_EQ(programs(), kTc);
  unmount();  // what lbd has detached keeps its number while it is pinned anywhere
  expect_clean_end();
}

// A link that holds nothing any more still has its program, and that its maps.
TEST_F(Unseen, EndWithCleanUp) {
  EXPECT_EQ(daemon().stop(), 0);
  ASSERT_NO_FATAL_FAILURE(hide());
  EXPECT_THAT(run_another({}, {"--cleanup"}, 1), HasSubstr("maps of the programs stay"));
  EXPECT_EQ(programs(), Programs{});
  EXPECT_FALSE(fs::exists(node().pins));
}

TEST_F(Unseen, EndWithCleanUpUnderAnyPath) {
  EXPECT_EQ(daemon().stop(), 0);
  ASSERT_NO_FATAL_FAILURE(hide());
  EXPECT_THAT(run_another({{"--bpffs-path", other_pins()}}, {"--cleanup"}, 1), HasSubstr("removed XDP"));
  EXPECT_EQ(programs(), Programs{});
  expect_clean_end();
}

// The other node's links lie in the same file system, for a device of the same number.
TEST_F(Ownership, LinksOfAnotherPinDirectoryAreTakenOver) {
  ASSERT_NO_FATAL_FAILURE(leave_other("native"));
  add_daemon(2, {});
  const auto started = daemon(2).start();
  ASSERT_TRUE(started) << started.error().message;
  const auto links = pinned_links(*lab_, node()), of_others = pinned_links(*lab_, lab_->node(2));
  ASSERT_FALSE(links.empty());
  ASSERT_NO_FATAL_FAILURE(restart({}));
  EXPECT_EQ(programs(), kAll);
  EXPECT_EQ(pinned_links(*lab_, node()), links) << "the same, with other programs";
  EXPECT_THAT(problems(), IsEmpty());
  expect_service();
  expect_clean_end();
  EXPECT_EQ(pinned_links(*lab_, lab_->node(2)), of_others);
  EXPECT_EQ(programs_on(*lab_, lab_->node(2)), kAll);
}

// It would forward for ever by maps that nobody writes any more.
TEST_F(Ownership, XdpOfAnotherPinDirectoryIsTakenOffWhereItIsNotAskedFor) {
  ASSERT_NO_FATAL_FAILURE(leave_other("native"));
  ASSERT_NO_FATAL_FAILURE(restart({.xdp_mode = "off"}));
  EXPECT_EQ(programs(), kTc);
  expect_service();
  expect_clean_end();
}

TEST_F(Ownership, PinsThatAreGoneArePinnedAgain) {
  ASSERT_NO_FATAL_FAILURE(restart({}));
  const std::int64_t flows = flows_id();
  ASSERT_NE(flows, 0);
  fs::remove_all(node().pins);
  EXPECT_TRUE(eventually(kSoon, [&] { return flows_id() == flows && programs() == kAll; }));
  EXPECT_THAT(daemon().log(), HasSubstr("not pinned any more, and are pinned again"));
  EXPECT_THAT(problems(), IsEmpty());
  ASSERT_NO_FATAL_FAILURE(restart({}));
  EXPECT_EQ(flows_id(), flows) << "with the flows in it";
  EXPECT_THAT(daemon().log(), testing::Not(HasSubstr("cannot be taken over")));
  expect_service();
  expect_clean_end();
}

// The lock was on the directory that has gone.
TEST_F(Ownership, ThePinDirectoryThatIsMadeAgainIsLockedAgain) {
  ASSERT_NO_FATAL_FAILURE(restart({}));
  fs::remove_all(node().pins);
  ASSERT_TRUE(eventually(kSoon, [&] { return flows_id() != 0; }));
  const Daemon elsewhere(*lab_, lab_->node(2), {});
  auto process = elsewhere.start_another({{"--bpffs-path", node().pins}}, {"--cleanup"});
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_EQ(process->wait(seconds(20)), 1) << process->out();
  EXPECT_THAT(process->err(), HasSubstr("lock " + node().pins));
  expect_clean_end();
}

TEST_F(Ownership, APinThatCannotBePutBackIsAProblem) {
  ASSERT_NO_FATAL_FAILURE(restart({}));
  const std::string pin = flows_pin();
  const std::int64_t flows = flows_id();
  fs::rename(pin, node().pins + "/aside");
  fs::create_directories(pin + "/in-the-way");
  EXPECT_TRUE(eventually(kSoon, [&] { return !problems().empty(); }));
  EXPECT_THAT(problems(), testing::ElementsAre(HasSubstr(pin)));
  fs::remove_all(pin);
  EXPECT_TRUE(eventually(kSoon, [&] { return problems().empty() && flows_id() == flows; }));
  fs::remove(node().pins + "/aside");
  expect_clean_end();
}

}  // namespace
}  // namespace fairlead::test
