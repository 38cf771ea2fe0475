// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "userspace/util/result.h"

namespace fairlead::datapath {

struct CleanUp {
  std::vector<std::string> remarks;  // what was not found where it was expected, and what is others' and stays
  std::vector<std::string> removed;  // in words
  std::vector<Error> left;           // what of ours stays or may stay, and why
};

// Takes off this node everything of ours, whichever build it is of: programs on any device of this network namespace,
// and in the pin directory, wherever symbolic links lead to it, links, maps and the directory itself. Goes on after
// what cannot be removed; does nothing while a daemon is using the directory, or runs in this network namespace, where
// the directory is another namespace's, or is not on a bpf file system and so a mistake.
CleanUp clean_up(const std::string& path);

}  // namespace fairlead::datapath
