// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/packet/runner.h"
#include "tests/bench/packet/traffic.h"
#include "userspace/datapath/object.h"

namespace fairlead::bench {

// One line of the result. What it measures includes the driver, which is the row `base` of the same family; what is
// left is also given as a multiple of what is left of the row `floor`.
struct Row {
  std::string name;
  Family family = Family::IPv4;
  std::string base;                 // empty: a base itself
  std::string floor;                // empty: none
  std::function<double()> measure;  // nanoseconds a packet
  std::vector<double> gross;
};

// The objects whose tables the rows are about: flows to backends here, to backends elsewhere; a table without room; one
// with nearly nothing but room.
struct Objects {
  std::unique_ptr<datapath::Object> local, remote, full, sparse;
};

// Rows of programs in BPF_PROG_TEST_RUN.
void add_floor_rows(std::vector<Row>& rows, Runner& runner, Family family);
void add_packet_rows(std::vector<Row>& rows, Runner& runner, const Objects& objects, Family family);
// Rows of what is sent by sockets over a veth: what the kernel makes of TCP reaches tc in more than one piece.
void add_traffic_rows(std::vector<Row>& rows, Runner& runner, Stream& stream, const Objects& objects, Family family);

}  // namespace fairlead::bench
