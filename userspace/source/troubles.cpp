// SPDX-License-Identifier: Apache-2.0
#include "userspace/source/troubles.h"

#include <algorithm>

namespace fairlead::source {

void Troubles::set(const std::string& resource, const std::string& message) {
  if (message.empty()) return end(resource);
  const model::Problem problem{who_, "", "", "", message};
  const bool is_new = !is_told(problem);
  Trouble& trouble = of_[resource];
  trouble.current = problem;
  if (trouble.told.size() >= kMostTold) return;
  trouble.told.insert(problem);
  if (is_new) tell_.problem(problem);
}

void Troubles::end(const std::string& resource) {
  const auto ended = of_.extract(resource);
  if (ended.empty()) return;
  for (const model::Problem& problem : ended.mapped().told)
    if (!is_told(problem)) tell_.solved(problem);
}

bool Troubles::is_told(const model::Problem& problem) const {
  return std::any_of(of_.begin(), of_.end(), [&](const auto& one) { return one.second.told.contains(problem); });
}

std::set<model::Problem> Troubles::current() const {
  std::set<model::Problem> all;
  for (const auto& [resource, trouble] : of_)
    all.insert(trouble.current);
  return all;
}

}  // namespace fairlead::source
