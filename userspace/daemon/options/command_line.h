// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "userspace/daemon/options/settings.h"

namespace fairlead::daemon {

struct CommandLine {
  std::string config;                               // empty: no configuration file
  std::string write_config_to;                      // empty: run
  std::map<std::string, Texts, std::less<>> flags;  // as they were given, by name without dashes
};

// Or the status to exit with after --help, --version or an error, which has been printed.
std::variant<CommandLine, int> read_command_line(int argc, const char* const* argv,
                                                 const std::vector<Setting>& settings);

constexpr int kUsageStatus = 2;

}  // namespace fairlead::daemon
