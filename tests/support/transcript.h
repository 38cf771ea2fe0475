// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

// A document's section with shell commands to paste, each with what to expect as comments below it.
namespace fairlead::test {

struct Step {
  std::string command;
  std::vector<std::string> expected;  // lines; the end of one may be cut short by "..."
};

// Those of all code blocks from that heading to the next that name no language; none if there is no such heading.
std::vector<Step> steps_of(const std::string& document, const std::string& heading);

// Whether those lines are in the output, in this order. What differs from run to run, such as names of pods, addresses
// that were allocated, processes and ages, only has to look alike, and so does the space between columns.
bool shows(const std::string& output, const std::vector<std::string>& expected);

}  // namespace fairlead::test
