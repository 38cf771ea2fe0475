/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_FLOW_H
#define LB_MAPS_FLOW_H

#include "backend.h"
#include "base.h"
#include "flow_state.h"
#include "limits.h"

/*
 * The flow table: one entry for each direction of a flow, keyed by the packet as it arrives at this node in that
 * direction.
 *
 *   forward  key (client, frontend)          rewritten to (source the backend sees, backend)
 *   reply    key (backend, what it answers)  rewritten to (frontend, client)
 *
 * Each entry's rewritten tuple, reversed, is the other entry's key, so either finds the other without a stored link.
 *
 * Layout: a family has one array of sets (lb_flow4, lb_flow6) of LB_FLOW_WAYS entries. A key may stand in either of two
 * sets (lb_flow_place in hash.h); newcomers take the first one unless it is nearly full. An entry with proto 0 is free.
 * Nothing stands beside the entries: a hit in the first ways of the first set, which nine of ten are, costs one or two
 * neighbouring cache lines.
 *
 * Concurrency: an entry's seq is odd while it is being written, and whoever writes has made it odd by a
 * compare-and-swap from the even value that it has read the entry under. So a write lands only in the entry that its
 * writer has seen, and of all who want to change or remove it at once, one does. Readers copy, then check that seq is
 * what it was. Two CPUs that create the same flow are serialised by lb_flow_gates.
 */

#define LB_FLOW_REPLY (1u << 0) /* backend to client */
#define LB_FLOW_SNAT (1u << 1)	/* the backend sees an address of this node and a port out of lb_snat_pools */
#define LB_FLOW_LOCAL (1u << 2) /* the backend is on this node */

/*
 * Fields that do not depend on the family. expires is the tick (clock.h) after which the entry counts as free. Both
 * entries of a flow are told what a packet of either showed, so both say the same of its state.
 */
struct lb_flow {
	__u32 seq;
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 flags;   /* LB_FLOW_REPLY, _SNAT, _LOCAL */
	__u8 state;   /* LB_FLOW_ANSWERED ... in flow_state.h */
	__u8 timeout; /* enum lb_timeout that expires was set by: lb_flow_timeout() of protocol and state */
	__be16 new_sport;
	__be16 new_dport;
	__u32 backend;	  /* slot in lb_backends */
	__u32 generation; /* of that slot when the flow was made */
	__u32 expires;
	struct lb_hop hop; /* reply entries of remote flows: the way to the client; forward entries: lb_progress */
};
LB_ASSERT_SIZE(struct lb_flow, 48);

/* An entry is a struct lb_flow followed by its four addresses, in this order, each 1 (IPv4) or 4 (IPv6) words. */
#define LB_FLOW_SRC 0
#define LB_FLOW_DST 1
#define LB_FLOW_NEW_SRC 2
#define LB_FLOW_NEW_DST 3

struct lb_flow4 {
	struct lb_flow head;
	__be32 addr[4][1];
};
LB_ASSERT_SIZE(struct lb_flow4, 64);

struct lb_flow6 {
	struct lb_flow head;
	__be32 addr[4][4];
	__u32 pad[4];
};
LB_ASSERT_SIZE(struct lb_flow6, 128);

#define LB_FLOW4_LAYOUT 2
struct lb_flow4_set {
	struct lb_flow4 way[LB_FLOW_WAYS];
};
LB_ASSERT_SIZE(struct lb_flow4_set, 256);

#define LB_FLOW6_LAYOUT 2
struct lb_flow6_set {
	struct lb_flow6 way[LB_FLOW_WAYS];
};
LB_ASSERT_SIZE(struct lb_flow6_set, 512);

/*
 * Value of lb_flow_gates (one element): a gate is held while a flow is made or ended. It comes from bits of the forward
 * key's hash that choose no set, because who makes a flow evicts, and so ends, another one of the same sets.
 */
#define LB_FLOW_GATES 4096u
#define lb_flow_gate(hash) ((__u32)((hash) >> 52))
#define LB_FLOW_GATES_LAYOUT 1
struct lb_flow_gates {
	__u32 held[LB_FLOW_GATES];
};
LB_ASSERT_SIZE(struct lb_flow_gates, 16384);

/*
 * Value of lb_snat_pools: bit p of the pool is set while port snat_port_base + p is in use by a reply entry. next
 * counts on from port to port, where ports are taken over from flows that nobody waits for: the one that was taken
 * longest ago comes next.
 */
#define LB_SNAT_POOLS_LAYOUT 2
struct lb_snat_pool {
	__u64 used[LB_SNAT_POOL_WORDS];
	__u32 next;
	__u32 pad;
};
LB_ASSERT_SIZE(struct lb_snat_pool, 4104);

/* They lie where the hop would, whose first word is LB_HOP_NONE, 0, when an entry is written: so nothing is known then.
 */
LB_ASSERT_SIZE(struct lb_progress, sizeof(struct lb_hop));

static inline __attribute__((always_inline)) struct lb_progress *lb_flow_progress(struct lb_flow *forward)
{
	return (struct lb_progress *)&forward->hop;
}

#endif
