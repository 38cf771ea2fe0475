// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/state/address_book.h"
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
  Admission(const Limits& limits, const Usage& used, const Tables& desired, const AddressBook& addresses)
      : limits_(limits), used_(used), desired_(desired), addresses_(addresses) {}

  // The error names the limit.
  Result<> admit(const PortSpec& spec, const PlacedPort& port) const;

 private:
  Result<> admit_frontends(const PortSpec& spec, const PlacedPort& port) const;
  Result<> admit_addresses(const PortSpec& spec, const PlacedPort& port) const;
  std::size_t addresses_given_up(const PortSpec& spec, const PlacedPort& port) const;
  Result<> admit_backends(const PortSpec& spec, const PlacedPort& port) const;

  const Limits& limits_;
  Usage used_;
  const Tables& desired_;
  const AddressBook& addresses_;
};

}  // namespace fairlead::state
