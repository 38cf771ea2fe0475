// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection/problems.h"

namespace fairlead::daemon {
namespace {

admin::ProblemView view_problem(const model::Problem& problem) {
  return {problem.where, problem.object, problem.field, problem.value, problem.message};
}

}  // namespace

std::vector<admin::ProblemView> view_problems(const std::set<model::Problem>& source, const Sync& sync) {
  std::vector<admin::ProblemView> views;
  views.reserve(source.size());
  for (const model::Problem& problem : source)
    views.push_back(view_problem(problem));
  for (const auto& [service, problems] : sync.compiler().problems())
    for (const model::Problem& problem : problems)
      views.push_back(view_problem(problem));
  for (const auto& [port, refused] : sync.refused())
    views.push_back({"", "", "", "", refused.why.message});
  return views;
}

std::vector<admin::ProblemView> view_problems(const model::Name& service, const Sync& sync) {
  std::vector<admin::ProblemView> views;
  const auto& problems = sync.compiler().problems();
  if (const auto it = problems.find(service); it != problems.end())
    for (const model::Problem& problem : it->second)
      views.push_back(view_problem(problem));
  for (const std::string& port : sync.compiler().ports_of(service))
    if (const auto it = sync.refused().find(port); it != sync.refused().end())
      views.push_back({"", "Service " + service.to_string(), "", "", it->second.why.message});
  return views;
}

}  // namespace fairlead::daemon
