// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace fairlead::datapath {

// One lbd at a time may change what is attached in a network namespace, whatever its pin directory: devices and filters
// are the namespace's. The lock lasts as long as the descriptor, so however its holder ends, the next one gets it.
// Fails with EADDRINUSE when another process has it.
Result<Fd> lock_network_namespace();

}  // namespace fairlead::datapath
