/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PACKET_SEGMENT_H
#define LB_BPF_PACKET_SEGMENT_H

#include <linux/tcp.h>

#include "packet/packet.h"

/* A TCP header's numbers, which only the rare packet that changes its flow's state is asked for. Rewriting leaves them
 * as they are. */
static __always_inline void segment_read(const struct run run, struct lb_segment *segment, const struct packet *p)
{
	struct tcphdr *tcp = packet_l4(run, p);

	__builtin_memset(segment, 0, sizeof(*segment));
	if (p->tuple.proto != LB_IPPROTO_TCP || p->fragment == FRAGMENT_LATER || (void *)(tcp + 1) > packet_end(run))
		return;
	segment->seq = bpf_ntohl(tcp->seq);
	segment->ack = bpf_ntohl(tcp->ack_seq);
	segment->length = p->l3_length - (p->l4_offset - p->l3_offset) - tcp->doff * 4;
	segment->flags = p->tcp_flags;
}

#endif
