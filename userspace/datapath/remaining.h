// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "userspace/util/result.h"

namespace fairlead::datapath {

// The programs on devices of this network namespace that are an lbd's, or that may be one's, because to ask for their
// names takes CAP_SYS_ADMIN; by device and id. A program that is being taken off is waited for.
std::vector<Error> remaining_programs();

}  // namespace fairlead::datapath
