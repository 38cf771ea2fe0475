// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/differential/ledger.h"

#include <fnmatch.h>

#include <algorithm>
#include <optional>
#include <sstream>

namespace fairlead::test::differential {
namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  return first == text.npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, '|');)
    fields.push_back(trimmed(field));
  return fields;
}

std::optional<Standing> standing_of(const std::string& text) {
  if (text == "chosen") return Standing::kChosen;
  if (text == "not-built-yet") return Standing::kNotBuiltYet;
  return std::nullopt;
}

bool is_match(const std::string& pattern, const std::string& text) {
  return fnmatch(pattern.c_str(), text.c_str(), FNM_PATHNAME) == 0;
}

}  // namespace

bool LedgerEntry::matches(const std::string& cell, const std::string& difference) const {
  return is_match(aspect, difference) && is_match(pattern, cell);
}

Result<std::vector<LedgerEntry>> parse_ledger(const std::string& text) {
  std::vector<LedgerEntry> entries;
  std::istringstream stream(text);
  int number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (trimmed(line).empty() || trimmed(line).front() == '#') continue;
    const std::vector<std::string> fields = fields_of(line);
    const auto standing = fields.size() == 4 ? standing_of(fields[2]) : std::nullopt;
    if (!standing || fields[3].empty() || std::count(fields[0].begin(), fields[0].end(), '/') != 5)
      return Error{"ledger, line " + std::to_string(number) + ": not of the form " +
                       "behaviour/client/frontend/transport/family/proxy | aspect | chosen or not-built-yet | reason",
                   EINVAL};
    entries.push_back({number, fields[0], fields[1], *standing, fields[3]});
  }
  return entries;
}

}  // namespace fairlead::test::differential
