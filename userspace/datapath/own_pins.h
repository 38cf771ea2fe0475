// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "userspace/util/result.h"

namespace fairlead::datapath {

struct OwnPins {
  std::vector<std::string> removed;  // in words
  std::vector<std::string> foreign;  // paths of what is not ours, by its name or by what it is; it stays
  std::vector<Error> left;           // what could not be looked at or removed
};

// Removes the maps and descriptions of lbds, of any build, from a pin directory, and its directories where nothing else
// is in them. Links are Attachments' to remove.
OwnPins remove_own_pins(const std::string& pin_directory);

}  // namespace fairlead::datapath
