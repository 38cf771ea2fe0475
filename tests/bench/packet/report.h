// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/array.hpp>
#include <vector>

#include "tests/bench/packet/rows.h"

namespace fairlead::bench {

// A list of {row, family, net_ns_min, net_ns_median, floor_multiple}: least and median of the rounds, the row's base
// taken off each, and how many times its floor's least it is at least. Bases are left out.
boost::json::array report(const std::vector<Row>& rows);
void print(const boost::json::array& report);

}  // namespace fairlead::bench
