// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "userspace/util/result.h"

namespace fairlead::kube {

struct Command {
  std::vector<std::string> argv;  // the first one is looked for in our PATH unless it has a slash
  std::vector<std::string> environment;
};

struct CommandLimits {
  std::chrono::milliseconds deadline = std::chrono::seconds(60);
  std::size_t out = 1 << 20;  // bytes of standard output
  std::size_t err = 4096;     // bytes of standard error that are kept
};

struct CommandResult {
  int status = 0;  // as a shell says it: 128 + number for a signal
  std::string out;
  std::string err;
};

// Runs a program to its end without standard input, in a process group of its own. The group is killed when the program
// exceeds a limit, which is an error, and when the awaiting coroutine is destroyed. What outlives the program holds
// nothing up. An error's code is that of a failed start, ENOENT for instance.
boost::asio::awaitable<Result<CommandResult>> run_command(Command command, CommandLimits limits);

}  // namespace fairlead::kube
