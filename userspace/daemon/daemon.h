// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/daemon/options/options.h"
#include "userspace/datapath/cleanup.h"
#include "userspace/util/result.h"

namespace fairlead::daemon {

// Runs lbd until SIGTERM or SIGINT. Forwarding goes on afterwards.
Result<> run(const Options& options);

// --cleanup: forwarding ends.
datapath::CleanUp clean_up(const Options& options);

}  // namespace fairlead::daemon
