// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/resource.h>

#include <filesystem>
#include <iterator>

#include "tests/lab/leftovers.h"
#include "tests/lab/scenario.h"
#include "userspace/util/fd.h"

// What is attached to which device after this and that, and that --cleanup takes all of it away.
namespace fairlead::test {
namespace {

namespace fs = std::filesystem;

using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;
using Programs = std::set<std::string>;

Programs programs_of(const std::string& device, const std::string& xdp = "off") {
  Programs programs{device + " tc ingress", device + " tc egress"};
  if (xdp != "off") programs.insert(device + " xdp " + (xdp == "native" ? "driver" : xdp));
  return programs;
}

Programs operator+(Programs a, const Programs& b) {
  a.insert(b.begin(), b.end());
  return a;
}

class Attachments : public Scenario {
 protected:
  void SetUp() override {
    Scenario::SetUp();
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
  }

  const Node& node() const { return lab_->node(1); }

  void shell(const std::string& script) const {
    const auto ran = lab_->run_in(node(), {"sh", "-ec", script});
    ASSERT_TRUE(ran) << ran.error().message;
  }

  // Another lbd over the same pins and manifests.
  void restart(const DaemonOptions& options) {
    if (daemons_.contains(1)) {
      EXPECT_EQ(daemon().stop(), 0);
    }
    daemons_.erase(1);
    add_daemon(1, options);
    put({}, {backend(1, 1), backend(2, 1)});
    ASSERT_NO_FATAL_FAILURE(start_daemons());
  }

  Programs programs() const { return programs_on(*lab_, node()); }
  bool become(const Programs& desired) const {
    return eventually(kSoon, [&] { return programs() == desired; });
  }

  void expect_service() const {
    const AskReport report = ask(Transport::Tcp, vip_of(10, Family::IPv4), {.count = 20});
    EXPECT_EQ(report.failed, 0U) << testing::PrintToString(report.failures);
  }

  // A device with an XDP program of somebody else.
  void occupy(const std::string& device) const {
    const std::string pin = node().pins + "-somebody";
    const bpf_insn code[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, XDP_PASS},
                             {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
    const Fd program(bpf_prog_load(BPF_PROG_TYPE_XDP, "somebody", "GPL", code, std::size(code), nullptr));
    ASSERT_EQ(bpf_obj_pin(program.get(), pin.c_str()), 0);
    shell("ip link add " + device + " type veth peer name peer-" + device + "; bpftool net attach xdpdrv pinned " +
          pin + " dev " + device + "; rm " + pin);
  }

  void expect_clean_end() { EXPECT_THAT(test::expect_clean_end(*lab_, daemon()), HasSubstr("removed tc ingress")); }
};

struct ModeChange {
  std::string before, after;
};

class XdpMode : public Attachments, public testing::WithParamInterface<ModeChange> {};

// TCP connections live through it, and new ones are served in both modes.
TEST_P(XdpMode, IsChangedByARestart) {
  const auto& [before, after] = GetParam();
  ASSERT_NO_FATAL_FAILURE(restart({.xdp_mode = before}));
  auto hold = Hold::start(*lab_, lab_->client(), vip_of(10, Family::IPv4), 10);
  ASSERT_TRUE(hold) << hold.error().message;
  EXPECT_EQ(programs(), programs_of("eth0", before));
  ASSERT_NO_FATAL_FAILURE(restart({.xdp_mode = after}));
  EXPECT_EQ(programs(), programs_of("eth0", after));
  EXPECT_EQ(daemon().query<admin::StatusView>({"status"})->devices.at(0).xdp, after);
  expect_service();
  for (const HeldConnection& connection : *hold->finish())
    EXPECT_EQ(connection.broken, "") << connection.server;
  expect_clean_end();
}

INSTANTIATE_TEST_SUITE_P(, XdpMode,
                         testing::Values(ModeChange{"native", "generic"}, ModeChange{"native", "off"},
                                         ModeChange{"generic", "native"}, ModeChange{"generic", "off"},
                                         ModeChange{"off", "native"}, ModeChange{"off", "generic"}),
                         [](const auto& info) { return info.param.before + "_" + info.param.after; });

TEST_F(Attachments, ADeviceThatIsNotAskedForAnyMoreLosesAllPrograms) {
  shell("ip link add up2 type veth peer name peer2; ip link set up2 up; ip link set peer2 up");
  ASSERT_NO_FATAL_FAILURE(restart({.more = {{"--devices", "eth0,up2"}}}));
  EXPECT_EQ(programs(), programs_of("eth0", "native") + programs_of("up2", "native"));
  ASSERT_NO_FATAL_FAILURE(restart({}));
  EXPECT_EQ(programs(), programs_of("eth0", "native"));
  expect_service();
  expect_clean_end();
}

TEST_F(Attachments, ARenamedDeviceKeepsItsPrograms) {
  shell("ip link add up2 type veth peer name peer2; ip link set peer2 up");
  ASSERT_NO_FATAL_FAILURE(restart({.more = {{"--devices", "eth0,up2"}}}));
  shell("ip link set up2 name wan2");
  const Programs both = programs_of("eth0", "native") + programs_of("wan2", "native");
  EXPECT_TRUE(eventually(kSoon, [&] { return daemon().log().find("wan2, which was") != std::string::npos; }));
  EXPECT_EQ(daemon().query<admin::StatusView>({"status"})->devices.at(1).name, "wan2");
  shell("ip link set peer2 down; ip link set peer2 up");
  EXPECT_EQ(programs(), both);
  const std::string log = daemon().log();
  EXPECT_EQ(log.find("any more: wan2", log.find("any more: wan2") + 1), log.npos) << "once: " << log;

  shell("ip link add up2 type veth peer name peer3");
  EXPECT_TRUE(become(programs_of("eth0", "native") + programs_of("up2", "native"))) << "the name is another's now";
  ASSERT_NO_FATAL_FAILURE(restart({.more = {{"--devices", "eth0,wan2"}}}));
  EXPECT_EQ(programs(), both);
  expect_clean_end();
}

// lbd's own link must not be taken for another's.
TEST_F(Attachments, TheNextStartKnowsADeviceByItsNewName) {
  ASSERT_NO_FATAL_FAILURE(restart({}));
  EXPECT_EQ(daemon().stop(), 0);
  shell("ip link set eth0 name wan0");
  daemons_.erase(1);
  ASSERT_NO_FATAL_FAILURE(restart({.more = {{"--devices", "wan0"}}}));
  EXPECT_EQ(programs(), programs_of("wan0", "native"));
  expect_service();
  expect_clean_end();
}

struct Removal {
  std::string name, script;
};

class Interference : public Attachments, public testing::WithParamInterface<Removal> {};

// Whichever way: lbd does not wait to be told.
TEST_P(Interference, IsUndone) {
  ASSERT_NO_FATAL_FAILURE(restart({}));
  ASSERT_NO_FATAL_FAILURE(restart({}));  // one that has found them, rather than made them
  shell("cd " + node().pins + "/links; " + GetParam().script);
  EXPECT_TRUE(eventually(kSoon, [&] { return daemon().log().find("is attached again") != std::string::npos; }));
  EXPECT_TRUE(become(programs_of("eth0", "native"))) << testing::PrintToString(programs());
  EXPECT_EQ(daemon().query<admin::StatusView>({"status"})->devices.at(0).xdp, "native");
  EXPECT_THAT(problems(), IsEmpty());
  expect_service();
  expect_clean_end();
  EXPECT_THAT(lab_->run_in(node(), {"tc", "qdisc", "show", "dev", "eth0"}).value(), Not(HasSubstr("clsact")));
}

// By links where tc programs are such, and else by filters.
INSTANTIATE_TEST_SUITE_P(
    , Interference,
    testing::Values(Removal{"links", "for link in *; do bpftool link detach pinned $link; done"},
                    Removal{"pins", "rm *"},
                    Removal{"qdisc", "tc qdisc delete dev eth0 clsact || bpftool link detach pinned tc-ingress-*"},
                    Removal{"filters",
                            "tc filter delete dev eth0 ingress && tc filter delete dev eth0 egress || "
                            "rm tc-ingress-* tc-egress-*"}),
    [](const auto& info) { return info.param.name; });

// Another's XDP program is on one device, one is not there yet, and something in links is no link: all others are
// served, and each of these is as soon as it can be.
TEST_F(Attachments, WhatCannotBeHadIsAProblemAndNotTheEnd) {
  ASSERT_NO_FATAL_FAILURE(restart({}));
  daemon().stop();
  occupy("up2");
  shell("mkdir -p " + node().pins + "/links/stale/full");
  ASSERT_NO_FATAL_FAILURE(restart({.more = {{"--devices", "up2,eth0,up3"}}}));
  EXPECT_EQ(programs(), programs_of("eth0", "native") + programs_of("up2", "native"));
  EXPECT_THAT(problems(), UnorderedElementsAre(HasSubstr("XDP (native) on up2: another XDP program is attached"),
                                               HasSubstr("up3: No such device"), HasSubstr("links/stale")));
  expect_service();
  shell("ip link set up2 xdpdrv off; ip link add up3 type veth peer name peer3; rm -r " + node().pins + "/links/stale");
  EXPECT_TRUE(eventually(kSoon, [&] { return problems().empty(); })) << testing::PrintToString(problems());
  EXPECT_EQ(daemon().query<admin::StatusView>({"status"})->devices.size(), 3U);
  EXPECT_EQ(programs(), programs_of("eth0", "native") + programs_of("up2", "native") + programs_of("up3", "native"));
  expect_service();
  expect_clean_end();
}

// As when a tool of the operator's has pinned it again.
TEST_F(Attachments, ALinkThatIsPinnedTwiceIsOneLink) {
  ASSERT_NO_FATAL_FAILURE(restart({}));
  const auto links = pinned_links(*lab_, node());
  shell("for l in " + node().pins + "/links/*; do bpftool link pin pinned $l $l-again; done");
  ASSERT_NO_FATAL_FAILURE(restart({}));
  EXPECT_EQ(pinned_links(*lab_, node()), links);
  EXPECT_EQ(programs(), programs_of("eth0", "native"));
  expect_clean_end();
}

// With its old number too, which the kernel gives to whoever asks for it.
TEST_F(Attachments, ADeviceThatIsMadeAgainIsAttachedToAgain) {
  shell("ip link add up2 index 77 type veth peer name peer2");
  ASSERT_NO_FATAL_FAILURE(restart({.more = {{"--devices", "eth0,up2"}}}));
  const Programs both = programs();
  const std::size_t links = pinned_links(*lab_, node()).size();
  shell("ip link delete up2; ip link add up2 index 77 type veth peer name peer2");
  EXPECT_TRUE(become(both)) << testing::PrintToString(programs());
  shell("ip link delete up2");
  EXPECT_TRUE(eventually(kSoon, [&] { return pinned_links(*lab_, node()).size() == links / 2; })) << "its link goes";
  EXPECT_EQ(programs(), programs_of("eth0", "native"));
  expect_clean_end();
}

TEST_F(Attachments, ADeviceThatMovesToAnotherNamespaceIsLeft) {
  shell("ip link add up2 type veth peer name peer2");
  ASSERT_NO_FATAL_FAILURE(restart({.more = {{"--devices", "eth0,up2"}}}));
  shell("ip link set up2 netns " + lab_->client().netns);
  const auto elsewhere = [&] {
    const Programs there = programs_on(*lab_, lab_->client());
    return std::any_of(there.begin(), there.end(), [](const auto& one) { return one.starts_with("up2"); });
  };
  EXPECT_TRUE(eventually(kSoon, [&] { return !elsewhere(); }));
  EXPECT_EQ(programs(), programs_of("eth0", "native"));
  expect_service();
  expect_clean_end();
}

// As earlier builds pinned them: in a directory for each layout, by the device's name.
TEST_F(Attachments, LinksOfAnEarlierBuildAreTakenOver) {
  ASSERT_NO_FATAL_FAILURE(restart({}));
  daemon().stop();
  const auto links = pinned_links(*lab_, node());
  ASSERT_FALSE(links.empty());
  const fs::path earlier = node().pins + "/v0/links";
  shell("mkdir -p " + earlier.string() + "; for l in " + node().pins + "/links/*; do mv $l " + earlier.string() +
        "/$(basename $l | sed 's/-[0-9]*-[0-9]*$/-eth0/'); done");
  ASSERT_NO_FATAL_FAILURE(restart({}));
  EXPECT_EQ(pinned_links(*lab_, node()), links) << "the same, with other programs";
  EXPECT_FALSE(fs::exists(earlier));
  EXPECT_EQ(programs(), programs_of("eth0", "native"));
  expect_service();
  expect_clean_end();
}

TEST_F(Attachments, CleanUpKnowsWhatEarlierBuildsPinned) {
  ASSERT_NO_FATAL_FAILURE(restart({}));
  daemon().stop();
  shell("cd " + node().pins + "; mkdir v0; mv links maps layouts v0/; rm namespace");
  EXPECT_THAT(test::expect_clean_end(*lab_, daemon()), HasSubstr("removed XDP (native) on eth0"));
}

// Where somebody has removed the directory, links have gone with it, and filters have not.
TEST_F(Attachments, CleanUpNeedsNoPinDirectory) {
  ASSERT_NO_FATAL_FAILURE(restart({}));
  daemon().stop();
  fs::remove_all(node().pins);
  test::expect_clean_end(*lab_, daemon());
}

TEST_F(Attachments, CleanUpNamesWhatItMayNotRemove) {
  ASSERT_NO_FATAL_FAILURE(restart({.xdp_mode = "off"}));
  daemon().stop();
  const bool by_tcx = !pinned_links(*lab_, node()).empty();
  Daemon confined(*lab_, node(), {.launcher = {"setpriv", "--bounding-set=-net_admin"}});
  auto process = confined.start_another({}, {"--cleanup"});
  ASSERT_TRUE(process) << process.error().message;
  // Where tc programs are links, they go with their pins, which takes no capability.
  EXPECT_EQ(process->wait(seconds(20)), by_tcx ? 0 : 1);
  if (!by_tcx) {
    EXPECT_THAT(process->err(), HasSubstr("remove tc ingress on eth0: Operation not permitted"));
    EXPECT_EQ(programs(), programs_of("eth0"));
  }
  test::expect_clean_end(*lab_, daemon());
}

// Where the kernel says nothing, as when a socket for the question is not to be had, what was known stays.
TEST_F(Attachments, ADeviceThatCannotBeAskedKeepsWhatIsKnownOfIt) {
  ASSERT_NO_FATAL_FAILURE(restart({}));
  const auto pid = static_cast<pid_t>(daemon().query<admin::StatusView>({"status"})->pid);
  rlimit before{};
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, nullptr, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &none, nullptr), 0);
  EXPECT_TRUE(eventually(kSoon, [&] { return daemon().log().find("Too many open files") != std::string::npos; }));
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &before, nullptr), 0);
  EXPECT_TRUE(eventually(kSoon, [&] { return daemon().log().find("solved: ") != std::string::npos; }));
  EXPECT_THAT(daemon().log(), Not(HasSubstr("(XDP off)")));
  EXPECT_EQ(daemon().query<admin::StatusView>({"status"})->devices.at(0).xdp, "native");
  expect_clean_end();
}

TEST_F(Attachments, AQdiscThatWasThereBeforeStays) {
  shell("tc qdisc add dev eth0 clsact; ip link add up2 type veth peer name peer2");
  ASSERT_NO_FATAL_FAILURE(restart({.more = {{"--devices", "eth0,up2"}}}));
  ASSERT_NO_FATAL_FAILURE(restart({.more = {{"--devices", "eth0,up2"}}}));
  expect_clean_end();
  const std::string qdiscs = lab_->run_in(node(), {"tc", "qdisc", "show"}).value();
  EXPECT_THAT(qdiscs, HasSubstr("clsact ffff: dev eth0"));
  EXPECT_THAT(qdiscs, Not(HasSubstr("clsact ffff: dev up2")));
}

// Programs of others keep the qdisc, whoever made it.
TEST_F(Attachments, FiltersOfOthersStay) {
  ASSERT_NO_FATAL_FAILURE(restart({}));
  shell("tc qdisc add dev eth0 clsact || true; tc filter add dev eth0 ingress pref 7 protocol ip u32 match u32 0 0");
  expect_clean_end();
  EXPECT_THAT(lab_->run_in(node(), {"tc", "filter", "show", "dev", "eth0", "ingress"}).value(), HasSubstr("pref 7"));
}

}  // namespace
}  // namespace fairlead::test
