// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/datapath/config.h"
#include "userspace/util/result.h"

namespace fairlead::datapath {

// The constants that go with the maps: those of an earlier lbd, because its flows are found only with its seed and
// their SNAT ports given back only with its range; new ones where there are none. What of them is not as the
// configuration asks for is added to `kept`, in words.
Result<lb_constants> choose_constants(const std::optional<lb_constants>& pinned, const Config& config,
                                      std::vector<std::string>& kept);

}  // namespace fairlead::datapath
