// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "userspace/datapath/pins.h"

namespace fairlead::datapath {

// An lbd from before 0.2 pinned its maps without descriptions in the directory v1, which is layout 1 of each. They are
// described and go under maps/, where nothing that uses them notices. Such an lbd has never looked there: what another
// build has left there of the same maps is older, and superseded.
Result<> take_over_v1(const Pins& pins);

// The descriptions, by the map's name. Of lb_verdicts there is none: its counters stood for other verdicts.
const std::map<std::string, std::string>& layouts_of_v1();

}  // namespace fairlead::datapath
