// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <net/if.h>

#include <cerrno>
#include <filesystem>
#include <iterator>

#include "tests/lab/leftovers.h"
#include "tests/lab/scenario.h"
#include "tests/support/netns.h"
#include "userspace/util/fd.h"

// Programs of others that see packets before lbd's tc programs, and may leave them none.
namespace fairlead::test {
namespace {

namespace fs = std::filesystem;

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Headers from before Linux 6.6 lack them.
constexpr auto kTcxIngress = static_cast<bpf_attach_type>(46), kTcxEgress = static_cast<bpf_attach_type>(47);
constexpr unsigned kBefore = 1U << 3;  // BPF_F_BEFORE

// return TC_ACT_OK: nothing that follows sees the packet.
Fd load_that_ends_the_chain() {
  const bpf_insn code[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, TC_ACT_OK}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  return Fd(bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "ends_it", "GPL", code, std::size(code), nullptr));
}

class Precedence : public Scenario {
 protected:
  void SetUp() override {
    Scenario::SetUp();
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
    daemons_.erase(1);
    add_daemon(1, {.xdp_mode = "off"});
    put({}, {backend(1, 1), backend(2, 1)});
  }

  // Whether lbd's tc programs are links, as they are by a libbpf that knows tcx: all filters come after them.
  bool as_links() const { return !pinned_links(*lab_, node()).empty(); }

  const Node& node() const { return lab_->node(1); }

  void clsact(const std::string& verb) const {
    EXPECT_TRUE(lab_->run_in(node(), {"tc", "qdisc", verb, "dev", "eth0", "clsact"}));
  }

  // What it does there to eth0 is 0, or an error's negative number.
  template <class Function>
  int on_eth0(Function function) const {
    const auto done = in_namespace(node().netns, [&] { return function(static_cast<int>(if_nametoindex("eth0"))); });
    return done ? *done : -done.error().code;
  }

  int add_filter(const Fd& program, bool ingress, std::uint32_t priority, std::uint32_t handle) const {
    return on_eth0([&](int ifindex) {
      const auto side = ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
      LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = side);
      LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program.get(), .handle = handle, .priority = priority);
      return bpf_tc_attach(&hook, &options);
    });
  }

  int remove_filter(bool ingress, std::uint32_t handle) const {
    return on_eth0([&](int ifindex) {
      const auto side = ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
      LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = side);
      LIBBPF_OPTS(bpf_tc_opts, options, .handle = handle, .priority = 1);
      return bpf_tc_detach(&hook, &options);
    });
  }

  // Before whatever is there.
  int add_tcx(const Fd& program, bool ingress) const {
    return on_eth0([&](int ifindex) {
      return bpf_prog_attach(program.get(), ifindex, ingress ? kTcxIngress : kTcxEgress, kBefore) ? -errno : 0;
    });
  }

  int remove_tcx(const Fd& program, bool ingress) const {
    return on_eth0([&](int ifindex) {
      return bpf_prog_detach2(program.get(), ifindex, ingress ? kTcxIngress : kTcxEgress) ? -errno : 0;
    });
  }

  bool has_problems(std::size_t count) {
    return eventually(kSoon, [&] { return problems().size() == count; });
  }

  std::size_t times_logged(const std::string& message) {
    const std::string log = daemon().log();
    std::size_t times = 0;
    for (auto at = log.find(message); at != log.npos; at = log.find(message, at + 1))
      ++times;
    return times;
  }

  void expect_service() const {
    const AskReport report = ask(Transport::Tcp, vip_of(10, Family::IPv4), {.count = 20});
    EXPECT_EQ(report.failed, 0U) << testing::PrintToString(report.failures);
  }
};

class PrecedenceOnASide : public Precedence, public testing::WithParamInterface<bool> {
 protected:
  bool ingress() const { return GetParam(); }
  auto says(const std::string& what) const {
    const std::string side = std::string(ingress() ? "tc ingress" : "tc egress") + (as_links() ? " (tcx)" : "");
    return AllOf(HasSubstr("the " + what + " ends_it"),
                 HasSubstr("runs before lbd's " + side + " on eth0 and may end the chain"));
  }
};

INSTANTIATE_TEST_SUITE_P(, PrecedenceOnASide, testing::Bool(),
                         [](const auto& info) { return info.param ? "Ingress" : "Egress"; });

TEST_P(PrecedenceOnASide, OfATcxProgramIsAProblemWhileItLasts) {
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  const Fd first = load_that_ends_the_chain(), second = load_that_ends_the_chain();
  const int added = add_tcx(first, ingress());
  if (added == -EINVAL) GTEST_SKIP() << "this kernel has no tcx";
  ASSERT_EQ(added, 0);
  ASSERT_TRUE(has_problems(1)) << testing::PrintToString(problems());
  const std::string problem = problems().at(0);
  EXPECT_THAT(problem, says("tcx program"));
  ASSERT_EQ(add_tcx(second, ingress()), 0);
  EXPECT_TRUE(has_problems(2)) << testing::PrintToString(problems());
  EXPECT_EQ(times_logged(problem), 1U) << daemon().log();
  ASSERT_EQ(remove_tcx(first, ingress()), 0);
  ASSERT_EQ(remove_tcx(second, ingress()), 0);
  EXPECT_TRUE(has_problems(0)) << testing::PrintToString(problems());
  EXPECT_EQ(times_logged("solved: " + problem), 1U);
  expect_service();
  expect_clean_end(*lab_, daemon());
}

TEST_P(PrecedenceOnASide, OfAFilterIsAProblemWhileItLastsUnlessOursAreLinks) {
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  const Fd program = load_that_ends_the_chain();
  // Links need no place for filters.
  if (as_links()) clsact("add");
  ASSERT_EQ(add_filter(program, ingress(), 1, 1), 0);
  if (as_links()) {
    expect_service();
    EXPECT_THAT(problems(), IsEmpty());
  } else {
    ASSERT_TRUE(has_problems(1)) << testing::PrintToString(problems());
    EXPECT_THAT(problems(), ElementsAre(says("bpf filter")));
  }
  ASSERT_EQ(remove_filter(ingress(), 1), 0);
  EXPECT_TRUE(has_problems(0)) << testing::PrintToString(problems());
  expect_service();
  if (as_links()) clsact("delete");
  expect_clean_end(*lab_, daemon());
}

// The newest of a priority comes first, and stays so when another start replaces its program.
TEST_P(PrecedenceOnASide, IsOurOwnOverAFilterThatWasThereAndOneOfAnotherPriority) {
  clsact("add");
  const Fd program = load_that_ends_the_chain();
  ASSERT_EQ(add_filter(program, ingress(), 1, 1), 0);
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  daemon().stop();
  ASSERT_EQ(add_filter(program, ingress(), 7, 1), 0);
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  EXPECT_THAT(problems(), IsEmpty());
  expect_service();
  clsact("delete");
  expect_clean_end(*lab_, daemon());
}

// Under a name that lbd's links have, on a device that lbd is not asked for.
TEST_F(Precedence, LinksOfOthersStay) {
  const fs::path pin = node().pins + "-theirs/links/xdp-1-7";
  ASSERT_TRUE(lab_->run_in(node(), {"ip", "link", "add", "up2", "type", "veth", "peer", "name", "peer2"}));
  const bpf_insn code[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, XDP_PASS}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  const Fd program(bpf_prog_load(BPF_PROG_TYPE_XDP, "theirs", "GPL", code, std::size(code), nullptr));
  const auto made = in_namespace(node().netns, [&] {
    return bpf_link_create(program.get(), static_cast<int>(if_nametoindex("up2")), BPF_XDP, nullptr);
  });
  ASSERT_TRUE(made);
  const Fd link(*made);
  fs::create_directories(pin.parent_path());
  ASSERT_EQ(bpf_obj_pin(link.get(), pin.c_str()), 0);
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  EXPECT_EQ(programs_on(*lab_, node()).count("up2 xdp driver"), 1U);
  daemon().stop();
  auto cleanup = daemon().start_another({}, {"--cleanup"});
  ASSERT_TRUE(cleanup) << cleanup.error().message;
  EXPECT_EQ(cleanup->wait(std::chrono::seconds(20)), 0);
  EXPECT_EQ(programs_on(*lab_, node()), std::set<std::string>{"up2 xdp driver"});
  EXPECT_TRUE(fs::exists(pin));
  fs::remove_all(node().pins + "-theirs");
}

}  // namespace
}  // namespace fairlead::test
