/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_HANDOVER_H
#define LB_BPF_PATH_HANDOVER_H

#include "packet/packet.h"

/*
 * While lbd takes over from one with other map layouts, a flow that the other's programs made last is not in our table
 * yet. A segment of it would leave with the backend's own address, or come to this node's own stack, and either side
 * would be reset. TCP sends again what is lost, and by then the flow is here.
 */
static __always_inline int may_be_carried_yet(const struct packet *p)
{
	const __u64 until = READ_ONCE(lb_handover_until);

	if (likely(!until) || p->tuple.proto != LB_IPPROTO_TCP || (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return 0;
	return bpf_ktime_get_ns() < until;
}

#endif
