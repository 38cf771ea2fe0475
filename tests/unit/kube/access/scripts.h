// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "tests/support/content.h"
#include "tests/support/directory.h"

namespace fairlead::kube {

// A program of a few lines of shell; returns its path.
inline std::filesystem::path write_script(const test::Directory& directory, const std::string& name,
                                          const std::string& lines) {
  namespace fs = std::filesystem;
  directory.write(name, "#!/bin/sh\n" + lines + "\n");
  fs::permissions(directory.path() / name, fs::perms::owner_all);
  return directory.path() / name;
}

// Whether a process is there and is more than what is left for its parent to wait for.
inline bool is_running(pid_t pid) {
  const std::string status = test::content_of("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t end_of_name = status.rfind(')');
  return end_of_name != std::string::npos && status.substr(end_of_name, 3) != ") Z";
}

}  // namespace fairlead::kube
