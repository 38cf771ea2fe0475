// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "tests/e2e/differential/ledger.h"
#include "tests/e2e/differential/observation.h"

namespace fairlead::test::differential {

// What was seen of all cells with one proxy, in their order.
using Observations = std::vector<Observation>;

// A difference and the entry of the ledger that explains it, if there is one.
struct Finding {
  const Cell* cell;
  std::string name;  // of the cell, with the proxy
  Difference difference;
  const LedgerEntry* entry;
};

// lbd beside one kube-proxy. Cells and ledger must outlive it.
struct Verdict {
  std::string proxy;
  std::size_t cells = 0, equal = 0, chosen = 0, not_built = 0, unexplained = 0;
  std::vector<Finding> findings = {};

  // "differential (nftables): 900 cells, 700 equal, 150 chosen, 50 not built yet, 0 unexplained"
  std::string summary() const;
  // How many differences each entry explains, and every difference.
  void print(std::ostream& out) const;
  std::vector<std::string> unexplained_differences() const;
};

Verdict judge(const std::string& proxy, const std::vector<Cell>& cells, const Observations& theirs,
              const Observations& ours, const std::vector<LedgerEntry>& ledger);

}  // namespace fairlead::test::differential
