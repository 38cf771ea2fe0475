// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/frames.h"

#include <algorithm>
#include <cstring>

namespace fairlead::datapath {

lb_frames frames_table(const std::vector<Frames>& ours) {
  lb_frames table{};
  for (const Frames& frames : ours) {
    const auto ifindex = static_cast<std::uint32_t>(frames.ifindex);
    for (std::uint32_t i = 0; i < LB_FRAME_SLOTS; ++i) {
      lb_frame& slot = table.slot[(lb_frame_slot(ifindex, frames.vlan) + i) % LB_FRAME_SLOTS];
      if (slot.ifindex) continue;
      slot.ifindex = ifindex;
      slot.vlan = frames.vlan;
      std::copy(frames.mac.begin(), frames.mac.end(), slot.mac);
      break;
    }
  }
  return table;
}

void write_frames(lb_frames& table, const std::vector<Frames>& ours) {
  const lb_frames wanted = frames_table(ours);
  for (std::uint32_t i = 0; i < LB_FRAME_SLOTS; ++i)
    if (std::memcmp(&table.slot[i], &wanted.slot[i], sizeof(lb_frame)) != 0) table.slot[i] = wanted.slot[i];
}

}  // namespace fairlead::datapath
