// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "maps/abi.h"

namespace fairlead::datapath {

// How large the maps are made. Maps that are pinned already keep the size that they have. The defaults hold 10,000
// Services of 10 endpoints in both families, whatever their type: maps/README.md says what memory that takes.
struct Sizes {
  std::uint32_t frontends = 65536;
  std::uint32_t addresses = 65536;
  std::uint32_t service_ports = 32768;
  std::uint32_t backends = 262144;
  std::uint32_t ring_slots = 1u << 24;  // rounded up to a power of two, as all that follow
  std::uint32_t members = 1u << 20;
  // Flows that the table of each family holds at the load that it is meant for (1/4); room for four times as many is
  // there.
  std::uint32_t flows4 = 65536;
  std::uint32_t flows6 = 65536;
};

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
};

struct Config {
  Sizes sizes;
  PortRange nodeports{30000, 32767};
  // Below the NodePorts and the kernel's ephemeral ports, so that neither collides with a flow's source port.
  PortRange snat_ports{10400, 29599};
  std::uint32_t select_seed = 0;
  std::array<std::uint32_t, LB_TIMEOUT_COUNT> timeouts = default_timeouts();  // seconds
  std::uint32_t answers_per_second = 10000;                                   // each CPU
  // Directory under a bpf file system for this node's maps and links; empty keeps everything inside the process.
  std::string pin_directory;

  static constexpr std::array<std::uint32_t, LB_TIMEOUT_COUNT> default_timeouts() {
    std::array<std::uint32_t, LB_TIMEOUT_COUNT> seconds{};
    seconds[LB_TIMEOUT_TCP_NEW] = 60;
    seconds[LB_TIMEOUT_TCP_ESTABLISHED] = 86400;
    seconds[LB_TIMEOUT_TCP_HALF_CLOSED] = 3600;
    // As long as a backend that closes first keeps TIME_WAIT, and may take a SYN from the same port for an old one.
    seconds[LB_TIMEOUT_TCP_CLOSED] = 60;
    seconds[LB_TIMEOUT_UDP_NEW] = 30;
    seconds[LB_TIMEOUT_UDP_STREAM] = 120;
    return seconds;
  }
};

}  // namespace fairlead::datapath
