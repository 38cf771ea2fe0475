// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "tests/lab/leftovers.h"
#include "tests/lab/scenario.h"

// Qdiscs and filters of others where ours should be, and qdiscs of ours that are left without filters.
namespace fairlead::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Programs = std::set<std::string>;

const Programs kBoth{"up2 tc ingress", "up2 tc egress"};

// As earlier builds, which took a qdisc of kind ingress for clsact, left a filter of theirs on one.
constexpr const char* kLeaveFilter =
    "program=$(tc filter show dev eth0 ingress | sed -n 's/.* id \\([0-9]*\\) name lb_tc_ingress .*/\\1/p'); "
    "bpftool prog pin id $program $PIN; tc qdisc show dev up2 | grep -q ingress || tc qdisc add dev up2 ingress; "
    "tc filter add dev up2 ingress pref 1 handle 0xfa1 bpf direct-action object-pinned $PIN; rm $PIN";

class Qdisc : public Scenario {
 protected:
  void SetUp() override {
    Scenario::SetUp();
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
    shell("ip link add up2 type veth peer name peer2");
  }

  const Node& node() const { return lab_->node(1); }

  std::string shell(const std::string& script) const {
    const auto ran = lab_->run_in(node(), {"sh", "-ec", script});
    EXPECT_TRUE(ran) << ran.error().message;
    return ran ? *ran : "";
  }

  // Prepared for these devices, with a service.
  void prepare(const std::string& devices) {
    daemons_.erase(1);
    add_daemon(1, {.xdp_mode = "off", .more = {{"--devices", devices}}});
    put({}, {backend(1, 1), backend(2, 1)});
  }

  void start(const std::string& devices) {
    prepare(devices);
    ASSERT_NO_FATAL_FAILURE(start_daemons());
    if (!pinned_links(*lab_, node()).empty()) GTEST_SKIP() << "tc programs are links here";
  }

  // What it says when it ends instead of starting.
  std::string refusal(const std::string& devices) {
    prepare(devices);
    EXPECT_FALSE(daemon().start());
    return daemon().log();
  }

  std::vector<std::string> devices() {
    std::vector<std::string> names;
    const auto status = daemon().query<admin::StatusView>({"status"});
    for (const auto& device : status->devices)
      names.push_back(device.name);
    return names;
  }

  Programs programs_of(const std::string& device) const {
    Programs programs;
    for (const std::string& one : programs_on(*lab_, node()))
      if (one.starts_with(device + " ")) programs.insert(one);
    return programs;
  }

  std::string qdiscs() const { return shell("tc qdisc show dev up2"); }
  void leave_filter() const {
    shell("PIN=$(dirname " + node().pins + ")/lb_$(basename " + node().pins + "); " + kLeaveFilter);
  }
  // bpftool knows of clsact's only.
  bool has_filter() const { return shell("tc filter show dev up2 ingress").find("lb_tc_ingress") != std::string::npos; }
};

struct Obstacle {
  std::string name, script, says;
};

class SomebodyElses : public Qdisc, public testing::WithParamInterface<Obstacle> {};

// The device has neither program, and all others are served; it is served as soon as it can be.
TEST_P(SomebodyElses, KeepsADeviceWhole) {
  const auto& [name, script, says] = GetParam();
  shell(script);
  ASSERT_NO_FATAL_FAILURE(start("eth0,up2"));
  if (IsSkipped()) return;
  EXPECT_THAT(problems(), testing::ElementsAre(HasSubstr(says)));
  EXPECT_THAT(devices(), testing::ElementsAre("eth0"));
  EXPECT_THAT(shell("tc filter show dev up2 ingress; tc filter show dev up2 egress"), Not(HasSubstr("lb_tc")));
  EXPECT_THAT(daemon().log(), Not(HasSubstr("removed tc")));
  shell("tc qdisc delete dev up2 " + std::string(name == "ingress" ? "ingress" : "clsact"));
  EXPECT_TRUE(eventually(kSoon, [&] { return problems().empty(); })) << testing::PrintToString(problems());
  EXPECT_THAT(devices(), Contains("up2"));
  EXPECT_EQ(programs_of("up2"), kBoth);
  expect_clean_end(*lab_, daemon());
}

TEST_P(SomebodyElses, IsTheEndOfAStartWithoutAnotherDevice) {
  const auto& [name, script, says] = GetParam();
  ASSERT_NO_FATAL_FAILURE(start("eth0"));
  if (IsSkipped()) return;
  daemon().stop();
  shell(script);
  EXPECT_THAT(refusal("up2"), AllOf(HasSubstr("critical"), HasSubstr(says)));
  EXPECT_THAT(programs_of("up2"), IsEmpty());
  expect_clean_end(*lab_, daemon());
}

INSTANTIATE_TEST_SUITE_P(
    , SomebodyElses,
    testing::Values(
        Obstacle{"ingress", "tc qdisc add dev up2 ingress", "up2 has a qdisc of kind ingress, which has no egress"},
        Obstacle{"egress_filter",
                 "tc qdisc add dev up2 clsact; tc filter add dev up2 egress pref 1 protocol ip u32 match u32 0 0",
                 "up2 cannot have tc egress: priority 1 is taken by a u32 filter"},
        Obstacle{"ingress_filter",
                 "tc qdisc add dev up2 clsact; tc filter add dev up2 ingress pref 1 protocol ip u32 match u32 0 0",
                 "up2 cannot have tc ingress: priority 1 is taken by a u32 filter"},
        // Which is not looked for: egress is attached before it shows, and comes off again.
        Obstacle{"shared_block", "tc qdisc add dev up2 ingress_block 5 clsact",
                 "attach tc ingress on up2: its filters are those of a shared block"}),
    [](const auto& info) { return info.param.name; });

TEST_F(Qdisc, OfKindIngressLosesWhatEarlierBuildsPutThere) {
  ASSERT_NO_FATAL_FAILURE(start("eth0"));
  if (IsSkipped()) return;
  leave_filter();
  EXPECT_TRUE(eventually(kSoon, [&] { return !has_filter(); }));
  daemon().stop();
  leave_filter();
  ASSERT_NO_FATAL_FAILURE(start("eth0,up2"));
  EXPECT_THAT(problems(), Contains(HasSubstr("kind ingress")));
  EXPECT_FALSE(has_filter()) << "on a device that is asked for";
  EXPECT_THAT(qdiscs(), HasSubstr("ingress"));
  expect_clean_end(*lab_, daemon());
}

TEST_F(Qdisc, OfKindIngressIsCleanedUpToo) {
  ASSERT_NO_FATAL_FAILURE(start("eth0"));
  if (IsSkipped()) return;
  daemon().stop(SIGKILL);
  leave_filter();
  EXPECT_THAT(expect_clean_end(*lab_, daemon()), HasSubstr("removed tc ingress on up2"));
  EXPECT_FALSE(has_filter());
  EXPECT_THAT(qdiscs(), HasSubstr("ingress"));
}

// As a process leaves one that is killed before its first filter is in it, or after its last has gone.
class Left : public Qdisc {
 protected:
  void leave_empty() {
    ASSERT_NO_FATAL_FAILURE(start("eth0,up2"));
    if (IsSkipped()) return;
    daemon().stop(SIGKILL);
    shell("tc filter delete dev up2 ingress; tc filter delete dev up2 egress");
    ASSERT_THAT(qdiscs(), HasSubstr("clsact"));
  }
};

TEST_F(Left, EmptyIsRemovedByCleanUp) {
  ASSERT_NO_FATAL_FAILURE(leave_empty());
  if (IsSkipped()) return;
  expect_clean_end(*lab_, daemon());
  EXPECT_THAT(qdiscs(), Not(HasSubstr("clsact")));
}

TEST_F(Left, EmptyIsRemovedByTheNextStart) {
  ASSERT_NO_FATAL_FAILURE(leave_empty());
  if (IsSkipped()) return;
  ASSERT_NO_FATAL_FAILURE(start("eth0"));
  EXPECT_THAT(qdiscs(), Not(HasSubstr("clsact")));
  expect_clean_end(*lab_, daemon());
}

TEST_F(Left, EmptyIsStillOursToTheNextStart) {
  ASSERT_NO_FATAL_FAILURE(leave_empty());
  if (IsSkipped()) return;
  ASSERT_NO_FATAL_FAILURE(start("eth0,up2"));
  expect_clean_end(*lab_, daemon());
  EXPECT_THAT(qdiscs(), Not(HasSubstr("clsact")));
}

TEST_F(Left, WithFiltersOfOthersIsTheirs) {
  ASSERT_NO_FATAL_FAILURE(leave_empty());
  if (IsSkipped()) return;
  shell("tc filter add dev up2 ingress pref 7 protocol ip u32 match u32 0 0");
  expect_clean_end(*lab_, daemon());
  EXPECT_THAT(qdiscs(), HasSubstr("clsact"));
  EXPECT_EQ(shell("tc chain show dev up2 ingress").find("chain 4001"), std::string::npos) << "nor a mark in it";
}

// As when a CNI plugin that has one of its own begins anew.
TEST_F(Qdisc, RemadeBySomebodyIsTheirs) {
  ASSERT_NO_FATAL_FAILURE(start("eth0,up2"));
  if (IsSkipped()) return;
  shell("printf 'qdisc delete dev up2 clsact\\nqdisc add dev up2 clsact\\n' | tc -batch -");
  EXPECT_TRUE(eventually(kSoon, [&] { return programs_of("up2") == kBoth; }));
  expect_clean_end(*lab_, daemon());
  EXPECT_THAT(qdiscs(), HasSubstr("clsact"));
}

TEST_F(Qdisc, ThatWasThereBeforeStaysWithoutAPinDirectory) {
  shell("tc qdisc add dev up2 clsact");
  ASSERT_NO_FATAL_FAILURE(start("eth0,up2"));
  if (IsSkipped()) return;
  daemon().stop();
  std::filesystem::remove_all(node().pins);
  expect_clean_end(*lab_, daemon());
  EXPECT_THAT(qdiscs(), HasSubstr("clsact"));
  EXPECT_THAT(shell("tc qdisc show dev eth0"), Not(HasSubstr("clsact")));
}

}  // namespace
}  // namespace fairlead::test
