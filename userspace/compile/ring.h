// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/state/port_spec.h"

namespace fairlead::compile {

// A Maglev ring for these backends of a service port, which are not none. Equal sets give equal rings on every node.
state::Ring make_ring(const state::PortSpec& spec, const std::vector<std::uint32_t>& members, std::uint32_t slots);

}  // namespace fairlead::compile
