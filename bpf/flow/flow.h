/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_FLOW_FLOW_H
#define LB_BPF_FLOW_FLOW_H

#include "flow/lock.h"
#include "flow/ports.h"
#include "flow/table.h"

/*
 * Flows: two entries of the table that undo each other, and for SNAT the port between them. Both are made before the
 * first packet leaves, and ended together.
 */

/* What a packet tells of its flow. */
struct flow_news {
	struct lb_segment segment; /* TCP: the packet's */
	__u8 reply;
	__u8 seen; /* LB_SEEN_* */
	__u16 pad;
};

/*
 * Room for what is done to one flow at a time, which the stack has not: at the start of each element of lb_scratch.
 * ended is lb_flow_end()'s, which the others call, swept the sweeper's.
 */
struct flow_work {
	struct tuple pair_key;
	struct flow_view pair_view;
	struct flow_at pair_at;
	struct flow_view other;
	struct flow_copy evicted;
	struct flow_copy swept;
	struct tuple ended;
	struct flow_news news;
	__u64 hash;	/* of the key of the flow in the making */
	__u32 gates[2]; /* numbers of those that its maker holds, from 1 on: nobody waits for himself */
	__u32 reply_exists;
	__u32 pad;
};

/* Elements of lb_scratch. On old kernels a packet may interrupt the sweeper on its CPU, so it has one of its own. */
#define SCRATCH_PACKET 0
#define SCRATCH_SWEEP 1

static __always_inline struct flow_work *flow_work(const __u32 whose)
{
	return bpf_map_lookup_elem(&lb_scratch, &whose);
}

/* Where the forward entry's source port comes from. */
static __always_inline struct lb_snat_pool *pool_towards(const struct flow_view *view, const int family)
{
	return port_pool(view->to.dst, view->to.dport, view->to.proto, family);
}

/* Flags of lb_flow_end(). */
#define FLOW_END_OUT 1	 /* the entry that is given has been taken out already */
#define FLOW_END_GATED 2 /* the caller holds the gate of the forward key */

static __always_inline __u32 gate_number(const struct tuple *forward, const int family)
{
	return lb_flow_gate(flow_hash(forward, family));
}

static __always_inline __u32 *flow_gate(__u32 number)
{
	const __u32 zero = 0;
	struct lb_flow_gates *gates = bpf_map_lookup_elem(&lb_flow_gates, &zero);

	return gates ? &gates->held[number % LB_FLOW_GATES] : NULL;
}

static __always_inline int gate_is_held(const struct flow_work *work, __u32 number)
{
	return work->gates[0] == number + 1 || work->gates[1] == number + 1;
}

/*
 * What is rare stands in files of its own, in global functions: the verifier walks each once and not for every way that
 * leads to it. It takes none of their pointers for granted, so they ask.
 */

/* Makes the flow that *view describes; its source may be changed on the way. Returns LB_CONTINUE, or the verdict. */
int lb_flow_make(struct flow_view *view, const struct tuple *key, int family);

/* One entry's state, and what is left of its life, after news. */
int lb_entry_tell(struct flow_at *at, const struct tuple *key, const struct tuple *undone, struct flow_news *news,
		  int family);

/* Both entries are told of the packet (work.news.segment); one whose pair was lost makes it again here. */
int lb_flow_refresh(struct flow_at *at, const struct tuple *key, struct flow_view *view, int family);

/*
 * Ends a flow, given one of its entries. The port is given back last, so nobody can get a port that somebody still
 * sends from, and under the gate of the forward key, so that nobody makes the flow again meanwhile.
 */
int lb_flow_end(struct flow_work *work, const struct tuple *key, const struct flow_view *view, int how, int family);

/*
 * Takes over the next port of the pool, if the flow of the same source and backend that has it is one that nobody waits
 * for; a resting one, too, if asked: its backend may be in TIME_WAIT. Returns it, or PORT_NONE. The port's bit stays
 * set, so nobody else gets it.
 */
int lb_port_take_next(struct flow_work *work, const struct flow_view *view, int resting, int family);

/* One entry into the table; the flow that it pushes out, if any, ends. */
static __always_inline enum table_inserted flow_insert(struct flow_work *work, const struct tuple *key,
						       const struct flow_view *view, const int family)
{
	const enum table_inserted inserted = lb_table_insert(&work->evicted, key, view, family);

	if (inserted != TABLE_EVICTED)
		return inserted;
	lb_flow_end(work, &work->evicted.key, &work->evicted.view, FLOW_END_OUT, family);
	return TABLE_INSERTED;
}

/* The other direction's entry: what undoes this one. */
static __always_inline void flow_reverse(struct tuple *pair_key, struct flow_view *pair, const struct tuple *key,
					 const struct flow_view *view, const int family)
{
	tuple_reverse(pair_key, &view->to, family);
	tuple_reverse(&pair->to, key, family);
	pair->backend = view->backend;
	pair->generation = view->generation;
	pair->expires = view->expires;
	pair->flags = view->flags ^ LB_FLOW_REPLY;
	pair->state = view->state;
	pair->timeout = view->timeout;
}

/* Whether *pair, found under the reverse of key's rewritten tuple, is the entry that undoes key's. */
static __always_inline int flow_undoes(const struct flow_view *pair, const struct tuple *key, const int family)
{
	struct tuple back;

	tuple_reverse(&back, key, family);
	return tuple_equals(&pair->to, &back, family);
}

/* The direction that leaves by tc egress, and is seen nowhere else. */
static __always_inline int flow_is_local_reply(const struct flow_view *view)
{
	return (view->flags & (LB_FLOW_REPLY | LB_FLOW_LOCAL)) == (LB_FLOW_REPLY | LB_FLOW_LOCAL);
}

#endif
