// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdio.h>
#include <sys/wait.h>

#include <array>
#include <string>

namespace fairlead::test {

// What a shell's command line ended with and printed.
struct ShellOutcome {
  int status = -1;  // -1: it was ended by a signal
  std::string out;
};

inline ShellOutcome in_shell(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  ShellOutcome outcome;
  std::array<char, 4096> chunk;
  while (const std::size_t count = ::fread(chunk.data(), 1, chunk.size(), pipe))
    outcome.out.append(chunk.data(), count);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) outcome.status = WEXITSTATUS(status);
  return outcome;
}

}  // namespace fairlead::test
