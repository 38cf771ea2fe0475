// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/frames.h"

#include <gtest/gtest.h>

namespace fairlead::datapath {
namespace {

constexpr std::array<std::uint8_t, 6> kMac{2, 0, 0, 0, 0, 1}, kOther{2, 0, 0, 0, 0, 2};

bool is(const lb_frame& slot, const Frames& frames) {
  return slot.ifindex == static_cast<std::uint32_t>(frames.ifindex) && slot.vlan == frames.vlan &&
         std::equal(frames.mac.begin(), frames.mac.end(), slot.mac);
}

TEST(FramesTable, EachStandsInItsSlot) {
  const Frames plain{3, 0, kMac}, tagged{3, 7, kOther};
  const lb_frames table = frames_table({plain, tagged});
  EXPECT_TRUE(is(table.slot[lb_frame_slot(3, 0)], plain));
  EXPECT_TRUE(is(table.slot[lb_frame_slot(3, 7)], tagged));
}

TEST(FramesTable, WhoFindsItsSlotTakenHasTheNext) {
  const int last = LB_FRAME_SLOTS - 1;
  const Frames first{last, 0, kMac}, second{last + static_cast<int>(LB_FRAME_SLOTS), 0, kOther};
  const lb_frames table = frames_table({first, second});
  EXPECT_TRUE(is(table.slot[last], first));
  EXPECT_TRUE(is(table.slot[0], second));
}

TEST(FramesTable, WhatHasNoRoomIsLeftOut) {
  std::vector<Frames> many;
  for (int ifindex = 1; ifindex <= 200; ++ifindex)
    many.push_back({ifindex, 0, kMac});
  const lb_frames table = frames_table(many);
  for (const lb_frame& slot : table.slot)
    EXPECT_TRUE(slot.ifindex >= 1 && slot.ifindex <= LB_FRAME_SLOTS) << slot.ifindex;
}

TEST(WriteFrames, WhatIsNotWantedAnyMoreGoes) {
  lb_frames table{};
  write_frames(table, {{3, 0, kMac}, {4, 0, kMac}});
  write_frames(table, {{4, 0, kOther}});
  EXPECT_EQ(table.slot[lb_frame_slot(3, 0)].ifindex, 0U);
  EXPECT_TRUE(is(table.slot[lb_frame_slot(4, 0)], {4, 0, kOther}));
}

}  // namespace
}  // namespace fairlead::datapath
