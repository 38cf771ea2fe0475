// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/datapath/object.h"
#include "userspace/state/delta.h"

namespace fairlead::datapath {

// One write of a delta. An error leaves the map as it was.
Result<> write(Object& object, const state::Operation& operation);

// What the maps hold. References that lead nowhere are left out with what they lead to: an entry that cannot be
// followed is not content but damage, and a diff against desired tables replaces it.
state::Tables read_back(const Object& object);

}  // namespace fairlead::datapath
