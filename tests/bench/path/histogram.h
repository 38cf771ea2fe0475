// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace fairlead::bench {

// Of times up to about a minute, each known to a sixteenth of itself.
class Histogram {
 public:
  void add(std::chrono::nanoseconds time);
  std::uint64_t count() const { return count_; }
  // What that share (0 to 1) of them took at most, in microseconds; 0 where there are none.
  double quantile(double share) const;

 private:
  static constexpr unsigned kSteps = 16;  // of each power of two

  std::array<std::uint64_t, 37 * kSteps> counts_{};
  std::uint64_t count_ = 0;
};

}  // namespace fairlead::bench
