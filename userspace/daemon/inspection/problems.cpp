// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/inspection/problems.h"

#include <algorithm>
#include <cctype>

namespace fairlead::daemon {
namespace {

admin::ProblemView view_problem(const model::Problem& problem) {
  return {problem.where, problem.object, problem.field, problem.value, problem.message};
}

bool same_letters(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char one, unsigned char other) { return std::tolower(one) == std::tolower(other); });
}

// Nodes of endpoints that have this name, be it in capitals.
std::set<std::string> endpoint_nodes(const std::string& name, const model::Store& store) {
  std::set<std::string> names;
  for (const auto& [slice_name, slice] : store.slices())
    for (const model::Endpoint& endpoint : slice->endpoints)
      if (same_letters(endpoint.node_name, name)) names.insert(endpoint.node_name);
  return names;
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

std::optional<admin::ProblemView> unknown_node(const std::string& name, const model::Store& store, bool knows_nodes) {
  if (store.node()) return std::nullopt;
  const std::set<std::string> found = endpoint_nodes(name, store);
  if (found.contains(name) || (found.empty() && !knows_nodes)) return std::nullopt;
  std::string message = "no Node and no endpoint has this name: nothing is local by name";
  for (const std::string& other : found)
    message += "; endpoints are on " + other;
  return admin::ProblemView{"", "node " + name, "", "", std::move(message)};
}

}  // namespace fairlead::daemon
