// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace fairlead {

// "0.1.0", as CMakeLists.txt has it.
const char* version();

}  // namespace fairlead
