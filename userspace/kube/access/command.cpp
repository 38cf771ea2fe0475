// SPDX-License-Identifier: Apache-2.0
#include "userspace/kube/access/command.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <memory>
#include <utility>

#include "userspace/util/fd.h"

namespace fairlead::kube {
namespace {

namespace asio = boost::asio;
using Stream = asio::posix::stream_descriptor;
using boost::system::error_code;

// How the program is started: with the two pipes, in a group of its own, with no signal ignored or blocked.
class SpawnPlan {
 public:
  SpawnPlan(int out, int err) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
    posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }

  Result<pid_t> start(Command& command) const;

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

Result<pid_t> SpawnPlan::start(Command& command) const {
  const auto argv = pointers_to(command.argv), environment = pointers_to(command.environment);
  pid_t pid = 0;
  if (const int code = posix_spawnp(&pid, argv[0], &actions_, &attributes_, argv.data(), environment.data()))
    return make_error("start", command.argv[0], code);
  return pid;
}

// What a program writes: its first bytes are kept.
struct Output {
  Output(const asio::any_io_executor& executor, std::size_t limit) : stream(executor), limit(limit) {}

  // Gives the end of the pipe that the program writes to.
  Result<Fd> open();
  // Some of what is there; false when that is nothing.
  bool take();

  Stream stream;
  std::size_t limit;
  std::string text;
  bool exceeded = false;
  bool closed = false;
};

Result<> give(Stream& stream, Fd fd) {
  error_code error;
  stream.assign(fd.get(), error);
  if (error) return make_error("watch", "a descriptor", error.value());
  fd.release();
  return {};
}

Result<Fd> Output::open() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return make_error("make", "a pipe", errno);
  Fd read(ends[0]), write(ends[1]);
  if (auto given = give(stream, std::move(read)); !given) return given.error();
  error_code error;
  stream.non_blocking(true, error);
  if (error) return make_error("prepare", "a pipe", error.value());
  return write;
}

bool Output::take() {
  std::array<char, 16384> chunk;
  error_code error;
  const std::size_t count = stream.read_some(asio::buffer(chunk), error);
  closed = error && error != asio::error::would_block;
  exceeded |= count > limit - text.size();
  text.append(chunk.data(), std::min(count, limit - text.size()));
  return count > 0;
}

// A program, killed and waited for by the destructor if it runs then.
class Child : public std::enable_shared_from_this<Child> {
 public:
  Child(const asio::any_io_executor& executor, const CommandLimits& limits)
      : limits_(limits), end_(executor), deadline_(executor), out_(executor, limits.out), err_(executor, limits.err) {}
  Child(const Child&) = delete;
  ~Child() {
    kill();
    reap();
  }

  Result<> start(Command command);
  asio::awaitable<Result<CommandResult>> ended();

 private:
  template <class Handler>
  auto guarded(Handler handler);
  void follow(Output& output);
  bool kill() const;
  int reap();

  CommandLimits limits_;
  pid_t pid_ = 0;  // of the program, while it was not waited for
  Stream end_;
  asio::steady_timer deadline_;
  Output out_;
  Output err_;
  bool late_ = false;
};

Result<> Child::start(Command command) {
  const auto out = out_.open(), err = err_.open();
  if (!out || !err) return out ? err.error() : out.error();
  const auto pid = SpawnPlan(out->get(), err->get()).start(command);
  if (!pid) return pid.error();
  pid_ = *pid;
  // Our child cannot vanish before we wait for it, so the number is its own.
  // The C library of Debian 12 declares pidfd_open() without extern "C".
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!pidfd) return make_error("watch", command.argv[0], errno);
  return give(end_, std::move(pidfd));
}

// A handler that does nothing when it was cancelled or its owner is gone.
template <class Handler>
auto Child::guarded(Handler handler) {
  return [child = weak_from_this(), handler](const error_code& error) {
    const auto alive = child.lock();
    if (!error && alive) handler();
  };
}

// Reads what comes, so that the program need not wait for room in the pipe.
void Child::follow(Output& output) {
  output.stream.async_wait(Stream::wait_read, guarded([this, &output] {
                             output.take();
                             if (out_.exceeded) kill();
                             if (!output.closed) follow(output);
                           }));
}

asio::awaitable<Result<CommandResult>> Child::ended() {
  follow(out_);
  follow(err_);
  deadline_.expires_after(limits_.deadline);
  deadline_.async_wait(guarded([this] { late_ = kill(); }));
  error_code error;
  co_await end_.async_wait(Stream::wait_read, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return make_error("wait for", "its end", error.value());
  const int status = reap();
  // Its last words may still be in the pipes, also where a process that it left behind keeps them open.
  for (Output* output : {&out_, &err_})
    while (!output->exceeded && output->take()) {
    }
  if (out_.exceeded) co_return Error{"it wrote more than " + std::to_string(limits_.out) + " bytes", 0};
  if (late_) co_return Error{"it did not end within " + std::to_string(limits_.deadline.count()) + " ms", 0};
  co_return CommandResult{status, std::move(out_.text), std::move(err_.text)};
}

// Whether there was something to kill. The program may have left its group, others in it may live on without it.
bool Child::kill() const {
  if (pid_ == 0) return false;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  return true;
}

int Child::reap() {
  if (pid_ == 0) return 0;
  int raw = 0;
  while (::waitpid(pid_, &raw, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
}

}  // namespace

asio::awaitable<Result<CommandResult>> run_command(Command command, CommandLimits limits) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto child = std::make_shared<Child>(executor, limits);
  if (const auto started = child->start(std::move(command)); !started) co_return started.error();
  co_return co_await child->ended();
}

}  // namespace fairlead::kube
