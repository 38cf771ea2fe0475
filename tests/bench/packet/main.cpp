// SPDX-License-Identifier: Apache-2.0
//
// What a packet costs in the loaded programs, by path. Rows are measured in turns, so that a machine that changes its
// speed changes it for all of them, and each is also given in multiples of a floor of the same run: what a NAT cannot
// do without. See scripts/bench --help.

#include <boost/json.hpp>
#include <iostream>

#include "tests/bench/packet/die.h"
#include "tests/bench/packet/node.h"
#include "tests/bench/packet/report.h"

namespace {

using namespace fairlead;
using namespace fairlead::bench;

constexpr int kRounds = 11;
// Tables of 64 MiB for IPv4, 128 for IPv6: a million entries.
constexpr std::uint32_t kFlows = 131072;

std::vector<Row> all_rows(Runner& runner, Stream& stream, const Objects& objects) {
  std::vector<Row> rows;
  for (const Family family : {Family::IPv4, Family::IPv6}) {
    add_floor_rows(rows, runner, family);
    add_packet_rows(rows, runner, objects, family);
    add_traffic_rows(rows, runner, stream, objects, family);
  }
  return rows;
}

}  // namespace

int main(int argc, char** argv) {
  const bool json = argc == 2 && std::string(argv[1]) == "--json";
  if (argc > 1 && !json) die("the only option is --json");
  make_node();
  Runner runner;
  Stream stream;
  const Objects objects{load(kFlows), load(kFlows), load(kFlows), load(kFlows)};
  std::vector<Row> rows = all_rows(runner, stream, objects);
  for (int round = 0; round < kRounds; ++round)
    for (Row& row : rows)
      row.gross.push_back(row.measure());
  const auto result = report(rows);
  if (json)
    std::cout << boost::json::serialize(result) << "\n";
  else
    print(result);
}
