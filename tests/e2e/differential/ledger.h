// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "userspace/util/result.h"

namespace fairlead::test::differential {

enum class Standing { kChosen, kNotBuiltYet };

// A difference that is known, and why it is there.
struct LedgerEntry {
  int line;             // in the file
  std::string pattern;  // of "behaviour/client/frontend/transport/family/proxy"; * stands for anything within a part
  std::string aspect;   // in which respect, or *
  Standing standing;
  std::string reason;

  bool matches(const std::string& cell, const std::string& difference) const;
};

// From a text with a line `pattern | aspect | chosen or not-built-yet | reason` for each; # begins a comment.
Result<std::vector<LedgerEntry>> parse_ledger(const std::string& text);

}  // namespace fairlead::test::differential
