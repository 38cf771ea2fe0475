// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "maps/verdict.h"
#include "tests/bench/packet/driver.h"
#include "userspace/datapath/map.h"
#include "userspace/util/address.h"

struct bench_driver;

namespace fairlead::bench {

// What is sent to which program.
struct Plan {
  int program = -1;
  lb_hook hook = LB_HOOK_XDP;
  Family family = Family::IPv4;
  std::uint8_t tcp_flags = 0;
  std::vector<bench_tuple> tuples;  // one: the frame as it is; several: in turn
  bool fresh = false;               // each packet from another source
  bool alone = false;               // no packet begins before the memory of the one before it has come
};

// The programs of driver.bpf.c, and how they are run: in batches of BPF_PROG_TEST_RUN, whose clock starts and stops
// inside the kernel.
class Runner {
 public:
  Runner();

  static constexpr std::uint32_t kBatch = 64;

  // Nanoseconds a packet over this many packets, driver included.
  double run(const Plan& plan, std::uint32_t packets);
  static std::uint32_t whole_batches(std::uint32_t packets) { return (packets + kBatch - 1) / kBatch * kBatch; }

  int empty(lb_hook hook) const;
  int floor(Family family) const;
  int floor_new(Family family) const;

 private:
  template <class T>
  static datapath::MappedArray<T> map(bpf_map* map);
  void prepare(const Plan& plan);
  double run_xdp(std::uint32_t packets);
  double run_tc(std::uint32_t packets);

  bench_driver* skeleton_;
  datapath::MappedArray<bench_plan> plan_;
  datapath::MappedArray<bench_tuple> tuples_;
};

}  // namespace fairlead::bench
