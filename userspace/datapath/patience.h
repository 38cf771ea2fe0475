// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

namespace fairlead::datapath {

// The kernel may have it a moment later: a signal came, or memory, buffers or descriptors are short.
inline bool is_transient(int code) {
  constexpr int kTransient[] = {EINTR, EAGAIN, ENOMEM, ENOBUFS, ENFILE, EMFILE};
  return std::ranges::find(kTransient, code) != std::end(kTransient);
}

// Calls what returns a Result again, a few times within a moment, while its error is such a one.
template <class Function>
auto patiently(Function function) {
  constexpr int kAgain = 4;
  constexpr std::chrono::milliseconds kPause{5};
  auto result = function();
  for (int again = 0; again < kAgain && !result && is_transient(result.error().code); ++again) {
    std::this_thread::sleep_for(kPause);
    result = function();
  }
  return result;
}

}  // namespace fairlead::datapath
