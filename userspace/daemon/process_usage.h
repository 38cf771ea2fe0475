// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace fairlead::daemon {

// What the client libraries of Prometheus tell of the process that they are in, under their names:
// process_cpu_seconds_total and so on. What /proc does not tell is left out.
void append_process_usage(std::string& text);

}  // namespace fairlead::daemon
