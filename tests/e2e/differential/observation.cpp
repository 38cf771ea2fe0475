// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/differential/observation.h"

namespace fairlead::test::differential {
namespace {

template <class Strings>
std::string joined(const Strings& strings, const char* between = "+") {
  std::string text;
  for (const std::string& one : strings)
    text += (text.empty() ? "" : between) + one;
  return text;
}

// Whose address a backend saw.
std::string owner_of(const std::string& address, const Cell& cell, const Lab& lab) {
  const auto is = [&](const Host& host) { return host.address(cell.family).to_string() == address; };
  if (is(host_of(cell.client, lab))) return "client";
  for (const Node& node : lab.nodes())
    if (is(node)) return node.name;
  return address;
}

// "rst" and its like are what a client takes for a closed port; the rest are mishaps.
std::string verdict_of(const std::string& failure) {
  if (failure == "rst" || failure == "icmp-port-unreachable" || failure == "connect(): Connection refused")
    return "refused";
  // The second is what a sender hears whose packets are dropped on its own machine.
  if (failure == "silence" || failure == "Operation not permitted") return "silent";
  return failure;
}

std::string verdict_of(const Observation& observation) {
  std::set<std::string> verdicts;
  if (!observation.backends.empty()) verdicts.insert("served");
  for (const std::string& failure : observation.failures)
    verdicts.insert(verdict_of(failure));
  return joined(verdicts);
}

std::string backends_of(const Observation& observation, Compare compare) {
  if (compare != Compare::kBackends) return std::to_string(observation.backends.size());
  std::vector<std::string> names;
  for (const auto& [name, sources] : observation.backends)
    names.push_back(name);
  return joined(names);
}

// Of the backends that both reached, whom they saw.
std::string sources_of(const Observation& observation, const Observation& other) {
  std::vector<std::string> sources;
  for (const auto& [name, seen] : observation.backends)
    if (const auto found = other.backends.find(name);
        found != other.backends.end() && !seen.empty() && !found->second.empty())
      sources.push_back(name + " saw " + joined(seen));
  return joined(sources, ", ");
}

std::string pace_of(const Observation& observation) {
  return observation.late ? "late" : "at once";
}

}  // namespace

bool Observation::is_mixed() const {
  return late || failures.size() + (backends.empty() ? 0 : 1) > 1 || failures.contains("silence after connect");
}

std::string Observation::to_string() const {
  std::vector<std::string> parts;
  for (const auto& [name, seen] : backends)
    parts.push_back(name + " (" + joined(seen) + ")");
  std::string text = parts.empty() ? "" : "served by " + joined(parts, ", ");
  if (!failures.empty()) text += (text.empty() ? "" : ", ") + joined(failures, ", ");
  return text + (late ? ", late" : "");
}

Observation observed(const boost::json::object& report, const Cell& cell, const Lab& lab) {
  Observation observation;
  for (const auto& [answer, count] : report.at("answers").as_object()) {
    const std::string text = answer;
    const auto saw = text.find(" saw ");
    observation.backends[text.substr(0, saw)].insert(owner_of(text.substr(saw + 5), cell, lab));
  }
  for (const auto& [failure, count] : report.at("failures").as_object()) {
    const std::string text = failure;
    observation.failures.insert(text.substr(0, text.find(" from ")));
  }
  const bool silent = observation.backends.empty() && observation.failures == std::set<std::string>{"silence"};
  observation.late = !silent && report.at("fastest_ms").as_int64() > 900;
  return observation;
}

void share_backends(const std::vector<Cell>& cells, std::vector<Observation>& observations) {
  std::map<std::string, std::set<std::string>> reached;
  for (std::size_t i = 0; i < cells.size(); ++i)
    for (const auto& [name, sources] : observations[i].backends)
      reached[cells[i].group()].insert(name);
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (cells[i].compare == Compare::kNumberOfBackendsOfNode && !observations[i].backends.empty())
      for (const std::string& name : reached[cells[i].group()])
        observations[i].backends[name];
}

std::vector<Difference> differences(const Cell& cell, const Observation& theirs, const Observation& ours) {
  std::vector<Difference> found;
  const auto compare = [&found](const char* aspect, const std::string& their, const std::string& our) {
    if (their != our) found.push_back({aspect, their, our});
    return their == our;
  };
  // Where they do not agree on that, the rest follows from it.
  if (!compare("verdict", verdict_of(theirs), verdict_of(ours))) {
    found.back() = {"verdict", theirs.to_string(), ours.to_string()};
    return found;
  }
  compare("refusal", joined(theirs.failures), joined(ours.failures));
  compare("backends", backends_of(theirs, cell.compare), backends_of(ours, cell.compare));
  compare("source", sources_of(theirs, ours), sources_of(ours, theirs));
  compare("pace", pace_of(theirs), pace_of(ours));
  return found;
}

}  // namespace fairlead::test::differential
