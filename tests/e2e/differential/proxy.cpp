// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/differential/proxy.h"

#include <cstdlib>
#include <list>
#include <map>

#include "tests/support/answer.h"
#include "tests/support/daemon.h"
#include "tests/support/eventually.h"

namespace fairlead::test::differential {
namespace {

// A second or two where nothing else runs.
constexpr std::chrono::seconds kPatience{150};
constexpr const char* kClusterCidr = "10.210.0.0/16,fd00:210::/32";

Result<> forget_connections(const Lab& lab) {
  for (const Node& node : lab.nodes())
    if (auto done = lab.run_in(node, {"conntrack", "-F"}); !done) return done.error();
  return {};
}

class KubeProxy : public Proxy {
 public:
  KubeProxy(const ControlPlane& plane, std::string mode, std::string kubeconfig, std::vector<Endpoint> signs)
      : plane_(&plane), mode_(std::move(mode)), kubeconfig_(std::move(kubeconfig)), signs_(std::move(signs)) {}

  Result<> start() override {
    for (const Node& node : lab().nodes()) {
      auto process = lab().start(node, command(node, {"--proxy-mode=" + mode_, "--kubeconfig=" + kubeconfig_}));
      if (!process) return process.error();
      processes_.push_back(std::move(*process));
    }
    for (const Node& node : lab().nodes())
      for (const Endpoint& sign : signs_)
        if (!eventually(kPatience, [&] { return ask_from(node.netns, Transport::Tcp, sign).has_value(); }))
          return Error{sign.to_string() + " does not answer on " + node.name + ": " + processes_.back().err(),
                       ETIMEDOUT};
    return {};
  }

  Result<> stop() override {
    processes_.clear();
    for (const Node& node : lab().nodes()) {
      auto cleaning = lab().start(node, command(node, {"--cleanup"}));
      if (!cleaning) return cleaning.error();
      processes_.push_back(std::move(*cleaning));
    }
    for (Process& cleaning : processes_)
      if (cleaning.wait(kPatience) != 0) return Error{"kube-proxy --cleanup: " + cleaning.err(), 0};
    processes_.clear();
    return forget_connections(lab());
  }

 private:
  const Lab& lab() const { return plane_->lab(); }

  std::vector<std::string> command(const Node& node, std::vector<std::string> flags) const {
    flags.insert(flags.begin(),
                 {plane_->bin() + "/kube-proxy", "--hostname-override=" + node.name,
                  "--cluster-cidr=" + std::string(kClusterCidr), "--conntrack-max-per-core=0", "--conntrack-min=0",
                  "--healthz-bind-address=127.0.0.1:10256", "--metrics-bind-address=127.0.0.1:10249"});
    return flags;
  }

  const ControlPlane* plane_;
  std::string mode_;
  std::string kubeconfig_;
  std::vector<Endpoint> signs_;
  std::list<Process> processes_;
};

class Lbd : public Proxy {
 public:
  Lbd(const ControlPlane& plane, std::string kubeconfig) : plane_(&plane), kubeconfig_(std::move(kubeconfig)) {}

  Result<> start() override {
    for (const Node& node : plane_->lab().nodes()) {
      Daemon& daemon = daemons_.emplace_back(plane_->lab(), node, options());
      if (auto fed = feed(daemon); !fed) return fed;
      if (auto started = daemon.start(); !started) return started;
    }
    return {};
  }

  Result<> stop() override {
    for (Daemon& daemon : daemons_) {
      daemon.stop();
      auto cleaning = daemon.start_another({}, {"--cleanup"});
      if (!cleaning) return cleaning.error();
      if (cleaning->wait(kPatience) != 0) return Error{"lbd --cleanup: " + cleaning->err(), 0};
    }
    daemons_.clear();
    return forget_connections(plane_->lab());
  }

 private:
  static bool reads_file() {
    const char* source = std::getenv("FAIRLEAD_DIFFERENTIAL_SOURCE");
    return source && source == std::string("file");
  }

  DaemonOptions options() const {
    return {.kubeconfig = reads_file() ? "" : kubeconfig_,
            .more = {{"--cluster-cidr", kClusterCidr}, {"--max-flows-ipv4", "65536"}, {"--max-flows-ipv6", "65536"}}};
  }

  Result<> feed(const Daemon& daemon) const {
    if (!reads_file()) return {};
    const auto objects = plane_->kubectl({"get", "services,endpointslices,nodes", "--all-namespaces", "-o", "yaml"});
    if (!objects) return objects.error();
    return daemon.put("cluster.yaml", *objects);
  }

  const ControlPlane* plane_;
  std::string kubeconfig_;
  std::list<Daemon> daemons_;
};

}  // namespace

std::unique_ptr<Proxy> kube_proxy(const ControlPlane& plane, const std::string& mode, const std::string& kubeconfig,
                                  const std::vector<Endpoint>& signs) {
  return std::make_unique<KubeProxy>(plane, mode, kubeconfig, signs);
}

std::unique_ptr<Proxy> lbd(const ControlPlane& plane, const std::string& kubeconfig) {
  return std::make_unique<Lbd>(plane, kubeconfig);
}

}  // namespace fairlead::test::differential
