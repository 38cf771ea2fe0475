// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/problem_log.h"

namespace fairlead::daemon {

void ProblemLog::tell(Turn turn, const model::Problem& problem, Time now) {
  tick(now);
  Burst& burst = bursts_.try_emplace({turn, problem.field}, Burst{now + kWhile}).first->second;
  if (burst.told == kInFull) {
    ++burst.left_out;
    return;
  }
  ++burst.told;
  write_(turn, (turn == Turn::kSolved ? "solved: " : "") + problem.to_string());
}

void ProblemLog::tick(Time now) {
  for (auto it = bursts_.begin(); it != bursts_.end();) {
    if (now < it->second.end) {
      ++it;
      continue;
    }
    sum_up(it->first.first, it->first.second, it->second);
    it = bursts_.erase(it);
  }
}

void ProblemLog::sum_up(Turn turn, const std::string& field, const Burst& burst) const {
  if (burst.left_out == 0) return;
  const std::string more = std::to_string(burst.left_out) + " more" + (field.empty() ? "" : " about " + field);
  write_(turn, turn == Turn::kSolved ? "solved: " + more : "and " + more + "; lbctl problems lists them");
}

}  // namespace fairlead::daemon
