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

// How the kernel runs this program on the device; kOff if it does not, or has no such device.
Result<XdpMode> xdp_mode_of(int ifindex, std::uint32_t program);

}  // namespace fairlead::datapath
