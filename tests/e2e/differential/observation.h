// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/differential/cell.h"

namespace fairlead::test::differential {

// What a cell's connections met.
struct Observation {
  std::map<std::string, std::set<std::string>> backends;  // "node1-pod1:8080", and whom it saw: "client", "node1", ...
  std::set<std::string> failures;                         // "rst", "silence", "icmp-port-unreachable", ...
  bool late = false;                                      // nothing was heard within a second, but later

  // Whether connections met different fates, or took their time: a machine that is too busy looks like that.
  bool is_mixed() const;

  // "served by node1-pod1:8080 (client), node2-pod1:8080 (node1)"
  std::string to_string() const;
};

// From the line that `fairlead-peer probe` printed; the addresses get names.
Observation observed(const boost::json::object& report, const Cell& cell, const Lab& lab);

// Where a behaviour's backends count by the node, cells get those of all its frontends there.
void share_backends(const std::vector<Cell>& cells, std::vector<Observation>& observations);

// In which respect two observations of a cell differ.
struct Difference {
  std::string aspect;  // verdict (served or not), refusal (how), backends, source, pace
  std::string theirs;
  std::string ours;
};
std::vector<Difference> differences(const Cell& cell, const Observation& theirs, const Observation& ours);

}  // namespace fairlead::test::differential
