// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/e2e/stage.h"
#include "tests/support/daemon.h"
#include "tests/support/fault_proxy.h"
#include "userspace/admin/view.h"

namespace fairlead::test {

// lbd on node1, as the ServiceAccount that k8s/base gives it, which follows the API server through a proxy that can
// break answers.
class Following : public Stage {
 protected:
  static constexpr const char* kServicesPath = "/api/v1/services";
  static constexpr const char* kSlicesPath = "/apis/discovery.k8s.io/v1/endpointslices";

  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(open(kNewestKubernetes));
    if (IsSkipped()) return;
    const auto account = plane().kubectl({"apply", "--namespace", "kube-system", "-f", FAIRLEAD_RBAC});
    ASSERT_TRUE(account) << account.error().message;
    auto proxy = FaultProxy::up(plane());
    ASSERT_TRUE(proxy) << proxy.error().message;
    proxy_.emplace(std::move(*proxy));
    const auto kubeconfig = plane().kubeconfig_for("kube-system", "fairlead", proxy_->server());
    ASSERT_TRUE(kubeconfig) << kubeconfig.error().message;
    kubeconfig_ = *kubeconfig;
    daemon_ = std::make_unique<Daemon>(lab(), lab().node(1), DaemonOptions{.kubeconfig = kubeconfig_});
  }

  void TearDown() override {
    if (HasFailure() && daemon_) std::cerr << "--- lbd\n" << daemon_->log();
    if (daemon_) {
      if (daemon_->is_running()) daemon_->stop();
      clean_up(*daemon_);
    }
    Stage::TearDown();
  }

  static void clean_up(const Daemon& daemon) {
    auto cleanup = daemon.start_another({}, {"--cleanup"});
    ASSERT_TRUE(cleanup) << cleanup.error().message;
    EXPECT_EQ(cleanup->wait(kSoon), 0);
  }

  Daemon& daemon() { return *daemon_; }
  FaultProxy& proxy() { return *proxy_; }
  const std::string& kubeconfig() const { return kubeconfig_; }

  void start(Daemon::Ready ready = Daemon::kInSync) {
    const auto started = daemon_->start(ready);
    ASSERT_TRUE(started) << started.error().message;
  }

  void add_rule(const boost::json::object& rule) {
    const auto added = proxy_->rule(rule);
    ASSERT_TRUE(added) << added.error().message;
  }

  // What it serves, without what counts traffic and without places in maps.
  static std::string state_of(const Daemon& daemon) {
    auto services = daemon.query<std::vector<admin::ServiceView>>({"service", "list"});
    if (!services) return services.error().message;
    for (admin::ServiceView& service : *services)
      for (admin::ServicePortView& port : service.ports)
        for (admin::BackendView& backend : port.backends)
          backend = {.address = backend.address, .port = backend.port, .state = backend.state, .local = backend.local};
    return boost::json::serialize(boost::json::value_from(*services));
  }

  // What an lbd that has just listed everything, from the API server itself, would serve on that node.
  std::string state_of_another() const {
    const auto direct = plane().kubeconfig_for("kube-system", "fairlead");
    if (!direct) return direct.error().message;
    Daemon another(lab(), lab().node(2),
                   {.kubeconfig = *direct, .more = {{"--hostname-override", lab().node(1).name}}});
    if (const auto started = another.start(); !started) return started.error().message;
    const std::string state = state_of(another);
    another.stop();
    clean_up(another);
    return state;
  }

  void expect_exact(std::chrono::seconds patience = kSoon) {
    const std::string expected = state_of_another();
    std::string seen;
    EXPECT_TRUE(eventually(patience, [&] { return (seen = state_of(*daemon_)) == expected; }))
        << "serves   " << seen << "\nbut there is " << expected;
  }

 private:
  std::optional<FaultProxy> proxy_;
  std::string kubeconfig_;
  std::unique_ptr<Daemon> daemon_;
};

}  // namespace fairlead::test
