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

// The map that is pinned in this build's layout; empty where there is none, and where it is not what programs forward
// by: one that an lbd of another build has superseded, or that nobody describes. Two builds that call different layouts
// by one number are a mistake that nothing can be made of: then it fails.
struct Pinned {
  Fd map;
  std::string lost;  // why what is pinned counts for nothing, where somebody should hear of it
};
Result<Pinned> open_pinned(const Pins& pins, const MapLayout& is, const Layout& layout);

// Pins a map with its description, in place of one of its name that is pinned there; anything else there is an error.
// Nobody ever finds what was pinned there before beside the new description, nor the new map without.
Result<> pin_map(const Pins& pins, const MapLayout& is, const Layout& layout, int map);

// Whether this map is pinned there, with a description. Somebody else's in its place is an error: it stays.
Result<bool> is_pinned(const Pins& pins, const MapLayout& is, int map);

}  // namespace fairlead::datapath
