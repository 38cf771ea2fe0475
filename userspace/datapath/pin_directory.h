// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace fairlead::datapath {

// The directory's path without symbolic links, or where those lead to that there are of it. It has to be on a bpf file
// system: nothing can be pinned elsewhere. Empty for none.
Result<std::string> resolve_pin_directory(const std::string& directory);

// Makes the directory, which has to be on a bpf file system, too.
Result<> make_pin_directory(const std::string& directory);

// One process at a time may use a pin directory. The lock lasts as long as the descriptor, so however its holder ends,
// the next one gets it. Fails with EBUSY when another process has it, with ENOENT when there is no such directory.
Result<Fd> lock_pins(const std::string& pin_directory);

// Whether the lock is on the directory that is there now: one that was removed and made again is another.
bool is_locked(const std::string& pin_directory, const Fd& lock);

// Where this build pins links.
std::string links_directory(const std::string& pin_directory);
// There, and where earlier builds did.
std::vector<std::string> pinned_link_directories(const std::string& pin_directory);
// What is pinned like a link of ours anywhere else in the bpf file system that the pin directory is on.
std::vector<std::string> links_of_others(const std::string& pin_directory);
// "links/xdp-2-57", and "v1/links/xdp-eth0" of earlier builds.
bool looks_like_link(const std::filesystem::path& path);
// By their names, maps of an lbd. A directory that cannot be read may.
bool holds_maps(const std::filesystem::path& directory);
// Other pin directories in that file system that hold some.
std::vector<std::string> pin_directories_of_others(const std::string& pin_directory);
// Of earlier builds, each with all that it pinned: "<pin directory>/v<number>".
Result<std::vector<std::string>> versioned_directories(const std::string& pin_directory);

}  // namespace fairlead::datapath
