// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "userspace/util/result.h"

namespace fairlead::datapath {

// What a directory holds, sorted; nothing where there is none. One that cannot be read is an error: who takes it for
// empty gives up what is in it.
Result<std::vector<std::filesystem::path>> list(const std::filesystem::path& directory);

}  // namespace fairlead::datapath
