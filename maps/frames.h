/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_FRAMES_H
#define LB_MAPS_FRAMES_H

#include "base.h"

/*
 * Value of lb_frames (one element): which frames are for this node, asked by XDP, which sees a frame before the kernel
 * has. A slot says that frames that arrive at ifindex with this tag (0: none) are ours if they are for this MAC
 * address. Of a device that no slot names nothing is known, and its frames without a tag count as ours.
 *
 * Open addressing: a frame's slot is lb_frame_slot(), or one of those behind it. lbd writes it through its mapping. A
 * frame that is read while its slot changes goes on untouched, as one for another host does.
 */
/* A power of two. Each of lb_devices' entries may take two: as itself, and on its parent. */
#define LB_FRAME_SLOTS 128u

struct lb_frame {
	__u32 ifindex; /* 0: free */
	__u16 vlan;
	__u8 mac[6];
};
LB_ASSERT_SIZE(struct lb_frame, 12);

struct lb_frames {
	struct lb_frame slot[LB_FRAME_SLOTS];
};
LB_ASSERT_SIZE(struct lb_frames, 1536);

static inline __attribute__((always_inline)) __u32 lb_frame_slot(__u32 ifindex, __u32 vlan)
{
	return (ifindex + vlan) & (LB_FRAME_SLOTS - 1);
}

#endif
