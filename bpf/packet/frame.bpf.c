// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "packet/frame.h"

int lb_frame_search(__u64 mac, __u32 ifindex, __u32 vlan)
{
	const __u32 zero = 0;
	const struct lb_frames *frames = bpf_map_lookup_elem(&lb_frames, &zero);

	return frames ? frame_search(frames, mac, ifindex, vlan) : LB_VERDICT_NOT_IP;
}
