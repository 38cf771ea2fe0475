// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/metrics.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <sstream>

#include "tests/support/fake_inspector.h"

namespace fairlead::daemon {
namespace {

using admin::Action;
using admin::FrontendKind;
using std::chrono::hours;
using std::chrono::system_clock;

// The text is read back, as Prometheus would.
class MetricsTest : public testing::Test {
 protected:
  std::map<std::string, double> samples() const {
    std::map<std::string, double> samples;
    std::istringstream lines(metrics_.text());
    for (std::string line; std::getline(lines, line);)
      if (const auto space = line.rfind(' '); !line.starts_with('#') && space != line.npos)
        samples[line.substr(0, space)] = std::strtod(line.c_str() + space, nullptr);
    return samples;
  }
  double sample(const std::string& name) const {
    const auto all = samples();
    const auto it = all.find(name);
    EXPECT_NE(it, all.end()) << name;
    return it == all.end() ? -1 : it->second;
  }

  // A service port with one frontend of each of these.
  static admin::ServicePortView port(Family family, const std::vector<std::pair<FrontendKind, Action>>& frontends) {
    admin::ServicePortView view;
    view.family = family;
    for (const auto& [kind, action] : frontends) {
      admin::FrontendView& frontend = view.frontends.emplace_back();
      frontend.kind = kind;
      frontend.action = action;
    }
    return view;
  }
  struct Traffic {
    std::uint64_t packets = 0, bytes = 0;
  };
  static admin::BackendView backend(std::uint64_t connections, Traffic in, Traffic out) {
    admin::BackendView view;
    view.connections = connections;
    view.packets_in = in.packets;
    view.bytes_in = in.bytes;
    view.packets_out = out.packets;
    view.bytes_out = out.bytes;
    return view;
  }
  double no_local(const std::string& family, const std::string& policy) const {
    return sample("kubeproxy_sync_proxy_rules_no_local_endpoints_total{ip_family=\"" + family + "\",traffic_policy=\"" +
                  policy + "\"}");
  }

  test::FakeInspector inspector_;
  admin::Health health_{std::chrono::seconds(60)};
  std::uint64_t failed_writes_ = 0;
  Metrics metrics_{{inspector_, health_, [this] { return failed_writes_; }}};
};

TEST_F(MetricsTest, EachDirectionAndUnitHasItsFigure) {
  admin::ServicePortView port{"default/web:80/TCP/IPv4", "", 80, "TCP", Family::IPv4, {}, {}};
  port.backends = {backend(1, {20, 300}, {4000, 50000}), backend(2, {30, 400}, {5000, 60000})};
  inspector_.told_services = {{"default", "web", "ClusterIP", {port}, {}}};
  const std::string in = R"({direction="in",service="default/web:80/TCP/IPv4"})";
  const std::string out = R"({direction="out",service="default/web:80/TCP/IPv4"})";
  EXPECT_EQ(sample("fairlead_service_packets_total" + in), 50);
  EXPECT_EQ(sample("fairlead_service_bytes_total" + in), 700);
  EXPECT_EQ(sample("fairlead_service_packets_total" + out), 9000);
  EXPECT_EQ(sample("fairlead_service_bytes_total" + out), 110000);
  EXPECT_EQ(sample(R"(fairlead_service_connections_total{service="default/web:80/TCP/IPv4"})"), 3);
}

// What kube-proxy counts: endpoints are there, and a Local policy leaves none of them. Where there is no endpoint at
// all the service rejects, which is no matter of policy.
TEST_F(MetricsTest, NoLocalEndpointsAreThoseOfALocalPolicy) {
  inspector_.told_services = {
      {"default",
       "a",
       "",
       {port(Family::IPv4, {{FrontendKind::kClusterIp, Action::kReject}, {FrontendKind::kNodePort, Action::kReject}})},
       {}},
      {"default",
       "b",
       "",
       {port(Family::IPv4, {{FrontendKind::kClusterIp, Action::kBalance},
                            {FrontendKind::kNodePort, Action::kDrop},
                            {FrontendKind::kLoadBalancer, Action::kDrop}})},
       {}},
      {"default",
       "c",
       "",
       {port(Family::IPv4, {{FrontendKind::kExternalIp, Action::kDrop}}),
        port(Family::IPv6, {{FrontendKind::kClusterIp, Action::kDrop}})},
       {}}};
  EXPECT_EQ(no_local("IPv4", "external"), 2);
  EXPECT_EQ(no_local("IPv4", "internal"), 0);
  EXPECT_EQ(no_local("IPv6", "external"), 0);
  EXPECT_EQ(no_local("IPv6", "internal"), 1);
}

TEST_F(MetricsTest, VerdictsAreByHookAndKind) {
  inspector_.told_hooks = {{"xdp", {{"local_hit", admin::VerdictKind::kPass, "", 7}}},
                           {"tc_egress", {{"policy", admin::VerdictKind::kDrop, "", 8}}}};
  EXPECT_EQ(sample(R"(fairlead_packets_total{hook="xdp",kind="pass",verdict="local_hit"})"), 7);
  EXPECT_EQ(sample(R"(fairlead_packets_total{hook="tc_egress",kind="drop",verdict="policy"})"), 8);
}

// Only what this process has seen happen: before it began, the time that it was away would be measured, and clocks that
// disagree know a future.
TEST_F(MetricsTest, ProgrammingIsMeasuredFromTriggersOfItsOwnTime) {
  const auto now = system_clock::now();
  metrics_.programmed({{Family::IPv4, now - hours(1)}, {Family::IPv4, now}, {Family::IPv6, now + hours(1)}});
  const std::string count = "kubeproxy_network_programming_duration_seconds_count";
  EXPECT_EQ(sample(count + "{ip_family=\"IPv4\"}"), 1);
  EXPECT_EQ(sample(count + "{ip_family=\"IPv6\"}"), 0);
  EXPECT_LT(sample("kubeproxy_network_programming_duration_seconds_sum{ip_family=\"IPv4\"}"), 60);
}

TEST_F(MetricsTest, ChangesAndAnswersAreCounted) {
  model::Store::Changed changed;
  changed.service_writes = 2;
  changed.slice_writes = 3;
  metrics_.count_changes(changed);
  metrics_.count_changes(changed);
  metrics_.synced(std::chrono::milliseconds(3));
  (void)health_.healthz(system_clock::now());
  failed_writes_ = 9;
  EXPECT_EQ(sample("kubeproxy_sync_proxy_rules_service_changes_total"), 4);
  EXPECT_EQ(sample("kubeproxy_sync_proxy_rules_endpoint_changes_total"), 6);
  EXPECT_EQ(sample(R"(kubeproxy_sync_proxy_rules_duration_seconds_bucket{ip_family="IPv6",le="0.002"})"), 0);
  EXPECT_EQ(sample(R"(kubeproxy_sync_proxy_rules_duration_seconds_bucket{ip_family="IPv6",le="0.004"})"), 1);
  EXPECT_EQ(sample(R"(kubeproxy_proxy_healthz_total{code="200"})"), 1);
  EXPECT_EQ(sample(R"(kubeproxy_proxy_livez_total{code="200"})"), 0);
  EXPECT_EQ(sample("fairlead_map_write_failures_total"), 9);
}

TEST_F(MetricsTest, StateIsThatOfTheStatus) {
  inspector_.told_status.problems = 4;
  inspector_.told_status.usage = {{"frontends", 5, 1000}, {"IPv4 flows", -1, 64}};
  EXPECT_EQ(sample("fairlead_problems"), 4);
  EXPECT_FALSE(samples().contains(R"(fairlead_map_entries{map="IPv4 flows"})")) << "not counted yet";
  EXPECT_EQ(sample(R"(fairlead_map_entries{map="frontends"})"), 5);
  EXPECT_EQ(sample(R"(fairlead_map_entries_limit{map="frontends"})"), 1000);
}

TEST_F(MetricsTest, SayWhetherTheSourceIsFollowed) {
  EXPECT_EQ(sample("fairlead_source_in_sync"), 0) << "not read yet";
  EXPECT_FALSE(samples().contains("fairlead_apiserver_last_contact_seconds")) << "never heard";
  inspector_.told_status.synced = true;
  inspector_.told_status.heard_seconds = 3.5;
  EXPECT_EQ(sample("fairlead_source_in_sync"), 1);
  EXPECT_EQ(sample("fairlead_source_behind_seconds"), 0);
  EXPECT_EQ(sample("fairlead_apiserver_last_contact_seconds"), 3.5);
  inspector_.told_status.behind_seconds = 21.5;
  EXPECT_EQ(sample("fairlead_source_in_sync"), 0);
  EXPECT_EQ(sample("fairlead_source_behind_seconds"), 21.5);
}

}  // namespace
}  // namespace fairlead::daemon
