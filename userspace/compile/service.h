// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "userspace/compile/endpoints.h"
#include "userspace/model/problem.h"
#include "userspace/state/port_spec.h"

namespace fairlead::compile {

// What one service asks for, before other services are looked at: its port specs with every frontend that it wants, and
// what it wants in vain. Services that are not for this proxy (ExternalName, headless, another proxy's) ask for
// nothing.
struct ServiceSpec {
  std::vector<state::PortSpec> ports;
  std::vector<model::Problem> problems;
};
ServiceSpec compile_service(const model::Service& service, const model::Store::Slices& slices, const NodeView& node);

// What of a service is not served although nothing is wrong with it, or all of it, and why; empty: there is nothing to
// say.
std::string note_on(const model::Service& service, bool served);

// The Service that a port spec of this name is of.
model::Name service_of(const std::string& port_spec);

}  // namespace fairlead::compile
