// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "userspace/admin/inspector.h"
#include "userspace/daemon/endpoints.h"
#include "userspace/daemon/node_network.h"
#include "userspace/daemon/options/options.h"
#include "userspace/daemon/sync.h"
#include "userspace/daemon/upkeep.h"
#include "userspace/daemon/way_checks.h"
#include "userspace/model/store.h"
#include "userspace/source/source.h"

namespace fairlead::daemon {

// Answers the control API out of the daemon's parts, which outlive it. What each resource is made of stands in a file
// of its own beside this one.
class Inspection : public admin::Inspector {
 public:
  struct Parts {
    const Options& options;
    const datapath::Object& object;
    const NodeNetwork& network;
    const Ways& ways;
    const WayChecks& way_checks;
    const Sync& sync;
    const model::Store& store;
    const Upkeep& upkeep;
    const source::Source& source;
    const Endpoints& endpoints;
  };
  explicit Inspection(const Parts& parts) : parts_(parts), started_(std::chrono::steady_clock::now()) {}

  admin::VersionView version() const override;
  admin::StatusView status() const override;
  std::vector<admin::ProblemView> problems() const override;
  std::vector<admin::ServiceView> services() const override;
  std::vector<admin::PortSummary> ports() const override;
  Result<admin::ServiceView> service(const std::string& space, const std::string& name) const override;
  Result<std::vector<admin::FlowView>> flows(const admin::FlowFilter& filter) const override;
  Result<std::vector<admin::RingView>> rings(const std::string& space, const std::string& name) const override;
  std::vector<admin::HookView> verdicts() const override;

 private:
  std::vector<admin::DeviceView> devices() const;
  Result<const model::Service*> find(const std::string& space, const std::string& name) const;

  Parts parts_;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace fairlead::daemon
