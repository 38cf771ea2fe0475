// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <thread>

namespace fairlead::test {

// True as soon as `predicate` is, false if it isn't by the deadline. For conditions that nothing can be waited on for.
template <class Predicate>
bool eventually(std::chrono::milliseconds deadline, Predicate predicate) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!predicate()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace fairlead::test
