// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/differential/verdict.h"

#include <algorithm>
#include <map>
#include <ostream>

namespace fairlead::test::differential {
namespace {

const LedgerEntry* explanation(const std::vector<LedgerEntry>& ledger, const std::string& cell,
                               const std::string& aspect) {
  const auto found =
      std::find_if(ledger.begin(), ledger.end(), [&](const auto& entry) { return entry.matches(cell, aspect); });
  return found == ledger.end() ? nullptr : &*found;
}

std::size_t& tally_of(Verdict& verdict, const std::vector<Finding>& of_cell) {
  const auto any = [&of_cell](const auto& predicate) { return std::any_of(of_cell.begin(), of_cell.end(), predicate); };
  if (of_cell.empty()) return verdict.equal;
  if (any([](const Finding& finding) { return !finding.entry; })) return verdict.unexplained;
  if (any([](const Finding& finding) { return finding.entry->standing == Standing::kNotBuiltYet; }))
    return verdict.not_built;
  return verdict.chosen;
}

std::string text_of(const Finding& finding) {
  return finding.name + " | " + finding.difference.aspect + ": kube-proxy " + finding.difference.theirs + "; lbd " +
         finding.difference.ours;
}

}  // namespace

Verdict judge(const std::string& proxy, const std::vector<Cell>& cells, const Observations& theirs,
              const Observations& ours, const std::vector<LedgerEntry>& ledger) {
  Verdict verdict{.proxy = proxy, .cells = cells.size()};
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::vector<Finding> of_cell;
    const std::string name = cells[i].name() + "/" + proxy;
    for (const Difference& difference : differences(cells[i], theirs[i], ours[i]))
      of_cell.push_back({&cells[i], name, difference, explanation(ledger, name, difference.aspect)});
    ++tally_of(verdict, of_cell);
    verdict.findings.insert(verdict.findings.end(), of_cell.begin(), of_cell.end());
  }
  return verdict;
}

std::string Verdict::summary() const {
  return "differential (" + proxy + "): " + std::to_string(cells) + " cells, " + std::to_string(equal) + " equal, " +
         std::to_string(chosen) + " chosen, " + std::to_string(not_built) + " not built yet, " +
         std::to_string(unexplained) + " unexplained";
}

void Verdict::print(std::ostream& out) const {
  std::map<int, std::size_t> explained;  // by line
  for (const Finding& finding : findings)
    if (finding.entry) ++explained[finding.entry->line];
  out << summary() << "\n";
  for (const auto& [line, count] : explained)
    out << "ledger line " << line << ": " << count << "\n";
  for (const Finding& finding : findings) {
    out << text_of(finding);
    if (finding.entry)
      out << " [ledger line " << finding.entry->line << "]\n";
    else
      out << " [UNEXPLAINED]\n";
  }
}

std::vector<std::string> Verdict::unexplained_differences() const {
  std::vector<std::string> texts;
  for (const Finding& finding : findings)
    if (!finding.entry) texts.push_back(text_of(finding));
  return texts;
}

}  // namespace fairlead::test::differential
