// SPDX-License-Identifier: Apache-2.0
#include "tests/support/guardian.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <utility>

namespace fairlead::test {
namespace {

int spawn_in_new_session(pid_t& pid, char** argv, int input) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  const int code = posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return code;
}

}  // namespace

Guardian::Guardian(Guardian&& other) noexcept
    : child_(std::exchange(other.child_, 0)), lifeline_(std::move(other.lifeline_)) {
}

Guardian& Guardian::operator=(Guardian&& other) noexcept {
  std::swap(child_, other.child_);
  std::swap(lifeline_, other.lifeline_);
  return *this;
}

Guardian::~Guardian() {
  const auto status = finish();
  if (!status) std::cerr << status.error().message << "\n";
}

Result<Guardian> Guardian::start(const std::vector<std::string>& clean_up) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return make_error("make", "a pipe", errno);
  const Fd reading(ends[0]);
  Guardian guardian;
  guardian.lifeline_ = Fd(ends[1]);

  std::vector<std::string> argv{"sh", "-c", "trap '' HUP INT TERM; cat; exec \"$@\" </dev/null", "guardian"};
  argv.insert(argv.end(), clean_up.begin(), clean_up.end());
  std::vector<char*> pointers;
  for (std::string& argument : argv)
    pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  if (const int code = spawn_in_new_session(guardian.child_, pointers.data(), reading.get()))
    return make_error("start", "a guardian", code);
  return guardian;
}

Result<int> Guardian::finish() {
  if (child_ == 0) return 0;
  lifeline_ = Fd();
  int status = 0;
  const pid_t child = std::exchange(child_, 0);
  if (waitpid(child, &status, 0) != child) return make_error("wait for", "a guardian", errno);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace fairlead::test
