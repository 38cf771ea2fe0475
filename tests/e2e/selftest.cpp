// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/stage.h"

// Is the control plane the one that nodes would have? Real clients of it say so: its controllers, kubectl and
// kube-proxy.
namespace fairlead::test {
namespace {

constexpr Family kFamilies[] = {Family::IPv4, Family::IPv6};

constexpr const char* kWeb = R"(
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  ipFamilyPolicy: RequireDualStack
  selector: {app: web}
  ports:
  - {name: http, port: 80, targetPort: http}
)";

class Kubernetes : public Stage, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override { open(GetParam()); }

  // "ready serving terminating" of the endpoint with that address, or "absent".
  std::string conditions_of(const Address& address) const {
    const auto slices = plane().get({"endpointslices", "--namespace", name_space()});
    if (!slices) return slices.error().message;
    for (const auto& slice : slices->at("items").as_array())
      if (const auto* endpoints = slice.as_object().if_contains("endpoints"); endpoints && endpoints->is_array())
        for (const auto& endpoint : endpoints->as_array())
          if (endpoint.at("addresses").at(0).as_string() == address.to_string())
            return words(endpoint.at("conditions"));
    return "absent";
  }

  static std::string words(const boost::json::value& conditions) {
    std::string text;
    for (const char* name : {"ready", "serving", "terminating"})
      if (conditions.at(name).as_bool()) text += (text.empty() ? "" : " ") + std::string(name);
    return text;
  }

  void expect_conditions(const Pod& pod, const std::string& expected) const {
    for (const Family family : kFamilies) {
      std::string seen;
      EXPECT_TRUE(eventually(kSoon, [&] { return (seen = conditions_of(pod.address(family))) == expected; }))
          << pod.name << " is " << seen << " and not " << expected;
    }
  }
};

TEST_P(Kubernetes, IsThatVersionAndKnowsTheNodes) {
  const auto version = plane().kubectl({"get", "--raw", "/version"});
  ASSERT_TRUE(version) << version.error().message;
  EXPECT_THAT(*version, testing::HasSubstr("\"gitVersion\": \"v" + std::string(GetParam()) + "."));
  const auto nodes = plane().get({"nodes"});
  ASSERT_TRUE(nodes) << nodes.error().message;
  ASSERT_EQ(nodes->at("items").as_array().size(), 2U);
  const auto& node = nodes->at("items").at(1);
  EXPECT_EQ(node.at("metadata").at("labels").at("topology.kubernetes.io/zone"), "b");
  EXPECT_EQ(node.at("status").at("addresses").at(2).at("address").as_string(), lab().node(2).ipv6.to_string());
}

TEST_P(Kubernetes, LeadsNodesToItself) {
  const auto slice = plane().get({"endpointslices", "kubernetes", "--namespace", "default"});
  ASSERT_TRUE(slice) << slice.error().message;
  const auto& address = slice->at("endpoints").at(0).at("addresses").at(0).as_string();
  const auto port = slice->at("ports").at(0).at("port").as_int64();
  EXPECT_EQ("https://" + std::string(address) + ":" + std::to_string(port), plane().server());
}

TEST_P(Kubernetes, PodsBecomeEndpoints) {
  ASSERT_NO_FATAL_FAILURE(apply(kWeb));
  ASSERT_NO_FATAL_FAILURE(add_pod(1, 1));
  ASSERT_NO_FATAL_FAILURE(add_pod(2, 2));
  ASSERT_NO_FATAL_FAILURE(add_pod(2, 1, "app=other"));
  const Pod& pod = lab().pod(1, 1);
  expect_conditions(pod, "ready serving");
  expect_conditions(lab().pod(2, 2), "ready serving");
  EXPECT_EQ(conditions_of(lab().pod(2, 1).ipv4), "absent");

  ASSERT_TRUE(cluster().set_ready(pod, false, name_space()));
  expect_conditions(pod, "");
  ASSERT_TRUE(cluster().set_ready(pod, true, name_space()));
  expect_conditions(pod, "ready serving");
  ASSERT_TRUE(cluster().terminate(pod, name_space()));
  expect_conditions(pod, "serving terminating");
  ASSERT_TRUE(cluster().remove(pod, name_space()));
  expect_conditions(pod, "absent");
}

TEST_P(Kubernetes, TokensWorkInsideNodes) {
  const std::string path = account("reader", "view");
  const auto in_node = [&](const std::string& what) {
    return lab().run_in(lab().node(1), {plane().kubectl_program(), "--kubeconfig=" + path,
                                        "--cache-dir=" + plane().dir() + "/node1", "get", what, "--all-namespaces"});
  };
  const auto services = in_node("services");
  ASSERT_TRUE(services) << services.error().message;
  EXPECT_THAT(*services, testing::HasSubstr("kubernetes"));
  const auto secrets = in_node("secrets");
  ASSERT_FALSE(secrets);
  EXPECT_THAT(secrets.error().message, testing::HasSubstr("Forbidden"));
}

TEST_P(Kubernetes, ComesBackAfterOutages) {
  ASSERT_NO_FATAL_FAILURE(apply(kWeb));
  const auto answers = [&] {
    return plane().kubectl({"get", "--raw", "/version", "--request-timeout=2s"}).has_value();
  };
  ASSERT_TRUE(answers());
  ASSERT_TRUE(plane().stop_apiserver());
  EXPECT_FALSE(answers());
  EXPECT_FALSE(plane().stop_apiserver()) << "it is stopped already";
  ASSERT_TRUE(plane().start_apiserver());
  EXPECT_TRUE(answers());
  ASSERT_TRUE(plane().kill_apiserver());
  ASSERT_TRUE(plane().start_apiserver());
  ASSERT_TRUE(plane().pause_apiserver());
  EXPECT_FALSE(answers());
  ASSERT_TRUE(plane().resume_apiserver());
  EXPECT_TRUE(answers());
  EXPECT_TRUE(plane().get({"service", "web", "--namespace", name_space()}));
}

TEST_P(Kubernetes, ForgetsRevisionsWhenCompacted) {
  // kubectl's own lists have no revision.
  const auto before = plane().kubectl({"get", "--raw", "/api/v1/services"});
  ASSERT_TRUE(before) << before.error().message;
  const std::string revision(boost::json::parse(*before).at("metadata").at("resourceVersion").as_string());
  ASSERT_NO_FATAL_FAILURE(apply(kWeb));
  const auto watch = [&] {
    const auto events =
        plane().kubectl({"get", "--raw", "/api/v1/services?watch=1&timeoutSeconds=1&resourceVersion=" + revision});
    return events ? *events : events.error().message;
  };
  EXPECT_THAT(watch(), testing::HasSubstr("ADDED"));
  ASSERT_TRUE(plane().compact());
  ASSERT_TRUE(plane().kill_apiserver());
  ASSERT_TRUE(plane().start_apiserver());
  EXPECT_THAT(watch(), testing::HasSubstr("\"code\":410"));
}

INSTANTIATE_TEST_SUITE_P(Oldest, Kubernetes, testing::Values(kOldestKubernetes));
INSTANTIATE_TEST_SUITE_P(Newest, Kubernetes, testing::Values(kNewestKubernetes));

}  // namespace
}  // namespace fairlead::test
