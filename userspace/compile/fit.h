// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "userspace/state/placement.h"

namespace fairlead::compile {

// What has become of a service port in maps that may not hold all of it.
struct RingGrowth {
  std::uint32_t slots = 0, share = 8;  // see Placement::has_ring_room()
};
struct Fit {
  std::optional<state::PortSpec> served;  // what is placed of it now; nothing: it stays as it was
  std::optional<Error> lacking;           // why that is not all
  RingGrowth ring_growth;                 // where it lacks nothing but larger rings: the least that one may grow by
};

// Places it as it is, else with smaller rings. Of a newcomer that does not fit so either, nothing is placed. A service
// port that is served already follows its endpoints even so, as far as they fit: without frontends that are new, then
// without endpoints that are, whose turn comes when those that have gone have made room. Pure but for the placement.
Fit put_what_fits(state::Placement& placement, const state::PortSpec& spec, state::Time now);

}  // namespace fairlead::compile
