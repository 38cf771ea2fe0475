// SPDX-License-Identifier: Apache-2.0
#include "tests/support/transcript.h"

#include <regex>
#include <sstream>

namespace fairlead::test {
namespace {

std::string plain(std::string line) {
  static const std::vector<std::pair<std::regex, std::string>> kRules = {
      {std::regex(R"(\bweb-[0-9a-z]+-[0-9a-z]{5}\b)"), "POD"},
      {std::regex(R"(\bweb-[0-9a-z]{5}\b)"), "SLICE"},
      {std::regex(R"(\bnode\d-pod\d\b)"), "SERVER"},
      {std::regex(R"(\b10\.(96|210)\.\d+\.\d+\b)"), "ADDRESS"},
      {std::regex(R"(\bpid \d+\b)"), "PID"},
      {std::regex(R"(\b(\d+[smh])+\b)"), "AGE"},
      {std::regex(R"(\s+)"), " "},
  };
  for (const auto& [pattern, name] : kRules)
    line = std::regex_replace(line, pattern, name);
  return line;
}

bool fits(const std::string& line, const std::string& expected) {
  const std::string cut = "...";
  if (!expected.ends_with(cut)) return plain(line) == plain(expected);
  return plain(line).starts_with(plain(expected.substr(0, expected.size() - cut.size())));
}

// A comment behind a command stays with it: the shell knows what that is.
void add_line(std::vector<Step>& steps, const std::string& line) {
  if (line.empty()) return;
  if (!line.starts_with("# ")) {
    steps.push_back({line, {}});
  } else if (!steps.empty()) {
    steps.back().expected.push_back(line.substr(2));
  }
}

}  // namespace

std::vector<Step> steps_of(const std::string& document, const std::string& heading) {
  std::vector<Step> steps;
  std::istringstream lines(document);
  std::string line;
  while (std::getline(lines, line) && line != heading) {
  }
  bool code = false, commands = false;
  while (std::getline(lines, line) && (code || !line.starts_with("## "))) {
    if (line.starts_with("```")) {
      code = !code;
      commands = line == "```";
    } else if (code && commands) {
      add_line(steps, line);
    }
  }
  return steps;
}

bool shows(const std::string& output, const std::vector<std::string>& expected) {
  std::istringstream lines(output);
  std::string line;
  for (const std::string& wanted : expected) {
    bool found = false;
    while (!found && std::getline(lines, line))
      found = fits(line, wanted);
    if (!found) return false;
  }
  return true;
}

}  // namespace fairlead::test
