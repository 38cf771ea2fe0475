// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "tests/lab/leftovers.h"
#include "tests/lab/scenario.h"

// lbd starts, leaves, comes back, and is taken off the node.
namespace fairlead::test {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Traces : public Scenario {
 protected:
  // Everything that lbd puts on a node, as the system's own tools see it.
  std::string traces() const {
    const Node& node = lab_->node(1);
    std::string all;
    for (const auto& command : {std::vector<std::string>{"ip", "-details", "link", "show", "dev", node.device},
                                {"tc", "qdisc", "show", "dev", node.device},
                                {"tc", "filter", "show", "dev", node.device, "ingress"},
                                {"tc", "filter", "show", "dev", node.device, "egress"},
                                {"find", "/sys/fs/bpf", "-path", node.pins + "*"}}) {
      const auto printed = lab_->run_in(node, command);
      EXPECT_TRUE(printed) << printed.error().message;
      if (printed) all += *printed;
    }
    return all;
  }
};

class Lifecycle : public Traces, public testing::WithParamInterface<std::string> {
 protected:
  void serve() {
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
    add_daemon(1, {.xdp_mode = GetParam()});
    put({.node_port = 30080}, {backend(1, 1), backend(2, 1)});
    ASSERT_NO_FATAL_FAILURE(start_daemons());
  }

  void expect_service() const {
    for (const Family family : kFamilies)
      for (const Transport transport : kTransports) {
        const AskReport report = ask(transport, vip_of(10, family), {.count = 40});
        EXPECT_EQ(report.failed, 0U) << name_of(transport) << testing::PrintToString(report.failures);
        EXPECT_EQ(report.servers.size(), 2U) << name_of(transport) << testing::PrintToString(report.servers);
      }
  }

  // Runs `lbd --cleanup` and gives its exit status.
  int clean_up() {
    auto process = daemon().start_another({}, {"--cleanup"});
    EXPECT_TRUE(process) << process.error().message;
    const auto status = process->wait(seconds(20));
    EXPECT_EQ(process->err(), "");
    return status.value_or(-1);
  }
};

TEST_P(Lifecycle, LeavesForwardingBehindAndTakesItUpAgain) {
  ASSERT_NO_FATAL_FAILURE(serve());
  EXPECT_FALSE(daemon().query<admin::StatusView>({"status"})->adopted);
  EXPECT_EQ(daemon().stop(), 0);
  EXPECT_THAT(daemon().log(), HasSubstr("forwarding goes on"));
  expect_service();
  const auto started = daemon().start();
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_TRUE(daemon().query<admin::StatusView>({"status"})->adopted);
  EXPECT_THAT(daemon().log(), HasSubstr("adopted 4 service ports, 8 backends"));
  expect_service();
  expect_clean_end(*lab_, daemon());
}

TEST_P(Lifecycle, CleanUpLeavesNoTrace) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
  add_daemon(1, {.xdp_mode = GetParam()});
  const std::string before = traces();
  put({.node_port = 30080}, {backend(1, 1), backend(2, 1)});
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  EXPECT_EQ(daemon().stop(), 0);
  const std::string left = traces();
  // Where libbpf and the kernel know tcx, the tc programs are links among the pins.
  EXPECT_THAT(left, testing::AnyOf(HasSubstr("clsact"), HasSubstr("/links/tc-ingress-")));
  EXPECT_THAT(left, HasSubstr("lb_flow4"));
  EXPECT_EQ(left.find("prog/xdp") != left.npos, GetParam() != "off") << left;

  EXPECT_EQ(clean_up(), 0);
  EXPECT_EQ(traces(), before);
  EXPECT_EQ(clean_up(), 0) << "a second time";
  EXPECT_EQ(traces(), before);
  const auto answer = ask_from(lab_->client().netns, Transport::Tcp, vip_of(10, Family::IPv4));
  EXPECT_FALSE(answer);

  const auto started = daemon().start();
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_FALSE(daemon().query<admin::StatusView>({"status"})->adopted) << "there was nothing to adopt";
  expect_service();
}

INSTANTIATE_TEST_SUITE_P(, Lifecycle, testing::Values("native", "off"), [](const auto& info) { return info.param; });

class Daemons : public Traces {};

TEST_F(Daemons, StaysAtAHangup) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 1, .pods = 1}));
  add_daemon(1);
  put({}, {backend(1, 1)});
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  daemon().signal(SIGHUP);
  EXPECT_TRUE(eventually(kSoon, [&] { return daemon().log().find("SIGHUP: manifests") != std::string::npos; }));
  EXPECT_TRUE(daemon().is_running());
  EXPECT_EQ(ask(Transport::Tcp, vip_of(10, Family::IPv4)).failed, 0U);
}

// A kill leaves no time for anything, so it must be no different.
TEST_F(Daemons, ComesBackAfterAKill) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
  add_daemon(1);
  put({}, {backend(1, 1), backend(2, 1)});
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  auto hold = Hold::start(*lab_, lab_->client(), vip_of(10, Family::IPv6), 10);
  ASSERT_TRUE(hold) << hold.error().message;
  EXPECT_EQ(daemon().stop(SIGKILL), 128 + SIGKILL);
  EXPECT_EQ(ask(Transport::Tcp, vip_of(10, Family::IPv4)).failed, 0U);
  const auto started = daemon().start();
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_TRUE(daemon().query<admin::StatusView>({"status"})->adopted);
  EXPECT_EQ(ask(Transport::Tcp, vip_of(10, Family::IPv4)).failed, 0U);
  for (const HeldConnection& connection : *hold->finish())
    EXPECT_EQ(connection.broken, "") << connection.server;
  EXPECT_EQ(daemon().stop(SIGKILL), 128 + SIGKILL);
  expect_clean_end(*lab_, daemon());
}

// Of two that write the same maps neither would know what is in them. The first one must not notice the attempt.
TEST_F(Daemons, SecondDaemonOfANodeIsRefused) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
  Daemon& first = add_daemon(1);
  put({}, {backend(1, 1), backend(2, 1)});
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  const Node& node = lab_->node(1);
  const auto programs = [&] {
    return *lab_->run_in(node, {"tc", "filter", "show", "dev", node.device, "ingress"}) +
           *lab_->run_in(node, {"ip", "-details", "link", "show", "dev", node.device});
  };
  const std::string before = programs();

  const Flags same_pins{
      {"--control-socket", node.run + "/other.sock"}, {"--healthz-bind-address", ""}, {"--metrics-bind-address", ""}};
  const Flags same_socket{{"--bpffs-path", node.pins + "/other"}, {"--xdp-mode", "off"}};
  const std::pair<Flags, std::string> attempts[] = {
      {{}, node.run + "/lbd.sock"}, {same_pins, "network namespace"}, {same_socket, node.run + "/lbd.sock"}};
  for (const auto& [flags, named] : attempts) {
    auto second = first.start_another(flags);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(second->wait(seconds(20)), 1) << named << second->err();
    EXPECT_THAT(second->err(), HasSubstr(named));
    EXPECT_THAT(second->err(), HasSubstr("another lbd"));
  }
  EXPECT_EQ(programs(), before);
  EXPECT_TRUE(first.is_running());
  EXPECT_EQ(ask(Transport::Tcp, vip_of(10, Family::IPv4)).failed, 0U);
  expect_clean_end(*lab_, first);
}

// What would take the maps from under a daemon that goes on believing in them.
TEST_F(Daemons, CleanUpOfARunningDaemonIsRefused) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 1, .pods = 1}));
  Daemon& daemon = add_daemon(1);
  put({}, {backend(1, 1)});
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  auto cleanup = daemon.start_another({}, {"--cleanup"});
  ASSERT_TRUE(cleanup) << cleanup.error().message;
  EXPECT_EQ(cleanup->wait(seconds(20)), 1);
  EXPECT_THAT(cleanup->err(), HasSubstr("another lbd"));
  EXPECT_EQ(ask(Transport::Tcp, vip_of(10, Family::IPv4)).failed, 0U);
  expect_clean_end(*lab_, daemon);
}

TEST_F(Daemons, WithoutABpfFileSystemItSaysHowToMountOne) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 1, .pods = 1}));
  const std::vector<std::string> without_bpffs{"unshare", "--mount", "sh", "-c",
                                               R"(umount /sys/fs/bpf && exec "$0" "$@")"};
  auto process = add_daemon(1, {.launcher = without_bpffs}).start_another();
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_EQ(process->wait(seconds(20)), 1);
  EXPECT_THAT(process->err(), HasSubstr("mount -t bpf bpf /sys/fs/bpf"));
}

TEST_F(Daemons, ADeviceThatIsNotThereIsNamed) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 1, .pods = 1}));
  auto process = add_daemon(1).start_another({{"--devices", "eth7"}});
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_EQ(process->wait(seconds(20)), 1);
  EXPECT_THAT(process->err(), HasSubstr("eth7: No such device"));
}

TEST_F(Daemons, WhatIsWrongAtStartLeavesTheNodeAsItWas) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 1, .pods = 1}));
  Daemon& daemon = add_daemon(1);
  const std::string before = traces();
  const std::string absent = lab_->node(1).run + "/absent.kubeconfig";
  auto busy = lab_->serve(lab_->node(1), 10249);
  ASSERT_TRUE(busy) << busy.error().message;
  const std::tuple<Flags, std::vector<std::string>, std::string> attempts[] = {
      {{{"--source", "kubernetes"}, {"--kubeconfig", absent}}, {}, absent},
      {{}, {"--bind-address-hard-fail"}, "127.0.0.1:10249"},
      {{{"--devices", "eth7"}}, {}, "eth7: No such device"}};
  for (const auto& [flags, switches, named] : attempts) {
    auto process = daemon.start_another(flags, switches);
    ASSERT_TRUE(process) << process.error().message;
    EXPECT_EQ(process->wait(seconds(20)), 1) << named;
    EXPECT_THAT(process->err(), HasSubstr(named));
    EXPECT_EQ(traces(), before) << named;
  }
}

// As where kube-proxy has them.
TEST_F(Daemons, PortsThatOthersHaveAreAProblemWhileTheyHaveThem) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 1, .pods = 1}));
  auto busy = lab_->serve(lab_->node(1), 10249);
  ASSERT_TRUE(busy) << busy.error().message;
  Daemon& daemon = add_daemon(1);
  ASSERT_TRUE(daemon.start()) << daemon.log();
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("listen on 127.0.0.1:10249: Address already in use")));
  busy->terminate();
  EXPECT_TRUE(eventually(kSoon, [&] { return problems().empty(); })) << testing::PrintToString(problems());
  EXPECT_THAT(daemon.log(), HasSubstr("listening on 127.0.0.1:10249 now"));
}

}  // namespace
}  // namespace fairlead::test
