// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/xdp_mode.h"

#include <bpf/libbpf.h>

#include <cerrno>

namespace fairlead::datapath {

std::optional<XdpMode> parse_xdp_mode(const std::string& text) {
  for (const XdpMode mode : {XdpMode::kAuto, XdpMode::kNative, XdpMode::kGeneric, XdpMode::kOff})
    if (text == to_string(mode)) return mode;
  return std::nullopt;
}

const char* to_string(XdpMode mode) {
  switch (mode) {
    case XdpMode::kAuto:
      return "auto";
    case XdpMode::kNative:
      return "native";
    case XdpMode::kGeneric:
      return "generic";
    case XdpMode::kOff:
      return "off";
  }
  return "?";
}

XdpMode XdpPrograms::mode_of(std::uint32_t program) const {
  if (native == program) return XdpMode::kNative;
  return generic == program ? XdpMode::kGeneric : XdpMode::kOff;
}

std::uint32_t XdpPrograms::other_than(std::uint32_t program) const {
  for (const std::uint32_t id : {native, generic, offloaded})
    if (id && id != program) return id;
  return 0;
}

Result<XdpPrograms> xdp_programs(int ifindex) {
  LIBBPF_OPTS(bpf_xdp_query_opts, found);
  const int error = bpf_xdp_query(ifindex, 0, &found);
  if (error && error != -ENODEV)
    return make_error("ask for the XDP program of", "device " + std::to_string(ifindex), -error);
  if (error) return XdpPrograms{};
  return XdpPrograms{found.drv_prog_id, found.skb_prog_id, found.hw_prog_id};
}

}  // namespace fairlead::datapath
