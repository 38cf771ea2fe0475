// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace fairlead::test {

// Runs a clean-up command when it is destroyed, and also when this process dies without destructors: a child waits for
// that at the end of a pipe. It is in a session of its own, so that what ends a test (a terminal's ^C, a test runner
// that signals a group) spares it.
class Guardian {
 public:
  Guardian() = default;
  static Result<Guardian> start(const std::vector<std::string>& clean_up);

  Guardian(Guardian&& other) noexcept;
  Guardian& operator=(Guardian&& other) noexcept;
  ~Guardian();

  // Runs the command now, once, and returns its exit status.
  Result<int> finish();

 private:
  pid_t child_ = 0;
  Fd lifeline_;
};

}  // namespace fairlead::test
