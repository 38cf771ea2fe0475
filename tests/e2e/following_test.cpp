// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/following.h"

#include <set>

#include "tests/support/answer.h"
#include "tests/support/client.h"
#include "tests/support/http_get.h"

// lbd and kubectl tell the same story.
namespace fairlead::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kWeb = R"(
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
)";

class FollowingTest : public Following {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Following::SetUp());
    if (IsSkipped()) return;
    for (const Pod& pod : lab().all_pods()) {
      auto server = lab().serve(pod, 8080);
      ASSERT_TRUE(server) << server.error().message;
      servers_.push_back(std::move(*server));
    }
  }

  void apply_web() {
    ASSERT_NO_FATAL_FAILURE(apply(kWeb));
    const auto service = plane().get({"service", "web", "--namespace", name_space()});
    ASSERT_TRUE(service) << service.error().message;
    node_port_ = {lab().node(1).ipv4, service->at("spec").at("ports").at(0).at("nodePort").to_number<std::uint16_t>()};
  }

  // Which pods answer at the NodePort, and "failed" if a request does.
  std::set<std::string> answering() const {
    const auto report = ask_many(lab(), lab().client(), Transport::Tcp, node_port_, {.count = 40});
    std::set<std::string> names;
    if (!report) return {report.error().message};
    for (const auto& [server, count] : report->servers)
      names.insert(server);
    if (report->failed) names.insert("failed");
    return names;
  }

  void expect_answers(const std::set<std::string>& pods) const {
    std::set<std::string> seen;
    EXPECT_TRUE(eventually(kSoon, [&] { return (seen = answering()) == pods; })) << testing::PrintToString(seen);
  }

  std::string endpoints_by_kubectl() const {
    const auto text = plane().kubectl({"get", "endpointslices", "--namespace", name_space(), "--output",
                                       "jsonpath={.items[*].endpoints[*].addresses[0]}"});
    return text ? *text : text.error().message;
  }

  std::vector<std::string> endpoints_by_lbctl() {
    std::vector<std::string> addresses;
    const auto view = daemon().query<admin::ServiceView>({"service", "show", name_space() + "/web"});
    if (view)
      for (const admin::ServicePortView& port : view->ports)
        for (const admin::BackendView& backend : port.backends)
          addresses.push_back(backend.address);
    return addresses;
  }

  Endpoint node_port_;  // of "web"
  std::vector<Process> servers_;
};

TEST_F(FollowingTest, ApplyScaleRolloutAndDelete) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(apply_web());
  expect_answers({"failed"});
  ASSERT_NO_FATAL_FAILURE(add_pod(1, 1));
  expect_answers({"node1-pod1"});
  ASSERT_NO_FATAL_FAILURE(add_pod(2, 1));
  expect_answers({"node1-pod1", "node2-pod1"});
  for (const std::string& address : endpoints_by_lbctl())
    EXPECT_THAT(endpoints_by_kubectl(), HasSubstr(address));
  EXPECT_EQ(endpoints_by_lbctl().size(), 2u);

  // A rollout: the next one comes, the old one ends, then is gone.
  ASSERT_NO_FATAL_FAILURE(add_pod(2, 2));
  expect_answers({"node1-pod1", "node2-pod1", "node2-pod2"});
  ASSERT_TRUE(cluster().terminate(lab().pod(1, 1), name_space()));
  expect_answers({"node2-pod1", "node2-pod2"});
  ASSERT_TRUE(cluster().remove(lab().pod(1, 1), name_space()));
  EXPECT_TRUE(eventually(kSoon, [&] { return endpoints_by_lbctl().size() == 2; }));

  ASSERT_TRUE(plane().kubectl({"delete", "service", "web", "--namespace", name_space()}));
  EXPECT_TRUE(eventually(kSoon, [&] { return endpoints_by_lbctl().empty(); }));
  expect_exact();
}

TEST_F(FollowingTest, ConnectionsOutliveAnOutageOfTheApi) {
  ASSERT_NO_FATAL_FAILURE(apply_web());
  ASSERT_NO_FATAL_FAILURE(add_pod(1, 1));
  ASSERT_NO_FATAL_FAILURE(add_pod(2, 1));
  ASSERT_NO_FATAL_FAILURE(start());
  expect_answers({"node1-pod1", "node2-pod1"});
  auto held = Hold::start(lab(), lab().client(), node_port_, 20);
  ASSERT_TRUE(held) << held.error().message;

  ASSERT_TRUE(plane().kill_apiserver());
  ASSERT_TRUE(plane().compact());
  // A restart in the middle of it, without anybody to ask: what is pinned keeps forwarding, new connections too.
  daemon().stop();
  ASSERT_NO_FATAL_FAILURE(start(Daemon::kAnswers));
  expect_answers({"node1-pod1", "node2-pod1"});
  const auto status = daemon().query<admin::StatusView>({"status"});
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_FALSE(status->synced);
  EXPECT_THAT(daemon().lbctl({"problems"}).out(), HasSubstr("https://"));

  ASSERT_TRUE(plane().start_apiserver());
  expect_exact(std::chrono::seconds(60));
  EXPECT_EQ(daemon().lbctl({"problems"}).out().find("https://"), std::string::npos);
  expect_answers({"node1-pod1", "node2-pod1"});
  const auto connections = held->finish();
  ASSERT_TRUE(connections) << connections.error().message;
  EXPECT_EQ(connections->size(), 20u);
  for (const HeldConnection& connection : *connections)
    EXPECT_EQ(connection.broken, "");
}

TEST_F(FollowingTest, NothingChangesBeforeEverythingIsListed) {
  ASSERT_NO_FATAL_FAILURE(apply_web());
  ASSERT_NO_FATAL_FAILURE(add_pod(2, 1));
  ASSERT_NO_FATAL_FAILURE(start());
  expect_answers({"node2-pod1"});
  daemon().stop();
  ASSERT_TRUE(cluster().remove(lab().pod(2, 1), name_space()));
  ASSERT_NO_FATAL_FAILURE(add_pod(1, 2));

  ASSERT_NO_FATAL_FAILURE(add_rule({{"path", kSlicesPath}, {"watch", false}, {"fault", "status"}, {"status", 503}}));
  ASSERT_NO_FATAL_FAILURE(start(Daemon::kAnswers));
  ASSERT_TRUE(eventually(kSoon, [&] {
    const auto traffic = proxy().traffic_to(kServicesPath, true);
    return traffic && traffic->open > 0;  // all Services are in
  }));
  EXPECT_EQ(answering(), (std::set<std::string>{"node2-pod1"}));
  ASSERT_TRUE(proxy().clear());
  expect_answers({"node1-pod2"});
}

TEST_F(FollowingTest, SaysOnTheServiceWhatCannotBeHonoured) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(apply(R"(
apiVersion: v1
kind: Service
metadata: {name: first}
spec: {externalIPs: [198.51.100.99], ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: second}
spec: {externalIPs: [198.51.100.99], ports: [{port: 80}]}
)"));
  const auto events = [&] {
    const auto text = plane().kubectl({"get", "events", "--namespace", name_space()});
    return text ? *text : text.error().message;
  };
  ASSERT_TRUE(eventually(kSoon, [&] { return events().find("service/second") != std::string::npos; })) << events();
  EXPECT_THAT(events(), HasSubstr("Warning   NotHonoured"));
  EXPECT_THAT(events(), HasSubstr("198.51.100.99"));
  // Whoever else has the same to say finds it said. The API server may have something of its own to say of a new
  // Service.
  state_of_another();
  const auto count = plane().get({"events", "--namespace", name_space(), "--field-selector=reason=NotHonoured"});
  ASSERT_TRUE(count);
  EXPECT_EQ(count->at("items").as_array().size(), 1u);
}

TEST_F(FollowingTest, LeavesOtherProxiesServicesAlone) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(apply_web());
  ASSERT_NO_FATAL_FAILURE(add_pod(1, 1));
  expect_answers({"node1-pod1"});
  const auto label = [&](const std::string& text) {
    EXPECT_TRUE(plane().kubectl({"label", "service", "web", "--namespace", name_space(), text}));
  };
  label("service.kubernetes.io/service-proxy-name=other");
  EXPECT_TRUE(eventually(kSoon, [&] { return endpoints_by_lbctl().empty(); }));
  label("service.kubernetes.io/service-proxy-name-");
  expect_answers({"node1-pod1"});
}

TEST_F(FollowingTest, MeasuresNetworkProgramming) {
  ASSERT_NO_FATAL_FAILURE(start());
  const auto count = [&] {
    const std::string text = http_get(lab().node(1), {Address::literal("127.0.0.1"), 10249}, "/metrics");
    const std::string name = "kubeproxy_network_programming_duration_seconds_count{ip_family=\"IPv4\"} ";
    const auto at = text.find(name);
    return at == std::string::npos ? -1 : std::stoi(text.substr(at + name.size()));
  };
  ASSERT_GE(count(), 0);
  const int before = count();
  ASSERT_NO_FATAL_FAILURE(apply_web());
  ASSERT_NO_FATAL_FAILURE(add_pod(1, 1));
  // Times of a pod's conditions are in whole seconds: those of the second in which lbd was started do not count.
  bool ready = true;
  EXPECT_TRUE(eventually(kSoon, [&] {
    ready = !ready;
    EXPECT_TRUE(cluster().set_ready(lab().pod(1, 1), ready, name_space()));
    return count() > before;
  }));
}

}  // namespace
}  // namespace fairlead::test
