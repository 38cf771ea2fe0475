// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "userspace/admin/view.h"
#include "userspace/model/service.h"
#include "userspace/util/result.h"

namespace fairlead::admin {

// Which flows are meant; what is empty matches everything. Addresses may be given with or without a port.
struct FlowFilter {
  std::string service;  // "default/web", or a service port's id
  std::string client;
  std::string frontend;
  std::string backend;
  std::optional<model::Protocol> protocol;
  std::optional<FlowState> state;
  std::uint64_t limit = 0;  // 0: all
};

// A service port in one family, for who counts.
struct PortSummary {
  std::string space, service;
  std::string port;      // its name, or its number
  std::string protocol;  // "TCP"
  Family family = Family::IPv4;
  std::uint32_t id = 0;  // in the maps
  // The traffic policy leaves clients inside, or outside, none of the endpoints that there are.
  bool no_local_inside = false, no_local_outside = false;
};

// What the control API asks of the daemon. Called on the event loop's thread; an answer is a snapshot.
class Inspector {
 public:
  virtual ~Inspector() = default;

  virtual VersionView version() const = 0;
  virtual StatusView status() const = 0;
  virtual std::vector<ProblemView> problems() const = 0;
  virtual std::vector<ServiceView> services() const = 0;
  // Of what is served.
  virtual std::vector<PortSummary> ports() const = 0;
  // Errors name what was asked for.
  virtual Result<ServiceView> service(const std::string& space, const std::string& name) const = 0;
  virtual Result<std::vector<FlowView>> flows(const FlowFilter& filter) const = 0;
  virtual Result<std::vector<RingView>> rings(const std::string& space, const std::string& name) const = 0;
  virtual std::vector<HookView> verdicts() const = 0;
};

}  // namespace fairlead::admin
