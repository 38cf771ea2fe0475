/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_BACKEND_H
#define LB_MAPS_BACKEND_H

#include "base.h"

/*
 * How to leave this node towards an address without asking the FIB again. Written by BPF under a claim of `stamp`: a
 * writer swaps the stamp it read for LB_HOP_BUSY, fills in the rest and then stores the new stamp; a reader copies the
 * hop and believes it only if the stamp was the current one before and after. The current stamp is lb_hop_stamp() in
 * clock.h.
 */
#define LB_HOP_NONE 0u
#define LB_HOP_BUSY 1u

struct lb_hop {
	__u32 stamp;
	__u32 ifindex;
	__u8 dmac[6];
	__u8 smac[6];
};
LB_ASSERT_SIZE(struct lb_hop, 20);

#define LB_BACKEND_LOCAL (1u << 0) /* on this node: DNAT only, the stack delivers */
#define LB_BACKEND_DRAINING                                                 \
	(1u << 1) /* terminating: keeps its flows; a SYN of one that is not \
		     confirmed is selected anew */
#define LB_BACKEND_LEFT                                                      \
	(1u << 2) /* beside DRAINING: it is nobody's endpoint any more, but  \
		     has not terminated, and keeps its flows until they end. \
		     lbd's; programs don't look at it */

/*
 * Value of lb_backends, indexed by slot. Slots belong to one endpoint of one service port. generation is 0 while the
 * slot is free and otherwise unique to this use of the slot, so that a flow made for an earlier occupant is told apart.
 * A slot is written whole before anything refers to it; afterwards only flags, source and generation change, each a
 * single aligned word.
 */
#define LB_BACKENDS_LAYOUT 2
struct lb_backend {
	struct lb_addr addr;
	__be16 port;
	__u8 proto;
	__u8 family;
	__u32 generation;
	__u32 flags; /* LB_BACKEND_* */
	__u32 service_id;
	struct lb_hop hop; /* remote backends: next hop, filled in by BPF */
	__u32 mtu;	   /* of that hop's route: the largest layer 3 length; 0 unknown */
	__u32 source;	   /* remote backends: index into lb_sources; 0: the address of the device on the way */
	__u32 pad;
};
LB_ASSERT_SIZE(struct lb_backend, 64);

/*
 * Value of lb_sources: an address of this node that SNAT sends from. The first is none. One is written before a backend
 * refers to it, and another only into a place that no backend refers to.
 */
#define LB_SOURCES_LAYOUT 1
#define LB_SOURCES 64u
struct lb_source {
	struct lb_addr addr;
};
LB_ASSERT_SIZE(struct lb_source, 16);

/* Value of lb_backend_stats, one copy a CPU. Index 0 counts client to backend, 1 backend to client; bytes are layer 3
 * bytes. */
#define LB_BACKEND_STATS_LAYOUT 1
struct lb_backend_stats {
	__u64 packets[2];
	__u64 bytes[2];
	__u64 flows; /* flows created */
};
LB_ASSERT_SIZE(struct lb_backend_stats, 40);

#endif
