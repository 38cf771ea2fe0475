// SPDX-License-Identifier: Apache-2.0
#include <tuple>

#include "tests/e2e/stage.h"
#include "tests/support/answer.h"

// The real kube-proxy on a node of the lab: what it does there is what every other proxy is compared with.
namespace fairlead::test {
namespace {

constexpr Family kFamilies[] = {Family::IPv4, Family::IPv6};
constexpr Transport kTransports[] = {Transport::Tcp, Transport::Udp};
constexpr std::uint16_t kNodePort = 30080;
constexpr std::uint16_t kTargetPort = 8080;

constexpr const char* kWeb = R"(
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  ipFamilyPolicy: RequireDualStack
  selector: {app: web}
  ports:
  - {name: http, port: 80, targetPort: 8080, nodePort: 30080}
  - {name: udp, protocol: UDP, port: 80, targetPort: 8080, nodePort: 30080}
)";

class KubeProxy : public Stage, public testing::WithParamInterface<std::tuple<const char*, const char*>> {
 protected:
  void SetUp() override {
    const char* program = mode() == std::string("nftables") ? "nft" : "iptables";
    if (!run({program, "--version"}, std::chrono::seconds(5))) GTEST_SKIP() << "kube-proxy needs '" << program << "'";
    open(std::get<0>(GetParam()));
  }

  static const char* mode() { return std::get<1>(GetParam()); }

  // A shared lab's node keeps the rules of its proxy, so that each mode has its own.
  const Node& node() const { return lab().node(mode() == std::string("nftables") ? 1 : 2); }

  Result<Process> start_kube_proxy() const {
    return lab().start(
        node(),
        {plane().bin() + "/kube-proxy", "--kubeconfig=" + account("proxy", "system:node-proxier"),
         "--proxy-mode=" + std::string(mode()), "--hostname-override=" + node().name, "--conntrack-max-per-core=0",
         "--conntrack-min=0", "--healthz-bind-address=127.0.0.1:10256", "--metrics-bind-address=127.0.0.1:10249"});
  }
};

TEST_P(KubeProxy, ServesNodePorts) {
  ASSERT_NO_FATAL_FAILURE(apply(kWeb));
  ASSERT_NO_FATAL_FAILURE(add_pod(1, 1));
  const auto server = lab().serve(lab().pod(1, 1), kTargetPort);
  ASSERT_TRUE(server) << server.error().message;
  const auto proxy = start_kube_proxy();
  ASSERT_TRUE(proxy) << proxy.error().message;
  for (const Family family : kFamilies)
    for (const Transport transport : kTransports) {
      const Endpoint to{node().address(family), kNodePort};
      std::string answered = "nobody";
      eventually(kSoon, [&] {
        const auto answer = ask_from(lab().client().netns, transport, to, std::chrono::milliseconds(500));
        if (answer) answered = answer->server;
        return answer.has_value();
      });
      EXPECT_EQ(answered, "node1-pod1") << to.to_string() << "\n" << proxy->err();
    }
  ASSERT_TRUE(plane().kubectl({"delete", "service", "web", "--namespace", name_space()}));
}

std::string mode_of(const testing::TestParamInfo<std::tuple<const char*, const char*>>& info) {
  return std::get<1>(info.param);
}

INSTANTIATE_TEST_SUITE_P(Newest, KubeProxy,
                         testing::Combine(testing::Values(kNewestKubernetes), testing::Values("nftables", "iptables")),
                         mode_of);
INSTANTIATE_TEST_SUITE_P(Oldest, KubeProxy,
                         testing::Combine(testing::Values(kOldestKubernetes), testing::Values("nftables", "iptables")),
                         mode_of);

}  // namespace
}  // namespace fairlead::test
