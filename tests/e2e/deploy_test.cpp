// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/e2e/stage.h"
#include "tests/support/daemon.h"

// What k8s tells people to apply, as real API servers see it.
namespace fairlead::test {
namespace {

using Words = std::vector<std::string>;

class Deploy : public Stage, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override { open(GetParam()); }
};

Words kustomizations() {
  Words found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(FAIRLEAD_K8S))
    if (entry.path().filename() == "kustomization.yaml") found.push_back(entry.path().parent_path());
  return found;
}

TEST_P(Deploy, ServerTakesEveryField) {
  const Words all = kustomizations();
  EXPECT_GE(all.size(), 5U);
  for (const std::string& directory : all) {
    const auto taken = plane().kubectl({"apply", "--dry-run=server", "--validate=strict", "-k", directory});
    ASSERT_TRUE(taken) << directory << ": " << taken.error().message;
    EXPECT_THAT(*taken, testing::HasSubstr("daemonset.apps/fairlead")) << directory;
  }
}

TEST_P(Deploy, RightsAreThoseToWatchAndToTellEvents) {
  const std::string rights = FAIRLEAD_K8S "/base/rbac.yaml";
  ASSERT_TRUE(plane().kubectl({"apply", "-n", "kube-system", "-f", rights}));
  const auto may = [&](const std::string& verb, const std::string& resource) {
    return static_cast<bool>(plane().kubectl(
        {"auth", "can-i", verb, resource, "--all-namespaces", "--as=system:serviceaccount:kube-system:fairlead"}));
  };
  for (const char* resource : {"services", "endpointslices.discovery.k8s.io", "nodes"}) {
    for (const char* verb : {"list", "watch"})
      EXPECT_TRUE(may(verb, resource)) << verb << " " << resource;
    for (const char* verb : {"create", "update", "patch", "delete"})
      EXPECT_FALSE(may(verb, resource)) << verb << " " << resource;
  }
  EXPECT_TRUE(may("create", "events"));
  for (const char* resource : {"secrets", "configmaps", "pods", "endpoints"})
    EXPECT_FALSE(may("list", resource)) << resource;
  EXPECT_TRUE(plane().kubectl({"delete", "-n", "kube-system", "-f", rights}));
}

// An overlay in the cluster, and what a pod of its DaemonSet would be given.
class Overlay {
 public:
  Overlay(const ControlPlane& plane, const std::string& name)
      : plane_(plane), directory_(FAIRLEAD_K8S "/overlays/" + name) {
    EXPECT_TRUE(plane_.kubectl({"apply", "-k", directory_}));
  }
  ~Overlay() { EXPECT_TRUE(plane_.kubectl({"delete", "-k", directory_})); }

  std::string of_daemonset(const std::string& path) const { return ask("daemonset/fairlead", path); }

  std::string configuration() const {
    const std::string name = of_daemonset("{.spec.template.spec.volumes[?(@.name=='config')].configMap.name}");
    return ask("configmap/" + name, "{.data.config\\.yaml}");
  }

  std::string probe(const std::string& kind) const {
    const std::string path = "{.spec.template.spec.containers[0]." + kind + "Probe.httpGet.";
    return "http://" + of_daemonset(path + "host}") + ":" + of_daemonset(path + "port}") + of_daemonset(path + "path}");
  }

 private:
  std::string ask(const std::string& object, const std::string& path) const {
    const auto answer = plane_.kubectl({"-n", "kube-system", "get", object, "-o", "jsonpath=" + path});
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? *answer : "";
  }

  const ControlPlane& plane_;
  std::string directory_;
};

constexpr const char* kNotHonoured = R"(
apiVersion: v1
kind: Service
metadata: {name: ranges}
spec:
  type: LoadBalancer
  loadBalancerSourceRanges: [10.0.0.0/8]
  ports: [{port: 80}]
)";

// All but the container: with the configuration, the rights and the probes that the API server was given.
TEST_P(Deploy, LbdRunsAsThePodOfEachOverlay) {
  ASSERT_NO_FATAL_FAILURE(apply(kNotHonoured));
  const std::string status = R"({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.77"}]}}})";
  ASSERT_TRUE(plane().kubectl(
      {"-n", name_space(), "patch", "service/ranges", "--subresource=status", "--type=merge", "--patch", status}));
  for (const char* name : {"replace-kube-proxy", "alongside"}) {
    const Overlay overlay(plane(), name);
    const Node& node = lab().node(1);
    std::ofstream(node.run + "/config.yaml") << overlay.configuration();
    const auto kubeconfig = plane().kubeconfig_for("kube-system", "fairlead");
    ASSERT_TRUE(kubeconfig) << kubeconfig.error().message;
    Daemon daemon(
        lab(), node,
        {.more = {{"--source", "kubernetes"}, {"--config", node.run + "/config.yaml"}, {"--kubeconfig", *kubeconfig}}});
    const auto started = daemon.start();
    ASSERT_TRUE(started) << name << ": " << started.error().message;
    for (const char* kind : {"startup", "liveness", "readiness"}) {
      const auto healthy = lab().run_in(node, {"busybox", "wget", "-qO-", overlay.probe(kind)});
      EXPECT_TRUE(healthy) << name << ", " << kind << ": " << healthy.error().message;
    }
    EXPECT_TRUE(eventually(kSoon,
                           [&] {
                             const auto events = plane().kubectl({"-n", name_space(), "get", "events", "-o", "name"});
                             return events && !events->empty();
                           }))
        << name << ": no event about a Service that is not honoured\n"
        << daemon.log();
    EXPECT_THAT(daemon.log(), testing::Not(testing::HasSubstr("forbidden"))) << name;
    EXPECT_EQ(daemon.stop(), 0);
    EXPECT_TRUE(plane().kubectl({"-n", name_space(), "delete", "events", "--all"}));
  }
}

// Two suites rather than one with two values, so that each has its control plane once.
INSTANTIATE_TEST_SUITE_P(Oldest, Deploy, testing::Values(kOldestKubernetes));
INSTANTIATE_TEST_SUITE_P(Newest, Deploy, testing::Values(kNewestKubernetes));

}  // namespace
}  // namespace fairlead::test
