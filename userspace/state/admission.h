// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/state/limits.h"
#include "userspace/state/placed_port.h"
#include "userspace/state/port_spec.h"
#include "userspace/util/result.h"

namespace fairlead::state {

// Counts against the limits before anything is changed, so that a refusal leaves no trace. Ring and member space is not
// counted but tried, because a free block of the right size is what matters.
class Admission {
 public:
  // used counts the port that asks.
  Admission(const Limits& limits, const Usage& used, const Tables& desired)
      : limits_(limits), used_(used), desired_(desired) {}

  // The error names the limit.
  Result<> admit(const PortSpec& spec, const PlacedPort& port) const;

 private:
  Result<> admit_frontends(const PortSpec& spec, const PlacedPort& port) const;
  Result<> admit_backends(const PortSpec& spec, const PlacedPort& port) const;

  const Limits& limits_;
  Usage used_;
  const Tables& desired_;
};

}  // namespace fairlead::state
