// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/support/control_plane.h"
#include "tests/support/lab.h"
#include "userspace/util/result.h"

namespace fairlead::test {

// Plays the kubelets of a lab: its nodes and pods as objects in a control plane, with the status that a kubelet would
// write. It keeps nothing; pods and nodes are named as in the lab. The control plane must outlive it.
class Cluster {
 public:
  explicit Cluster(const ControlPlane& plane) : plane_(&plane) {}

  // All nodes of the lab, Ready, with both InternalIPs; odd ones in zone a, even ones in zone b.
  Result<> add_nodes() const;
  // Running and Ready, with labels as "app=web,track=canary". The namespace must exist.
  Result<> add_pod(const Pod& pod, const std::string& labels = "app=web",
                   const std::string& name_space = "default") const;

  Result<> set_ready(const Pod& pod, bool ready, const std::string& name_space = "default") const;
  // Deleted with a long grace period, as if its program took its time to end: terminating, and serving if it was Ready.
  Result<> terminate(const Pod& pod, const std::string& name_space = "default") const;
  // Gone at once.
  Result<> remove(const Pod& pod, const std::string& name_space = "default") const;

 private:
  Result<> create(const std::string& yaml, const std::string& name_space) const;
  Result<> kubectl(const std::vector<std::string>& arguments, const std::string& name_space) const;

  const ControlPlane* plane_;
};

}  // namespace fairlead::test
