// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/metrics.h"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <future>
#include <set>
#include <sstream>

#include "tests/support/fake_inspector.h"
#include "tests/unit/daemon/scrape.h"
#include "userspace/daemon/exposition.h"

namespace fairlead::daemon {
namespace {

using std::chrono::hours;
using std::chrono::system_clock;

// The text is read back, as Prometheus would.
class MetricsTest : public testing::Test {
 protected:
  std::map<std::string, double> samples() const {
    std::map<std::string, double> samples;
    std::istringstream lines(scrape(metrics_));
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

  static admin::PortSummary port(const std::string& service, Family family, bool no_local_inside,
                                 bool no_local_outside) {
    return {"default", service, "http", "TCP", family, 0, no_local_inside, no_local_outside};
  }
  double no_local(const std::string& family, const std::string& policy) const {
    return sample("kubeproxy_sync_proxy_rules_no_local_endpoints_total{ip_family=\"" + family + "\",traffic_policy=\"" +
                  policy + "\"}");
  }

  test::FakeInspector inspector_;
  admin::Health health_{std::chrono::seconds(60)};
  std::uint64_t failed_writes_ = 0;
  Metrics::ServiceStats stats_;
  std::function<void()> read_stats_ = [] {};
  Metrics metrics_{{inspector_, health_, [this] { return failed_writes_; }, [] { return 0; },
                    [this](std::uint32_t) {
                      read_stats_();
                      return stats_;
                    }}};
};

TEST_F(MetricsTest, EachDirectionAndUnitHasItsFigure) {
  inspector_.told_ports = {{"shop", "web", "http", "TCP", Family::IPv4, 1, false, false}};
  stats_ = {{}, {{50, 9000}, {700, 110000}, 3}};
  const std::string labels = R"({namespace="shop",service="web",port="http",protocol="TCP",family="IPv4")";
  EXPECT_EQ(sample("fairlead_service_packets_total" + labels + R"(,direction="in"})"), 50);
  EXPECT_EQ(sample("fairlead_service_bytes_total" + labels + R"(,direction="in"})"), 700);
  EXPECT_EQ(sample("fairlead_service_packets_total" + labels + R"(,direction="out"})"), 9000);
  EXPECT_EQ(sample("fairlead_service_bytes_total" + labels + R"(,direction="out"})"), 110000);
  EXPECT_EQ(sample("fairlead_service_connections_total" + labels + "}"), 3);
}

// What kube-proxy counts.
TEST_F(MetricsTest, NoLocalEndpointsAreThoseOfALocalPolicy) {
  inspector_.told_ports = {port("a", Family::IPv4, false, false), port("b", Family::IPv4, false, true),
                           port("c", Family::IPv4, false, true), port("c", Family::IPv6, true, false)};
  EXPECT_EQ(no_local("IPv4", "external"), 2);
  EXPECT_EQ(no_local("IPv4", "internal"), 0);
  EXPECT_EQ(no_local("IPv6", "external"), 0);
  EXPECT_EQ(no_local("IPv6", "internal"), 1);
}

// Timers, packets of the API server and lbctl do not wait for it.
TEST_F(MetricsTest, TheEventLoopGoesOnWhileTheyAreWritten) {
  boost::asio::io_context io;
  std::promise<void> went_on;
  read_stats_ = [&] { went_on.get_future().wait(); };
  bool answered = false;
  boost::asio::co_spawn(io, metrics_.text(), [&](const std::exception_ptr&, const std::string&) { answered = true; });
  boost::asio::steady_timer timer(io, std::chrono::milliseconds(1));
  timer.async_wait([&](auto) {
    EXPECT_FALSE(answered);
    went_on.set_value();
  });
  io.run();
  EXPECT_TRUE(answered);
}

// By the names that the client libraries of Prometheus use.
TEST_F(MetricsTest, TellOfTheProcess) {
  EXPECT_GE(sample("process_cpu_seconds_total"), 0);
  EXPECT_GT(sample("process_resident_memory_bytes"), 1e6);
  EXPECT_GE(sample("process_virtual_memory_bytes"), sample("process_resident_memory_bytes"));
  EXPECT_GT(sample("process_open_fds"), 2);
  EXPECT_GT(sample("process_max_fds"), sample("process_open_fds"));
  const auto now = std::chrono::duration<double>(system_clock::now().time_since_epoch()).count();
  EXPECT_NEAR(sample("process_start_time_seconds"), now, 3600);
}

// Each line of the text is one that Prometheus can read, and each metric is explained once, before its samples.
TEST_F(MetricsTest, EachIsExplained) {
  inspector_.told_ports = {port("a", Family::IPv4, false, false)};
  stats_ = {{}};
  std::set<std::string> explained;
  std::istringstream lines(scrape(metrics_));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, keyword, name;
    words >> hash >> keyword >> name;
    if (hash == "#" && keyword == "HELP") {
      EXPECT_TRUE(explained.insert(name).second) << line;
      EXPECT_TRUE(line.ends_with('.')) << line << ": a sentence";
    }
    if (hash == "#") continue;
    const std::string sample = hash.substr(0, hash.find('{'));
    const bool of_histogram = sample.ends_with("_bucket") || sample.ends_with("_sum") || sample.ends_with("_count");
    EXPECT_TRUE(explained.contains(of_histogram ? sample.substr(0, sample.rfind('_')) : sample)) << line;
  }
}

TEST(Exposition, LabelsMayHoldAnything) {
  std::string text;
  Exposition(text, "some_total", "Some.", Exposition::Type::kCounter)
      .add({{"a", "x"}, {"b", "\"\\\n"}}, 2.5)
      .add({}, 12345678);
  EXPECT_EQ(text,
            "# HELP some_total Some.\n# TYPE some_total counter\n"
            "some_total{a=\"x\",b=\"\\\"\\\\\\n\"} 2.5\nsome_total 12345678\n");
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
