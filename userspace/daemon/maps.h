// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/daemon/sync.h"
#include "userspace/datapath/object.h"

namespace fairlead::daemon {

// The maps of a loaded object, for Sync; the object outlives it.
Sync::Maps maps_of(datapath::Object& object);

}  // namespace fairlead::daemon
