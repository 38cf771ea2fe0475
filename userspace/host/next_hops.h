// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>

#include "userspace/host/attributes.h"

namespace fairlead::host {

// The devices that a route leaves through: of all its next hops, those of a group of next hop objects among them.
std::set<int> next_hop_devices(const Attributes& route);

}  // namespace fairlead::host
