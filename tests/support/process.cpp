// SPDX-License-Identifier: Apache-2.0
#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "tests/support/eventually.h"

namespace fairlead::test {
namespace {

// Output goes to memory files: whole, without a reader that must keep up, and gone with us.
std::string content(const Fd& file) {
  struct stat status{};
  if (!file || fstat(file.get(), &status) != 0) return {};
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  const ssize_t size = pread(file.get(), text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

// To be read from its beginning.
Result<Fd> file_with(std::string_view text) {
  Fd file(memfd_create("stdin", MFD_CLOEXEC));
  if (!file || pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return make_error("make", "a file for standard input", errno);
  return file;
}

std::optional<std::string> line_with(const std::string& output, std::string_view text) {
  for (std::size_t start = 0, end = 0; (end = output.find('\n', start)) != output.npos; start = end + 1) {
    std::string line = output.substr(start, end - start);
    if (line.find(text) != line.npos) return line;
  }
  return std::nullopt;
}

std::string joined(const std::vector<std::string>& argv) {
  std::string text;
  for (const std::string& argument : argv)
    text += (text.empty() ? "" : " ") + argument;
  return text;
}

class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

Result<pid_t> spawn(const std::vector<std::string>& argv, const Fd& in, const Fd& out, const Fd& err) {
  std::vector<char*> pointers;
  for (const std::string& argument : argv)
    pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  FileActions actions;
  if (in)
    posix_spawn_file_actions_adddup2(actions.get(), in.get(), STDIN_FILENO);
  else
    posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(actions.get(), out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(actions.get(), err.get(), STDERR_FILENO);
  pid_t pid = 0;
  if (const int code = posix_spawnp(&pid, pointers[0], actions.get(), nullptr, pointers.data(), environ))
    return make_error("start", argv[0], code);
  return pid;
}

}  // namespace

Process::Process(pid_t pid, Fd pidfd, Fd out, Fd err)
    : pid_(pid), pidfd_(std::move(pidfd)), out_(std::move(out)), err_(std::move(err)) {
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      pidfd_(std::move(other.pidfd_)),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)),
      status_(other.status_) {
}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(out_, other.out_);
  std::swap(err_, other.err_);
  std::swap(status_, other.status_);
  return *this;
}

Process::~Process() {
  if (pid_ != 0) terminate();
}

Result<Process> Process::start(const std::vector<std::string>& argv, const Fd& input) {
  if (argv.empty()) return make_error("start", "nothing", EINVAL);
  Fd out(memfd_create("stdout", MFD_CLOEXEC));
  Fd err(memfd_create("stderr", MFD_CLOEXEC));
  if (!out || !err) return make_error("make a file for the output of", argv[0], errno);
  const auto pid = spawn(argv, input, out, err);
  if (!pid) return pid.error();
  // Our child can't vanish before we wait for it, so the number is its own.
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, *pid, 0)));
  return Process(*pid, std::move(pidfd), std::move(out), std::move(err));
}

bool Process::wait_for_exit(std::chrono::milliseconds deadline) const {
  pollfd watched{pidfd_.get(), POLLIN, 0};
  return poll(&watched, 1, static_cast<int>(deadline.count())) == 1;
}

std::optional<int> Process::status() {
  return wait(std::chrono::milliseconds(0));
}

std::optional<int> Process::wait(std::chrono::milliseconds deadline) {
  if (pid_ == 0 || !wait_for_exit(deadline)) return status_;
  int raw = 0;
  if (waitpid(pid_, &raw, 0) != pid_) return std::nullopt;
  pid_ = 0;
  status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  return status_;
}

void Process::signal(int number) const {
  if (pid_ != 0) kill(pid_, number);
}

int Process::terminate(std::chrono::milliseconds grace) {
  signal(SIGTERM);
  if (!wait(grace)) {
    signal(SIGKILL);
    wait(std::chrono::milliseconds(-1));
  }
  return status_.value_or(-1);
}

Result<std::string> Process::wait_for_line(std::string_view text, std::chrono::milliseconds deadline) {
  std::optional<std::string> line;
  // The order matters: what was printed before the end is seen in any case.
  const bool decided = eventually(deadline, [&] {
    const bool ended = status().has_value();
    line = line_with(out(), text);
    return line || ended;
  });
  if (line) return *line;
  return Error{"no line with '" + std::string(text) + "' " +
                   (decided ? "before the process ended with status " + std::to_string(*status_) : "in time") +
                   "; it said:\n" + out() + err(),
               decided ? 0 : ETIMEDOUT};
}

std::string Process::out() const {
  return content(out_);
}

std::string Process::err() const {
  return content(err_);
}

Result<std::string> run(const std::vector<std::string>& argv, std::chrono::milliseconds deadline,
                        std::string_view input) {
  const auto file = file_with(input);
  if (!file) return file.error();
  auto process = Process::start(argv, *file);
  if (!process) return process.error();
  const auto status = process->wait(deadline);
  if (!status) return Error{joined(argv) + ": not done in time\n" + process->out() + process->err(), ETIMEDOUT};
  if (*status != 0)
    return Error{joined(argv) + ": status " + std::to_string(*status) + "\n" + process->out() + process->err(), 0};
  return process->out();
}

}  // namespace fairlead::test
