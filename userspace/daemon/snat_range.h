// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "userspace/host/local_ports.h"

namespace fairlead::daemon {

// What is wrong with a range of SNAT ports on a host whose own connections have these; empty where nothing is. What
// comes back to a port that a flow has is the flow's, whoever of the host sent from it.
std::string snat_range_problem(host::PortSpan snat, const host::LocalPorts& local);

}  // namespace fairlead::daemon
