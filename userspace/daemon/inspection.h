// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "userspace/admin/inspector.h"
#include "userspace/daemon/node_network.h"
#include "userspace/daemon/options/options.h"
#include "userspace/daemon/sync.h"
#include "userspace/daemon/upkeep.h"
#include "userspace/model/store.h"
#include "userspace/source/source.h"

namespace fairlead::daemon {

// Answers the control API out of the daemon's parts. They outlive it.
class Inspection : public admin::Inspector {
 public:
  struct Parts {
    const Options& options;
    const datapath::Object& object;
    const NodeNetwork& network;
    const Sync& sync;
    const model::Store& store;
    const Upkeep& upkeep;
    const source::Source& source;
  };
  explicit Inspection(const Parts& parts) : parts_(parts), started_(std::chrono::steady_clock::now()) {}

  admin::VersionView version() const override;
  admin::StatusView status() const override;
  std::vector<admin::ProblemView> problems() const override;
  std::vector<admin::ServiceView> services(admin::Backends backends) const override;
  Result<admin::ServiceView> service(const std::string& space, const std::string& name) const override;
  Result<std::vector<admin::FlowView>> flows(const admin::FlowFilter& filter) const override;
  Result<std::vector<admin::RingView>> rings(const std::string& space, const std::string& name) const override;
  std::vector<admin::VerdictView> verdicts() const override;

 private:
  // Counters of a slot.
  using Stats = std::function<lb_backend_stats(std::uint32_t)>;

  admin::ServiceView view(const model::Service& service, admin::Backends backends, const Stats& stats) const;
  admin::ServicePortView view(const model::Service& service, const state::PortSpec& spec) const;
  std::vector<admin::BackendView> each_backend(const state::PortSpec& spec, const Stats& stats) const;
  admin::BackendView all_backends(const state::PortSpec& spec, const Stats& stats) const;
  std::vector<admin::UsageView> usage() const;
  Result<const model::Service*> find(const std::string& space, const std::string& name) const;

  Parts parts_;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace fairlead::daemon
