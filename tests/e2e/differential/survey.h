// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "tests/e2e/differential/observation.h"
#include "tests/e2e/differential/verdict.h"
#include "tests/support/lab.h"
#include "userspace/util/result.h"

namespace fairlead::test::differential {

// Tries all cells, and once more, with less haste, those that look mixed.
Result<Observations> survey(const std::vector<Cell>& cells, const Lab& lab);

}  // namespace fairlead::test::differential
