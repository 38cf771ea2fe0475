// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "userspace/util/result.h"

struct inotify_event;

namespace fairlead::source {

// Says when something in a directory may have changed; on the thread of its io_context. It finds the directory again
// after it was removed or replaced. The kernel's word is not the only one it takes: every now and then it says that
// something may have changed although it heard nothing, for file systems that tell nothing, and files behind links.
class DirectoryWatch {
 public:
  struct Timing {
    // A change is told after so long without another one, at the latest so long after the first.
    std::chrono::milliseconds quiet{50};
    std::chrono::milliseconds at_most{500};
    std::chrono::milliseconds recheck{10'000};
    std::chrono::milliseconds retry{1'000};  // to find a directory that isn't there, or ears for the kernel
  };
  struct Changes {
    std::set<std::string> names;  // that were written or came
    bool lost = false;            // there were more than the kernel keeps: anything may have been written
  };

  DirectoryWatch(boost::asio::io_context& io, std::filesystem::path directory, Timing timing,
                 std::function<void(const Changes&)> on_change);

  // Fails only when the kernel gives no inotify instance.
  Result<> start();

 private:
  template <class Handler>
  auto guarded(Handler handler);
  bool follow();
  void read();
  void note_silence();
  void take(const char* events, std::size_t length);
  void take(const inotify_event& event, const char* name);
  bool is_link(const std::string& name) const;
  void note_change();
  void tell();
  void recheck_later();

  std::filesystem::path directory_;
  Timing timing_;
  std::function<void(const Changes&)> on_change_;
  boost::asio::posix::stream_descriptor events_;
  boost::asio::steady_timer settled_;
  boost::asio::steady_timer recheck_;
  int watch_ = -1;     // of the directory, if it is there
  bool reads_ = true;  // the kernel is listened to
  Changes changes_;
  bool changing_ = false;
  std::chrono::steady_clock::time_point latest_;  // to tell of changes_, while changing_
  alignas(8) std::array<char, 16384> buffer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // handlers outlive what they were made for
};

}  // namespace fairlead::source
