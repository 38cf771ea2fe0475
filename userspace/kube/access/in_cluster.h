// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "userspace/kube/access/access.h"

namespace fairlead::kube {

// What a kubelet gives the containers of a pod.
struct Pod {
  std::filesystem::path directory = "/var/run/secrets/kubernetes.io/serviceaccount";
  std::string host;  // name or address, IPv6 without brackets
  std::string port;

  // This process's, by KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT.
  static Pod ours();
};

// Access by the pod's service account. Its token is read again every minute, because the kubelet replaces it.
Result<Access> in_cluster(const Pod& pod = Pod::ours(), const Timing& timing = {});

}  // namespace fairlead::kube
