// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "userspace/util/result.h"

namespace fairlead::host {

enum class TcSide { kIngress, kEgress };

// A filter of a clsact qdisc, as the kernel shows it.
struct TcFilter {
  std::uint32_t handle = 0;
  std::uint32_t priority = 0;
  std::string name;  // bpf filters only
  std::uint32_t program = 0;
};

Result<std::vector<TcFilter>> tc_filters(int ifindex, TcSide side);
Result<std::set<int>> devices_with_clsact();

}  // namespace fairlead::host
