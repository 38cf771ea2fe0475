// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/packet/report.h"

#include <algorithm>
#include <cstdio>

#include "tests/bench/packet/die.h"

namespace fairlead::bench {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double least(const std::vector<double>& values) {
  return *std::min_element(values.begin(), values.end());
}

const Row& find(const std::vector<Row>& rows, const std::string& name, Family family) {
  const auto it =
      std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name && row.family == family; });
  if (it == rows.end()) die("there is no row '" + name + "'");
  return *it;
}

double net_least(const std::vector<Row>& rows, const Row& row) {
  return least(row.gross) - least(find(rows, row.base, row.family).gross);
}

boost::json::object line(const std::vector<Row>& rows, const Row& row) {
  const double net = net_least(rows, row);
  return {{"row", row.name},
          {"family", row.family == Family::IPv4 ? "IPv4" : "IPv6"},
          {"net_ns_min", net},
          {"net_ns_median", median(row.gross) - median(find(rows, row.base, row.family).gross)},
          {"floor_multiple", net / net_least(rows, find(rows, row.floor, row.family))}};
}

}  // namespace

boost::json::array report(const std::vector<Row>& rows) {
  boost::json::array result;
  for (const Row& row : rows)
    if (!row.base.empty()) result.push_back(line(rows, row));
  return result;
}

void print(const boost::json::array& report) {
  std::printf("%-26s %-6s %9s %9s %9s\n", "row", "family", "ns, least", "median", "x floor");
  for (const auto& value : report) {
    const auto& row = value.as_object();
    const auto number = [&](const char* key) { return row.at(key).to_number<double>(); };
    std::printf("%-26s %-6s %9.1f %9.1f %9.2f\n", row.at("row").as_string().c_str(),
                row.at("family").as_string().c_str(), number("net_ns_min"), number("net_ns_median"),
                number("floor_multiple"));
  }
}

}  // namespace fairlead::bench
