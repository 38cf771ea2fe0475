// SPDX-License-Identifier: Apache-2.0
#include <yaml-cpp/yaml.h>

#include <filesystem>

#include "tests/lab/confined.h"
#include "tests/lab/scenario.h"

// lbd as root with the capabilities that a DaemonSet of k8s gives it and nothing else, as a container runtime starts
// it.
namespace fairlead::test {
namespace {

using testing::HasSubstr;

Capabilities capabilities_in(const std::string& manifest, const std::string& list) {
  const YAML::Node pod = YAML::LoadFile(FAIRLEAD_K8S "/" + manifest)["spec"]["template"]["spec"];
  const YAML::Node security = pod[list][0]["securityContext"];
  EXPECT_EQ(security["capabilities"]["drop"].as<Capabilities>(), Capabilities{"ALL"});
  EXPECT_FALSE(security["allowPrivilegeEscalation"].as<bool>());
  return security["capabilities"]["add"].as<Capabilities>();
}

Capabilities of_lbd() {
  return capabilities_in("base/daemonset.yaml", "containers");
}

Capabilities of_cleanup() {
  return capabilities_in("cleanup/daemonset.yaml", "initContainers");
}

class Container : public Scenario {
 protected:
  void build_with(const Capabilities& capabilities) {
    ASSERT_NO_FATAL_FAILURE(build({.nodes = 2, .pods = 1}));
    add_daemon(1, {.launcher = confined_to(capabilities)});
    put({}, {backend(1, 1), backend(2, 1)});
  }

  void expect_service() const {
    for (const Family family : kFamilies) {
      const AskReport report = ask(Transport::Tcp, vip_of(10, family), {.count = 40});
      EXPECT_EQ(report.failed, 0U) << testing::PrintToString(report.failures);
      EXPECT_EQ(report.servers.size(), 2U) << testing::PrintToString(report.servers);
    }
  }
};

TEST_F(Container, ServesWithTheCapabilitiesOfTheDaemonSet) {
  ASSERT_NO_FATAL_FAILURE(build_with(of_lbd()));
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  expect_service();
  EXPECT_EQ(daemon().stop(), 0);
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  EXPECT_TRUE(daemon().query<admin::StatusView>({"status"})->adopted);
  expect_service();
}

TEST_F(Container, NeedsEachOfTheCapabilitiesOfTheDaemonSet) {
  ASSERT_NO_FATAL_FAILURE(build({.nodes = 1, .pods = 1}));
  for (const std::string& missing : of_lbd()) {
    Capabilities others = of_lbd();
    std::erase(others, missing);
    Daemon without(*lab_, lab_->node(1), {.launcher = confined_to(others)});
    const auto started = without.start();
    ASSERT_FALSE(started) << "runs without " << missing;
    EXPECT_THAT(started.error().message, HasSubstr("load the BPF object: ")) << missing;
  }
}

TEST_F(Container, IsTakenOffWithTheCapabilitiesOfTheCleanup) {
  ASSERT_NO_FATAL_FAILURE(build_with(of_lbd()));
  ASSERT_NO_FATAL_FAILURE(start_daemons());
  EXPECT_EQ(daemon().stop(), 0);
  Daemon cleaner(*lab_, lab_->node(1), {.launcher = confined_to(of_cleanup())});
  auto process = cleaner.start_another({}, {"--cleanup"});
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_EQ(process->wait(kSoon), 0) << process->err();
  const auto qdiscs = lab_->run_in(lab_->node(1), {"tc", "qdisc", "show", "dev", lab_->node(1).device});
  ASSERT_TRUE(qdiscs) << qdiscs.error().message;
  EXPECT_THAT(*qdiscs, testing::Not(HasSubstr("clsact")));
  EXPECT_FALSE(std::filesystem::exists(lab_->node(1).pins));
}

}  // namespace
}  // namespace fairlead::test
