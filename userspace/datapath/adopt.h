// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>

#include "userspace/datapath/layout.h"
#include "userspace/datapath/pins.h"
#include "userspace/util/fd.h"

namespace fairlead::datapath {

// What this build's maps are made of, by name.
using Layouts = std::map<std::string, Layout>;

// The map that is pinned in this build's layout; empty where there is none. Two builds that call different layouts by
// one number are a mistake that nothing can be made of: then it fails.
Result<Fd> open_pinned(const Pins& pins, const MapLayout& is, const Layout& layout);

// Pins a map with its description, unless both are there. The description comes first: no map is without.
Result<> pin_map(const Pins& pins, const MapLayout& is, const Layout& layout, int map);

}  // namespace fairlead::datapath
