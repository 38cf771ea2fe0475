// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <string>
#include <vector>

#include "tests/support/control_plane.h"
#include "tests/support/dialogue.h"
#include "userspace/util/result.h"

namespace fairlead::test {

// Requests to one path.
struct Traffic {
  std::string method;
  std::string path;
  bool watch = false;
  unsigned total = 0;
  unsigned open = 0;
  unsigned faults = 0;  // met by a rule
};

// Stands between clients in the lab and a control plane's API server, which must outlive it. Without rules it changes
// nothing. Not for use by several threads at once.
class FaultProxy {
 public:
  static Result<FaultProxy> up(const ControlPlane& plane);

  // To be given to ControlPlane::kubeconfig_for().
  std::string server() const { return dialogue_.text("server"); }

  // As in `controlplane faultproxy --help`: {{"path", "/api/v1/services"}, {"watch", true}, {"fault", "cut"}}. Holds
  // for requests that are made from now on.
  Result<> rule(const boost::json::object& rule) { return dialogue_.obey("rule " + boost::json::serialize(rule)); }
  Result<> clear() { return dialogue_.obey("clear"); }
  // Cuts all connections that are open.
  Result<> disconnect() { return dialogue_.obey("disconnect"); }

  // It keeps its connections and takes new ones, as far as the kernel does, and says nothing any more, until it thaws.
  Result<> freeze() const { return signal(SIGSTOP); }
  Result<> thaw() const { return signal(SIGCONT); }

  Result<std::vector<Traffic>> traffic();
  // Of the requests with that path, which are watches or not.
  Result<Traffic> traffic_to(const std::string& path, bool watch);

 private:
  Result<> signal(int number) const;

  explicit FaultProxy(Dialogue dialogue) : dialogue_(std::move(dialogue)) {}

  Dialogue dialogue_;
};

}  // namespace fairlead::test
