// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace fairlead::test {

// What can be read of a file, "" if nothing can: /proc/PID/cmdline ends in ESRCH when its process has ended since it
// was opened, and iterators over a stream's buffer throw then.
inline std::string content_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace fairlead::test
