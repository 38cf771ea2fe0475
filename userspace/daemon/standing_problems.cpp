// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/standing_problems.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace fairlead::daemon {

void StandingProblems::set(std::set<std::string> problems) {
  const std::set<std::string> told = std::exchange(problems_, std::move(problems));
  for (const std::string& problem : problems_)
    if (!told.contains(problem)) spdlog::error("{}", problem);
  for (const std::string& problem : told)
    if (!problems_.contains(problem)) spdlog::info("solved: {}", problem);
}

}  // namespace fairlead::daemon
