// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

// How often the API server is asked.
namespace fairlead::kube {

using Clock = std::chrono::steady_clock;

// How long to wait before the next try: twice as long after each failure, up to a limit, and somewhere between half and
// the whole of it, so that nodes that failed together do not come back together.
class Backoff {
 public:
  struct Limits {
    Clock::duration least = std::chrono::milliseconds(500);
    Clock::duration most = std::chrono::seconds(30);
  };
  explicit Backoff(Limits limits) : limits_(limits), next_(limits.least) {}

  template <class Random>
  Clock::duration next(Random& random) {
    const auto whole = next_;
    next_ = std::min(next_ * 2, limits_.most);
    std::uniform_int_distribution<Clock::rep> distribution(whole.count() / 2, whole.count());
    return Clock::duration(distribution(random));
  }
  void reset() { next_ = limits_.least; }

 private:
  Limits limits_;
  Clock::duration next_;
};

// A number of requests a second, and some more at once after a pause.
class TokenBucket {
 public:
  TokenBucket(double per_second, double burst) : per_second_(per_second), burst_(burst), tokens_(burst) {}

  // Takes a token, and says how long to wait for it.
  Clock::duration take(Clock::time_point now) {
    refill(now);
    tokens_ -= 1;
    return tokens_ >= 0
               ? Clock::duration::zero()
               : std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(-tokens_ / per_second_));
  }

 private:
  void refill(Clock::time_point now) {
    if (last_ != Clock::time_point{})
      tokens_ = std::min(burst_, tokens_ + std::chrono::duration<double>(now - last_).count() * per_second_);
    last_ = now;
  }

  double per_second_;
  double burst_;
  double tokens_;
  Clock::time_point last_;
};

}  // namespace fairlead::kube
