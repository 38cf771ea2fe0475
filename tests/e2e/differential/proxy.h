// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/control_plane.h"
#include "tests/support/socket.h"
#include "userspace/util/result.h"

namespace fairlead::test::differential {

// What serves the control plane's Services on every node of its lab, one after another.
class Proxy {
 public:
  virtual ~Proxy() = default;
  // Returns when it serves what the API server has.
  virtual Result<> start() = 0;
  // Returns when nothing is left of it, and of the connections through it.
  virtual Result<> stop() = 0;
};

// The real one, in mode "nftables" or "iptables". It is in sync when a node gets answers at these signs,
// which nothing but its own proxy leads anywhere.
std::unique_ptr<Proxy> kube_proxy(const ControlPlane& plane, const std::string& mode, const std::string& kubeconfig,
                                  const std::vector<Endpoint>& signs);

// Ours, from the API server, or with FAIRLEAD_DIFFERENTIAL_SOURCE=file from what kubectl wrote of it.
std::unique_ptr<Proxy> lbd(const ControlPlane& plane, const std::string& kubeconfig);

}  // namespace fairlead::test::differential
