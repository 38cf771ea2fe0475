// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/daemon/sync.h"
#include "userspace/datapath/object.h"

namespace fairlead::daemon {

// What is done before a write is made.
using Prepare = std::function<void(const state::Operation&)>;

// The maps of a loaded object, for Sync; the object outlives it.
Sync::Maps maps_of(datapath::Object& object, Prepare prepare);

}  // namespace fairlead::daemon
