// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "userspace/util/result.h"

namespace fairlead::host {

enum class TcSide { kIngress, kEgress };

// A filter of a device's ingress or clsact qdisc, as the kernel shows it.
struct TcFilter {
  std::uint32_t handle = 0;
  std::uint32_t priority = 0;
  std::uint16_t protocol = 0;  // in network byte order
  std::uint32_t chain = 0;
  std::string kind;  // "bpf", "u32", ...
  std::string name;  // bpf filters only
  std::uint32_t program = 0;
};

Result<std::vector<TcFilter>> tc_filters(int ifindex, TcSide side);

}  // namespace fairlead::host
