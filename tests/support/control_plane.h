// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/dialogue.h"
#include "tests/support/lab.h"
#include "userspace/util/result.h"

namespace fairlead::test {

// The oldest and the newest Kubernetes that is supported.
constexpr const char* kOldestKubernetes = "1.34";
constexpr const char* kNewestKubernetes = "1.36";

// Why no control plane can run here, for GTEST_SKIP(); nothing if it can. Includes what a lab needs.
std::optional<std::string> missing_for_kubernetes(const std::string& version = kNewestKubernetes);

// etcd, kube-apiserver and kube-controller-manager, without any node or pod of their own, reached from all hosts of a
// lab at its router's address. They end with this, and when the process is killed. The lab must outlive it, and keeps
// its files; there is one at a time in a lab. Not for use by several threads at once.
class ControlPlane {
 public:
  // Returns when its API is ready and its controllers work.
  static Result<ControlPlane> up(const Lab& lab, const std::string& version = kNewestKubernetes,
                                 const std::vector<std::string>& apiserver_flags = {});

  const Lab& lab() const { return *lab_; }
  std::string dir() const { return dialogue_.text("dir"); }
  std::string bin() const { return bin_; }                         // kube-proxy is there too
  std::string server() const { return dialogue_.text("server"); }  // its URL, as the lab's hosts see it
  std::string local() const { return dialogue_.text("local"); }    // the same, from where this process is
  std::string admin() const {
    return dialogue_.text("kubeconfig");
  }  // path; of somebody who may do everything, for here

  // Path of a kubeconfig for use inside the lab, with a token of that ServiceAccount, which must exist; for another
  // server than this one if it is given.
  Result<std::string> kubeconfig_for(const std::string& name_space, const std::string& account,
                                     const std::string& server = {}) const;

  pid_t pid() const { return dialogue_.pid(); }
  std::string kubectl_program() const { return dialogue_.text("kubectl"); }
  // Run to its end as that admin; returns what it printed.
  Result<std::string> kubectl(const std::vector<std::string>& arguments, std::string_view input = {}) const;
  Result<> apply(const std::string& yaml) const;
  Result<boost::json::value> get(std::vector<std::string> arguments) const;

  // Outages. What starts or resumes it returns when it is ready again.
  Result<> stop_apiserver() { return dialogue_.obey("stop apiserver"); }
  Result<> kill_apiserver() { return dialogue_.obey("kill apiserver"); }
  Result<> start_apiserver() { return dialogue_.obey("start apiserver"); }
  Result<> pause_apiserver() { return dialogue_.obey("pause apiserver"); }
  Result<> resume_apiserver() { return dialogue_.obey("resume apiserver"); }
  // etcd forgets all revisions but the last. The API server remembers some of them until it is started anew.
  Result<> compact() { return dialogue_.obey("compact"); }

 private:
  ControlPlane(const Lab& lab, std::string bin, Dialogue dialogue)
      : lab_(&lab), bin_(std::move(bin)), dialogue_(std::move(dialogue)) {}

  const Lab* lab_;
  std::string bin_;
  Dialogue dialogue_;
};

std::string controlplane_program();

}  // namespace fairlead::test
