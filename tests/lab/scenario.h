// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "tests/support/answer.h"
#include "tests/support/client.h"
#include "tests/support/daemon.h"
#include "tests/support/eventually.h"
#include "tests/support/lab.h"
#include "tests/support/manifest.h"
#include "userspace/admin/view.h"

namespace fairlead::test {

constexpr Family kFamilies[] = {Family::IPv4, Family::IPv6};
constexpr Transport kTransports[] = {Transport::Tcp, Transport::Udp};
// For what lbd does by itself: it hears of a manifest after 50 ms, half a second at most.
constexpr std::chrono::seconds kSoon{10};
// Hooks that packets pass on their way into a node.
inline const std::set<std::string> kArriving{"xdp", "tc_ingress"};

inline const char* name_of(Transport transport) {
  return transport == Transport::Tcp ? "TCP" : "UDP";
}

inline unsigned sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0U,
                         [](unsigned so_far, const auto& one) { return so_far + one.second; });
}

inline std::vector<std::string> names(const Counts& counts) {
  std::vector<std::string> result;
  for (const auto& [name, count] : counts)
    result.push_back(name);
  return result;
}

// A lab with lbd on some of its nodes, and what a test asks of it.
class Scenario : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto missing = missing_requirement()) GTEST_SKIP() << *missing;
  }

  void TearDown() override {
    if (!HasFailure()) return;
    for (const auto& [node, daemon] : daemons_)
      std::cerr << "--- lbd on node" << node << "\n"
                << daemon.log() << daemon.lbctl({"verdicts", "--nonzero"}).out()
                << daemon.lbctl({"flow", "list"}).out();
  }

  void build(const LabOptions& options) {
    auto lab = Lab::up(options);
    ASSERT_TRUE(lab) << lab.error().message;
    lab_ = std::make_unique<Lab>(std::move(*lab));
    for (const Pod& pod : lab_->all_pods()) {
      auto server = lab_->serve(pod, kTargetPort);
      ASSERT_TRUE(server) << server.error().message;
      servers_.push_back(std::move(*server));
    }
  }

  // Only prepared: manifests can be put before it starts.
  Daemon& add_daemon(int node, const DaemonOptions& options = {}) {
    return daemons_.try_emplace(node, *lab_, lab_->node(node), options).first->second;
  }

  void start_daemons() {
    for (auto& [node, daemon] : daemons_) {
      const auto started = daemon.start();
      ASSERT_TRUE(started) << started.error().message;
    }
  }

  Daemon& daemon(int node = 1) { return daemons_.at(node); }

  // What `lbctl problems` shows, as messages.
  std::vector<std::string> problems() {
    std::vector<std::string> messages;
    for (const auto& problem : *daemon().query<std::vector<admin::ProblemView>>({"problems"}))
      messages.push_back(problem.message);
    return messages;
  }

  // The same manifest for every daemon, in a file named after the service.
  void put(const ServiceText& service, const std::vector<Backend>& backends) {
    for (const auto& [node, daemon] : daemons_) {
      const auto written = daemon.put(service.name + ".yaml", manifest(service, backends));
      ASSERT_TRUE(written) << written.error().message;
    }
  }

  Backend backend(int node, int pod) const {
    const Pod& host = lab_->pod(node, pod);
    return {host.ipv4, host.ipv6, lab_->node(node).name};
  }

  Endpoint node_endpoint(int node, Family family, std::uint16_t port) const {
    return {lab_->node(node).address(family), port};
  }

  AskReport ask(Transport transport, const Endpoint& to, const AskPlan& plan = {}) const {
    const auto report = ask_many(*lab_, lab_->client(), transport, to, plan);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : AskReport{};
  }

  // Until new connections are spread over that many backends at every frontend of the service.
  static bool balances_over(const Daemon& daemon, const std::string& service, std::int64_t backends) {
    return eventually(kSoon, [&] {
      const auto view = daemon.query<admin::ServiceView>({"service", "show", service});
      if (!view || view->ports.empty()) return false;
      for (const admin::ServicePortView& port : view->ports)
        for (const admin::FrontendView& frontend : port.frontends)
          if (frontend.backends != backends) return false;
      return true;
    });
  }

  // What each verdict counted at these hooks together; at all of them where none is named.
  static std::map<std::string, std::uint64_t> verdicts(const Daemon& daemon, const std::set<std::string>& hooks = {}) {
    std::map<std::string, std::uint64_t> result;
    const auto views = daemon.query<std::vector<admin::HookView>>({"verdicts"});
    EXPECT_TRUE(views) << views.error().message;
    if (views)
      for (const admin::HookView& view : *views)
        if (hooks.empty() || hooks.contains(view.hook))
          for (const admin::VerdictView& verdict : view.verdicts)
            result[verdict.name] += verdict.packets;
    return result;
  }

  std::unique_ptr<Lab> lab_;
  std::list<Process> servers_;
  std::map<int, Daemon> daemons_;
};

}  // namespace fairlead::test
