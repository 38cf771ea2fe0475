// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <set>
#include <sstream>

#include "tests/lab/scenario.h"
#include "tests/support/http_get.h"

// What Prometheus, kubelets and load balancers in front ask a node for, where kube-proxy would answer it.
namespace fairlead::test {
namespace {

using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::StartsWith;

class Http : public Scenario {
 protected:
  void serve() {
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
    add_daemon(1);
    put({}, {backend(1, 1), backend(2, 1)});
    ASSERT_NO_FATAL_FAILURE(start_daemons());
  }

  std::string metrics() const { return http_get(lab_->node(1), {Address::literal("127.0.0.1"), 10249}, "/metrics"); }
};

// "name{labels}" -> value.
std::map<std::string, double> samples_of(const std::string& text) {
  std::map<std::string, double> samples;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (const auto space = line.rfind(' '); !line.starts_with('#') && space != line.npos)
      samples[line.substr(0, space)] = std::strtod(line.c_str() + space, nullptr);
  return samples;
}

TEST_F(Http, MetricsHaveTheNamesOfKubeProxy) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const std::string text = metrics();
  EXPECT_THAT(text, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nContent-Type: text/plain; version=0.0.4"));
  std::set<std::string> names;
  for (const auto& [sample, value] : samples_of(text))
    names.insert(sample);
  EXPECT_THAT(names, IsSupersetOf({
                         "kubeproxy_sync_proxy_rules_duration_seconds_count{ip_family=\"IPv4\"}",
                         "kubeproxy_sync_proxy_rules_duration_seconds_bucket{ip_family=\"IPv6\",le=\"0.001\"}",
                         "kubeproxy_sync_proxy_rules_last_timestamp_seconds{ip_family=\"IPv4\"}",
                         "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds{ip_family=\"IPv6\"}",
                         "kubeproxy_sync_proxy_rules_endpoint_changes_total",
                         "kubeproxy_sync_proxy_rules_service_changes_total",
                         "kubeproxy_sync_proxy_rules_no_local_endpoints_total{ip_family=\"IPv4\","
                         "traffic_policy=\"external\"}",
                         "kubeproxy_proxy_healthz_total{code=\"200\"}",
                         "kubeproxy_proxy_livez_total{code=\"503\"}",
                     }));
}

TEST_F(Http, MetricsFollowWhatHappens) {
  ASSERT_NO_FATAL_FAILURE(serve());
  auto before = samples_of(metrics());
  EXPECT_EQ(before["kubeproxy_sync_proxy_rules_service_changes_total"], 1);
  EXPECT_EQ(before["kubeproxy_sync_proxy_rules_endpoint_changes_total"], 2);
  EXPECT_EQ(before["fairlead_problems"], 0);
  EXPECT_EQ(before["fairlead_map_write_failures_total"], 0);

  // By TCP, which does not use a port twice in so short a time.
  const AskReport report = ask(Transport::Tcp, vip_of(10, Family::IPv4), {.count = 50});
  ASSERT_EQ(report.answered, 50U);
  put({.name = "local", .number = 20, .spec = {"externalTrafficPolicy: Local"}}, {backend(2, 1)});
  ASSERT_TRUE(eventually(kSoon, [&] { return daemon().query<admin::StatusView>({"status"})->services == 2; }));
  ASSERT_TRUE(daemon().put("bad.yaml", "kind: Service\nmetadata: {na"));
  ASSERT_TRUE(eventually(kSoon, [&] { return daemon().query<admin::StatusView>({"status"})->problems == 1; }));
  auto after = samples_of(metrics());
  const std::string web = R"({namespace="default",service="web",port="tcp",protocol="TCP",family="IPv4")";
  EXPECT_EQ(after["fairlead_service_connections_total" + web + "}"], 50);
  EXPECT_GE(after["fairlead_service_packets_total" + web + ",direction=\"out\"}"], 150);
  const std::string sent = "fairlead_packets_total{hook=\"xdp\",kind=\"send\",verdict=\"remote_new\"}";
  const std::string passed = "fairlead_packets_total{hook=\"xdp\",kind=\"pass\",verdict=\"local_new\"}";
  EXPECT_EQ(after[passed], report.servers.at("node1-pod1"));
  EXPECT_LE(after[sent], report.servers.at("node2-pod1"));
  EXPECT_GT(after[sent], 0);
  EXPECT_EQ(after["kubeproxy_sync_proxy_rules_service_changes_total"], 2);
  EXPECT_EQ(
      after["kubeproxy_sync_proxy_rules_no_local_endpoints_total{ip_family=\"IPv6\",traffic_policy=\"external\"}"], 2)
      << "TCP and UDP";
  EXPECT_EQ(after["fairlead_problems"], 1);
  for (const auto& [name, value] : before)
    if (name.find("_total") != name.npos && name.find("no_local_endpoints") == name.npos) {
      EXPECT_GE(after[name], value) << name << " is a counter";
    }
}

// All backends of a rollout are replaced, and lbd is too.
TEST_F(Http, CountersDoNotFallWhenBackendsGo) {
  ASSERT_NO_FATAL_FAILURE(serve());
  ASSERT_EQ(ask(Transport::Tcp, vip_of(10, Family::IPv4), {.count = 20}).answered, 20U);
  const std::string connections =
      R"(fairlead_service_connections_total{namespace="default",service="web",port="tcp",protocol="TCP",family="IPv4"})";
  ASSERT_EQ(samples_of(metrics())[connections], 20);
  // Their slots are given up a second after they have gone.
  Backend ending1 = backend(1, 1), ending2 = backend(2, 1);
  ending1.terminating = ending2.terminating = true;
  put({}, {ending1, ending2});
  ASSERT_TRUE(eventually(
      kSoon, [&] { return samples_of(metrics())["kubeproxy_sync_proxy_rules_endpoint_changes_total"] == 4; }));
  put({}, {});
  const auto backends = [&] {
    const auto status = daemon().query<admin::StatusView>({"status"});
    for (const admin::UsageView& usage : status->usage)
      if (usage.name == "backends") return usage.used;
    return std::int64_t{-1};
  };
  EXPECT_TRUE(eventually(std::chrono::seconds(15), [&] {
    EXPECT_EQ(samples_of(metrics())[connections], 20);
    return backends() == 0;
  })) << backends();
  EXPECT_EQ(samples_of(metrics())[connections], 20);
  ASSERT_EQ(daemon().stop(), 0);
  ASSERT_TRUE(daemon().start());
  EXPECT_EQ(samples_of(metrics())[connections], 20) << "nor over a restart";
}

TEST_F(Http, HealthIsToldToTheWholeNetwork) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const Endpoint outside = node_endpoint(1, Family::IPv4, 10256);
  for (const Host& from : {lab_->client(), static_cast<Host>(lab_->node(1))}) {
    const std::string healthz = http_get(from, outside, "/healthz");
    EXPECT_THAT(healthz, StartsWith("HTTP/1.1 200 OK\r\n")) << from.name;
    EXPECT_THAT(healthz, HasSubstr("\"nodeEligible\":true")) << from.name;
    EXPECT_THAT(http_get(from, outside, "/livez"), HasSubstr("\"lastUpdated\":\"")) << from.name;
  }
  EXPECT_THAT(http_get(lab_->client(), outside, "/other"), StartsWith("HTTP/1.1 404 "));
  EXPECT_EQ(samples_of(metrics())["kubeproxy_proxy_healthz_total{code=\"200\"}"], 2);
}

// What a rollout waits for: lbd with a manifest that it cannot read for the first time is healthy, but not ready.
TEST_F(Http, IsReadyWhenItHasReadEverythingOnce) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 1, .pods = 1}));
  add_daemon(1);
  ASSERT_TRUE(daemon().put("web.yaml", "kind: Service\nmetadata: {na"));
  const auto started = daemon().start(Daemon::kAnswers);
  ASSERT_TRUE(started) << started.error().message;
  const Endpoint outside = node_endpoint(1, Family::IPv4, 10256);
  EXPECT_THAT(http_get(lab_->client(), outside, "/healthz"), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(http_get(lab_->client(), outside, "/readyz"), StartsWith("HTTP/1.1 503 "));
  put({}, {backend(1, 1)});
  EXPECT_TRUE(
      eventually(kSoon, [&] { return http_get(lab_->client(), outside, "/readyz").starts_with("HTTP/1.1 200 OK"); }));
}

// A node that is being taken away says so to the load balancers before it; it lives on meanwhile.
TEST_F(Http, NodeThatLeavesIsNotEligible) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const Endpoint outside = node_endpoint(1, Family::IPv4, 10256);
  ASSERT_TRUE(daemon().put("node.yaml",
                           "apiVersion: v1\nkind: Node\nmetadata: {name: node1}\n"
                           "spec: {taints: [{key: ToBeDeletedByClusterAutoscaler, effect: NoSchedule}]}\n"));
  EXPECT_TRUE(eventually(kSoon, [&] {
    return http_get(lab_->client(), outside, "/healthz").starts_with("HTTP/1.1 503 Service Unavailable");
  }));
  EXPECT_THAT(http_get(lab_->client(), outside, "/livez"), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_EQ(ask(Transport::Tcp, vip_of(10, Family::IPv4)).failed, 0U);
  ASSERT_TRUE(daemon().remove("node.yaml"));
  EXPECT_TRUE(
      eventually(kSoon, [&] { return http_get(lab_->client(), outside, "/healthz").starts_with("HTTP/1.1 200 OK"); }));
}

TEST_F(Http, MetricsStayOnTheNode) {
  ASSERT_NO_FATAL_FAILURE(serve());
  const std::string answer = http_get(lab_->client(), node_endpoint(1, Family::IPv4, 10249), "/metrics");
  EXPECT_THAT(answer, HasSubstr("Connection refused"));
  EXPECT_THAT(http_get(lab_->node(1), {Address::literal("127.0.0.1"), 10249}, "/proxyMode"), HasSubstr("ebpf"));
}

}  // namespace
}  // namespace fairlead::test
