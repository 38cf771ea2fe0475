// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "userspace/model/problem.h"

namespace fairlead::daemon {

// Logs problems as they come up and as they are solved. Of those about the same field the first few within a while are
// told in full and the rest as a number: a cluster may have one field that is not honoured in thousands of Services,
// and tell all of them at each start.
class ProblemLog {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Turn { kCameUp, kSolved };
  using Write = std::function<void(Turn, const std::string&)>;

  static constexpr std::uint64_t kInFull = 3;
  static constexpr std::chrono::seconds kWhile{10};

  explicit ProblemLog(Write write) : write_(std::move(write)) {}

  void tell(Turn turn, const model::Problem& problem, Time now);
  // Tells the numbers that are due. To be called now and then.
  void tick(Time now);

 private:
  struct Burst {
    Time end;
    std::uint64_t told = 0;
    std::uint64_t left_out = 0;
  };

  void sum_up(Turn turn, const std::string& field, const Burst& burst) const;

  Write write_;
  std::map<std::pair<Turn, std::string>, Burst> bursts_;  // by field
};

}  // namespace fairlead::daemon
