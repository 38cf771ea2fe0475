// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "userspace/util/result.h"

namespace fairlead::datapath {

enum class XdpMode {
  kAuto,     // native where that is known to be right, else off
  kNative,   // in the driver, or an error
  kGeneric,  // in the kernel's receive path, before tc
  kOff,      // tc ingress does everything
};
std::optional<XdpMode> parse_xdp_mode(const std::string& text);
const char* to_string(XdpMode mode);

// What the kernel runs on a device.
struct XdpPrograms {
  std::uint32_t native = 0, generic = 0, offloaded = 0;  // ids; 0: none

  // How it runs this one; kOff if it does not.
  XdpMode mode_of(std::uint32_t program) const;
  // Another than this one; 0: none.
  std::uint32_t other_than(std::uint32_t program) const;
};
// None on a device that is not there.
Result<XdpPrograms> xdp_programs(int ifindex);

}  // namespace fairlead::datapath
