// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "maps/verdict.h"
#include "userspace/util/address.h"
#include "userspace/util/fd.h"

namespace fairlead::bench {

// A second device of the node, kStream, with a namespace of its own behind it, which goes with the process. TCP runs
// from the one to the other.
class Stream {
 public:
  static constexpr const char* kStream = "stream0";

  Stream();

  // What the kernel says that this tc program takes for a packet of one connection, in nanoseconds: where the data
  // leave the node, or, for LB_HOOK_TC_INGRESS, where they arrive on the other side. Each write has this many bytes.
  double run(int program, lb_hook hook, Family family, std::size_t bytes, std::uint32_t writes);

 private:
  void behind(const std::function<void()>& work) const;
  void transfer(Family family, const std::vector<char>& data, std::uint32_t writes);

  Fd behind_;
  Fd statistics_;  // while it is open the kernel measures programs
};

}  // namespace fairlead::bench
