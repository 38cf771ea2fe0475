/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_FLOW_HANDOVER_H
#define LB_BPF_FLOW_HANDOVER_H

#include "tables.h"

/*
 * While lbd takes over from one with other map layouts, the other's programs may still run at some device, and the last
 * of their flows are not in our table yet. Of TCP, what they may be about is dropped: it is sent again, and by then all
 * flows are here.
 */
static __always_inline int is_handing_over(__u32 proto)
{
	const __u64 until = READ_ONCE(lb_handover_until);

	return unlikely(until) && proto == LB_IPPROTO_TCP && bpf_ktime_get_ns() < until;
}

#endif
