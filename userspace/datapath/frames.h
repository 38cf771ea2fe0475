// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "maps/frames.h"

namespace fairlead::datapath {

// Frames that are for this node: where they arrive, by which tag (0: none), for which MAC address.
struct Frames {
  int ifindex = 0;
  std::uint16_t vlan = 0;
  std::array<std::uint8_t, 6> mac{};
};

// The table that the programs ask, with these and no others. What has no room in it is left out: unknown, or not ours.
lb_frames frames_table(const std::vector<Frames>& ours);

// Slots that are as they should be are not touched, so frames that they are for are never mistaken meanwhile.
void write_frames(lb_frames& table, const std::vector<Frames>& ours);

}  // namespace fairlead::datapath
