// SPDX-License-Identifier: Apache-2.0
#include "tests/support/doomed.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace fairlead::test {

Doomed::Doomed(const std::function<void(const Wait&)>& work) {
  int outcome[2];
  if (pipe2(outcome, O_CLOEXEC)) throw std::system_error(errno, std::generic_category(), "pipe2");
  pid_ = fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    work([&](bool well) {
      const char told = well ? 'y' : 'n';
      if (write(outcome[1], &told, 1) == 1) pause();
      _exit(1);
    });
    _exit(1);
  }
  close(outcome[1]);
  char told = 0;
  went_well_ = read(outcome[0], &told, 1) == 1 && told == 'y';
  close(outcome[0]);
}

void Doomed::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(std::exchange(pid_, 0), nullptr, 0);
}

}  // namespace fairlead::test
