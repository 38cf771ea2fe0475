// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace fairlead::test {

// A child process whose output is kept. Its destructor ends it: SIGTERM, and SIGKILL if that is ignored. Not for use by
// several threads at once.
class Process {
 public:
  // `argv[0]` is looked for in PATH. Standard input is `input`, or empty.
  static Result<Process> start(const std::vector<std::string>& argv, const Fd& input = {});

  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  // Zero once the process was waited for.
  pid_t pid() const { return pid_; }

  // Exit status as a shell says it: 128 + number for a signal. Nothing while it runs.
  std::optional<int> status();
  std::optional<int> wait(std::chrono::milliseconds deadline);

  void signal(int number) const;
  // Returns the exit status.
  int terminate(std::chrono::milliseconds grace = std::chrono::seconds(5));

  // Until a whole line of standard output contains `text`; gives that line. An error when the process ends without, or
  // the deadline passes; it quotes what the process said.
  Result<std::string> wait_for_line(std::string_view text, std::chrono::milliseconds deadline);

  std::string out() const;
  std::string err() const;

 private:
  Process(pid_t pid, Fd pidfd, Fd out, Fd err);
  bool wait_for_exit(std::chrono::milliseconds deadline) const;

  pid_t pid_ = 0;
  Fd pidfd_;
  Fd out_;
  Fd err_;
  std::optional<int> status_;
};

// Runs a program to its end and returns what it printed; an error if its status isn't 0 or it doesn't end in time. It
// finds `input` on its standard input.
Result<std::string> run(const std::vector<std::string>& argv, std::chrono::milliseconds deadline,
                        std::string_view input = {});

}  // namespace fairlead::test
