// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "tests/datapath/scene.h"

namespace fairlead::test {

enum class Families { kBoth, kIpv4, kIpv6 };

// What a packet must have become. `got` is there for what is the program's choice, such as a source port.
using Expected = std::function<Packet(const Scene&, const Packet& sent, const Packet& got)>;

// One packet and what becomes of it.
struct Row {
  const char* name;
  Families families;
  lb_hook hook;
  std::function<Sent(Scene&)> send;  // brings the scene to where it matters, and returns the packet to send
  const char* verdict;
  Expected expected = nullptr;  // none: byte for byte what was sent, if it goes on at all
  int action = -1;              // for verdicts of kind "send": XDP_REDIRECT where it is not XDP_TX
};

std::vector<Row> forward_rows();
std::vector<Row> reply_rows();
std::vector<Row> fragment_rows();
std::vector<Row> icmp_rows();
std::vector<Row> answer_rows();
std::vector<Row> drop_rows();
std::vector<Row> header_rows();
std::vector<Row> frame_rows();
std::vector<Row> source_rows();

}  // namespace fairlead::test
