// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/path/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fairlead::bench {

void Histogram::add(std::chrono::nanoseconds time) {
  const auto value = std::max<std::uint64_t>(static_cast<std::uint64_t>(time.count()), kSteps);
  const auto power = static_cast<unsigned>(std::bit_width(value)) - 5;  // so that value >> power is 16 to 31
  const std::size_t bucket = power * kSteps + (value >> power) - kSteps;
  ++counts_[std::min(bucket, counts_.size() - 1)];
  ++count_;
}

double Histogram::quantile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; count_ && bucket < counts_.size(); ++bucket) {
    seen += counts_[bucket];
    if (seen >= wanted) return std::ldexp(bucket % kSteps + kSteps + 1, static_cast<int>(bucket / kSteps)) / 1000;
  }
  return 0;
}

}  // namespace fairlead::bench
