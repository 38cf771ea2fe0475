// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/directory_watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "userspace/util/fd.h"

namespace fairlead::source {
namespace {

constexpr std::uint32_t kWritten = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE;
constexpr std::uint32_t kGone = IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;

}  // namespace

// A handler that does nothing when it was cancelled or its owner is gone.
template <class Handler>
auto DirectoryWatch::guarded(Handler handler) {
  return [alive = std::weak_ptr(alive_), handler](const boost::system::error_code& error, auto&&... rest) {
    if (!error && !alive.expired()) handler(rest...);
  };
}

DirectoryWatch::DirectoryWatch(boost::asio::io_context& io, std::filesystem::path directory, Timing timing,
                               std::function<void(const Changes&)> on_change)
    : directory_(std::move(directory)),
      timing_(timing),
      on_change_(std::move(on_change)),
      events_(io),
      settled_(io),
      recheck_(io) {
}

Result<> DirectoryWatch::start() {
  Fd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd) return make_error("inotify_init1 for", directory_, errno);
  boost::system::error_code error;
  events_.assign(fd.get(), error);
  if (error) return Error{"watch " + directory_.string() + ": " + error.message(), error.value()};
  fd.release();
  follow();  // whatever stands against it, the rechecks find changes too, only later
  read();
  recheck_later();
  return {};
}

// Watches what the path leads to now; that is another directory after it was replaced. Cheap when it is the same.
bool DirectoryWatch::follow() {
  const int inotify = events_.native_handle();
  const int watch = ::inotify_add_watch(inotify, directory_.c_str(), kWritten | kGone | IN_ONLYDIR);
  const int before = std::exchange(watch_, watch);
  if (before != watch && before >= 0) ::inotify_rm_watch(inotify, before);
  return watch >= 0;
}

void DirectoryWatch::read() {
  reads_ = true;
  events_.async_read_some(
      boost::asio::buffer(buffer_),
      [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error, std::size_t length) {
        if (error == boost::asio::error::operation_aborted || alive.expired()) return;
        if (error) return note_silence();
        take(buffer_.data(), length);
        read();
      });
}

// What the kernel would have said is lost, and it is asked again with the next look.
void DirectoryWatch::note_silence() {
  reads_ = false;
  changes_.lost = true;
  recheck_later();
}

void DirectoryWatch::take(const char* events, std::size_t length) {
  for (std::size_t at = 0; at + sizeof(inotify_event) <= length;) {
    inotify_event event;
    std::memcpy(&event, events + at, sizeof(event));
    take(event, event.len ? events + at + sizeof(event) : "");
    at += sizeof(event) + event.len;
  }
}

void DirectoryWatch::take(const inotify_event& event, const char* name) {
  if (event.mask & IN_Q_OVERFLOW) {
    changes_.lost = true;
  } else if (event.wd != watch_) {
    return;  // of a directory that stood here before
  } else if (event.mask & IN_IGNORED) {
    watch_ = -1;
  } else if (event.mask & IN_CREATE && !is_link(name)) {
    return;  // its writer will close it; until then there is nothing to see
  } else if (event.mask & kWritten) {
    changes_.names.insert(name);
  }
  note_change();
}

bool DirectoryWatch::is_link(const std::string& name) const {
  struct stat status{};
  return ::lstat((directory_ / name).c_str(), &status) == 0 && (S_ISLNK(status.st_mode) || status.st_nlink > 1);
}

void DirectoryWatch::note_change() {
  const auto now = std::chrono::steady_clock::now();
  if (!std::exchange(changing_, true)) latest_ = now + timing_.at_most;
  settled_.expires_at(std::min(now + timing_.quiet, latest_));
  settled_.async_wait(guarded([this] { tell(); }));
}

void DirectoryWatch::tell() {
  const int before = watch_;
  changing_ = false;
  if (!reads_) read();
  if (follow() && watch_ != before) {
    note_change();  // a directory that is new here may still be being filled
  } else {
    on_change_(std::exchange(changes_, {}));
  }
  recheck_later();
}

void DirectoryWatch::recheck_later() {
  recheck_.expires_after(watch_ >= 0 && reads_ ? timing_.recheck : timing_.retry);
  recheck_.async_wait(guarded([this] { tell(); }));
}

}  // namespace fairlead::source
