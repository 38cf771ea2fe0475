// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "userspace/util/result.h"

namespace fairlead::datapath {

enum class TcDirection { kIngress, kEgress };

// Puts the program on the device in place of our earlier one: as a filter of the clsact qdisc, which is made where
// there is none, or, where libbpf and the kernel know tcx, as a tcx link pinned under `links` (empty: clsact).
Result<> tc_attach(const std::string& device, int ifindex, TcDirection direction, int program,
                   const std::string& links);

// Removes our filters from the device, and its clsact qdisc if nobody else's filters are in it.
Result<> tc_detach_all(const std::string& device, int ifindex);

}  // namespace fairlead::datapath
