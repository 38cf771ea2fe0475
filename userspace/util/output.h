// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/util/result.h"

namespace fairlead {

// Whether everything printed to standard output so far has arrived there. It has not on a full disk, and a script must
// not take half an answer for a whole one.
Result<> flush_output();

}  // namespace fairlead
