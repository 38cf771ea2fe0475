/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_FLOW_FLOW_H
#define LB_BPF_FLOW_FLOW_H

#include "flow/table.h"
#include "flow/lock.h"
#include "packet/packet.h"
#include "flow/ports.h"

/*
 * Flows: two entries of the table that undo each other, and for SNAT the port between them. Both are made before the
 * first packet leaves, and ended together.
 */

#define LOCAL_PORT_TRIES 8

/* Room for one flow in the making, and for what it evicts. */
struct flow_work {
	struct tuple pair_key;
	struct flow_view pair_view;
	struct flow_view other;
	struct flow_copy evicted;
};

/* Where the forward entry's source port comes from. */
static __always_inline struct lb_snat_pool *pool_towards(const struct flow_view *view, const int family)
{
	return port_pool(view->to.dst, view->to.dport, view->to.proto, family);
}

/* Flags of flow_end(). */
#define FLOW_END_OUT 1	 /* the entry that is given has been taken out already */
#define FLOW_END_GATED 2 /* the caller holds the gate of the forward key */

static __always_inline __u32 *flow_gate(const struct tuple *forward, const int family)
{
	const __u32 zero = 0;
	struct lb_flow_gates *gates = bpf_map_lookup_elem(&lb_flow_gates, &zero);

	return gates ? &gates->held[lb_flow_gate(flow_hash(forward, family))] : NULL;
}

/*
 * Takes out what is still there of a flow, the forward entry before the reply entry. Returns whether the reply entry
 * is out by this, so that its port is nobody's now. Where that cannot be told for sure the answer is no, and the port
 * stays taken: lost is better than used twice.
 */
static __always_inline int flow_take_out(const struct tuple *forward, const struct tuple *back,
					 const struct flow_view *view, int how, int gated, int family)
{
	const int reply_is_out = how & FLOW_END_OUT && view->flags & LB_FLOW_REPLY;
	enum table_removed removed;

	if (how & FLOW_END_OUT && !reply_is_out) {
		/* Made again since, or about to be, with the reply entry that was left: then it is theirs. */
		if (!gated || lb_table_holds(forward, family))
			return 0;
	} else {
		removed = lb_table_remove(forward, back, view->backend, view->generation, family);
		if (removed == TABLE_STAYS || (removed == TABLE_ABSENT && !gated))
			return 0;
	}
	return reply_is_out || lb_table_remove(back, forward, view->backend, view->generation, family) == TABLE_REMOVED;
}

/*
 * Ends a flow, given one of its entries. The port is given back last, so nobody can get a port that somebody still
 * sends from, and under the gate of the forward key, so that nobody makes the flow again meanwhile.
 */
static OUT_OF_LINE void flow_end(const struct tuple *key, const struct flow_view *view, int how, int family)
{
	const int snat = view->flags & LB_FLOW_SNAT, reply = view->flags & LB_FLOW_REPLY;
	int gated = 1, is_out;
	__u32 *gate = NULL;
	struct tuple pair;

	tuple_reverse(&pair, &view->to, family);
	if (snat && !(how & FLOW_END_GATED)) {
		gate = flow_gate(reply ? &pair : key, family);
		gated = gate && lock(gate);
	}
	if (reply)
		is_out = flow_take_out(&pair, key, view, how, gated, family);
	else
		is_out = flow_take_out(key, &pair, view, how, gated, family);
	if (is_out && snat && reply)
		port_release(port_pool(key->src, key->sport, key->proto, family), key->dport);
	else if (is_out && snat)
		port_release(port_pool(pair.src, pair.sport, pair.proto, family), pair.dport);
	if (gate && gated)
		unlock(gate);
}

/* One entry into the table; the flow that it pushes out, if any, ends. */
static __always_inline enum table_inserted flow_insert(struct flow_copy *evicted, const struct tuple *key,
						       const struct flow_view *view, const int family)
{
	const enum table_inserted inserted = lb_table_insert(evicted, key, view, family);

	if (inserted != TABLE_EVICTED)
		return inserted;
	flow_end(&evicted->key, &evicted->view, FLOW_END_OUT, family);
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
	pair->touched = view->touched;
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

/* State bits that this packet adds to its flow. */
static __always_inline __u8 flow_observed_state(const struct packet *p, __u8 flags)
{
	__u8 state = flags & LB_FLOW_REPLY ? LB_FLOW_ANSWERED : 0;

	if (p->tcp_flags & TCP_FIN)
		state |= flags & LB_FLOW_REPLY ? LB_FLOW_FIN_BACKEND : LB_FLOW_FIN_CLIENT;
	if (p->tcp_flags & TCP_RST)
		state |= LB_FLOW_RST;
	return state;
}

/*
 * Whether the entry that is missing beside this one may be made again. With SNAT it was taken out by somebody who is
 * about to give the port back, or has: only the forward entry, and only if it gets the port again, may bring it back.
 */
static __always_inline int flow_may_heal(const struct flow_view *view, const int family)
{
	if (!(view->flags & LB_FLOW_SNAT))
		return 1;
	return !(view->flags & LB_FLOW_REPLY) && port_retake(pool_towards(view, family), view->to.sport);
}

/* Both entries are told what one of them saw; one whose pair was lost makes it again here. */
static __always_inline void flow_refresh(struct flow_at *at, const struct tuple *key, struct flow_view *view,
					 struct flow_work *work, const struct lb_clock *clock, const int family)
{
	enum table_found found;
	struct flow_at pair_at;

	view_touch(view, (__u8)key->proto, clock);
	table_touch(at, view, family);
	tuple_reverse(&work->pair_key, &view->to, family);
	found = lb_table_find(&work->pair_view, &pair_at, &work->pair_key, family);
	if (found == TABLE_FOUND && flow_undoes(&work->pair_view, key, family)) {
		table_touch(&pair_at, view, family);
	} else if (found == TABLE_MISSING && flow_may_heal(view, family)) {
		flow_reverse(&work->pair_key, &work->pair_view, key, view, family);
		if (flow_insert(&work->evicted, &work->pair_key, &work->pair_view, family) != TABLE_INSERTED &&
		    view->flags & LB_FLOW_SNAT)
			port_release(pool_towards(view, family), view->to.sport);
	}
}

/* Whether the entry that undoes this flow's forward entry is there already, because only the forward entry was lost. */
static __always_inline int flow_reply_exists(const struct flow_view *found, const struct flow_view *view,
					     const struct tuple *key, const int family)
{
	return flow_undoes(found, key, family) && found->backend == view->backend &&
	       found->generation == view->generation;
}

/*
 * A backend on this node sees the client's own address and port, unless another flow of this client to the same
 * backend, through another frontend, already has that tuple: then only the port is changed.
 */
static __always_inline enum lb_verdict choose_local_source(struct flow_view *view, int *reply_exists,
							   const struct tuple *key, __u64 hash, struct flow_work *work,
							   const struct lb_clock *clock, const int family)
{
	struct flow_at at;

	ROLLED
	for (int i = 0; i < LOCAL_PORT_TRIES; i++) {
		enum table_found found;

		tuple_reverse(&work->pair_key, &view->to, family);
		found = lb_table_find(&work->other, &at, &work->pair_key, family);
		if (likely(found == TABLE_MISSING))
			return LB_CONTINUE;
		if (found == TABLE_BUSY)
			return LB_VERDICT_FLOW_BUSY;
		*reply_exists = flow_reply_exists(&work->other, view, key, family);
		if (*reply_exists)
			return table_touch(&at, view, family) ? LB_CONTINUE : LB_VERDICT_FLOW_BUSY;
		if (work->other.state & LB_FLOW_CLOSING || entry_remaining(clock, work->other.expires) < 0) {
			flow_end(&work->pair_key, &work->other, 0, family);
			return LB_CONTINUE;
		}
		view->to.sport = preferred_port(hash + ((__u64)i << 22));
	}
	return LB_VERDICT_SNAT_EXHAUSTED;
}

/* A backend on another node sees an address of this one (in view->to.src) and a port of the backend's pool. */
static __always_inline enum lb_verdict choose_remote_source(struct flow_view *view, int *reply_exists,
							    const struct tuple *key, __u64 hash, struct flow_work *work,
							    const int family)
{
	struct lb_snat_pool *pool = pool_towards(view, family);
	struct flow_at at;

	view->to.sport = preferred_port(hash);
	if (unlikely(port_is_taken(pool, view->to.sport))) {
		enum table_found found;

		tuple_reverse(&work->pair_key, &view->to, family);
		found = lb_table_find(&work->other, &at, &work->pair_key, family);
		if (found == TABLE_BUSY)
			return LB_VERDICT_FLOW_BUSY;
		*reply_exists = found == TABLE_FOUND && flow_reply_exists(&work->other, view, key, family);
		/* Fails where the entry is being ended: the next packet makes all of it anew. */
		if (*reply_exists)
			return table_touch(&at, view, family) ? LB_CONTINUE : LB_VERDICT_FLOW_BUSY;
	}
	view->to.sport = port_take(pool, hash);
	return view->to.sport == PORT_NONE ? LB_VERDICT_SNAT_EXHAUSTED : LB_CONTINUE;
}

/* The reply entry first: a packet leaves only when its answer will be understood. */
static __always_inline enum lb_verdict insert_both(const struct tuple *key, const struct flow_view *view,
						   int reply_exists, struct flow_work *work, const int family)
{
	enum table_inserted inserted = TABLE_INSERTED;

	if (!reply_exists) {
		flow_reverse(&work->pair_key, &work->pair_view, key, view, family);
		inserted = flow_insert(&work->evicted, &work->pair_key, &work->pair_view, family);
		if (inserted != TABLE_INSERTED && view->flags & LB_FLOW_SNAT)
			port_release(pool_towards(view, family), view->to.sport);
	}
	if (inserted == TABLE_INSERTED) {
		inserted = flow_insert(&work->evicted, key, view, family);
		if (inserted == TABLE_INSERTED)
			return LB_CONTINUE;
		flow_end(key, view, FLOW_END_OUT | FLOW_END_GATED, family);
	}
	return inserted == TABLE_INSERT_FULL ? LB_VERDICT_FLOW_TABLE_FULL : LB_VERDICT_FLOW_BUSY;
}

static __always_inline enum lb_verdict make_gated(struct flow_view *view, const struct tuple *key, __u64 hash,
						  struct flow_work *work, const struct lb_clock *clock,
						  const int family)
{
	enum table_found found;
	enum lb_verdict verdict;
	int reply_exists = 0;
	struct flow_at at;

	/* Another CPU may have made the flow since this one found it missing, and a third be writing it now. */
	found = lb_table_find(&work->other, &at, key, family);
	if (unlikely(found == TABLE_BUSY))
		return LB_VERDICT_FLOW_BUSY;
	if (unlikely(found == TABLE_FOUND)) {
		if (work->other.backend != view->backend || work->other.generation != view->generation)
			return LB_VERDICT_FLOW_BUSY;
		view->to = work->other.to;
		return LB_CONTINUE;
	}
	if (view->flags & LB_FLOW_LOCAL)
		verdict = choose_local_source(view, &reply_exists, key, hash, work, clock, family);
	else
		verdict = choose_remote_source(view, &reply_exists, key, hash, work, family);
	if (verdict != LB_CONTINUE)
		return verdict;
	return insert_both(key, view, reply_exists, work, family);
}

/*
 * Makes the flow that *view describes; its source may be changed on the way. The forward key's gate keeps two CPUs from
 * making the same flow, and one from making what another ends; for a backend on this node the reply key's keeps two
 * flows of one client from both taking the tuple that both would like.
 */
static __always_inline enum lb_verdict flow_make(struct flow_view *view, const struct tuple *key,
						 struct flow_work *work, const struct lb_clock *clock, const int family)
{
	enum lb_verdict verdict = LB_VERDICT_FLOW_BUSY;
	__u32 *first = flow_gate(key, family), *second = first;

	if (view->flags & LB_FLOW_LOCAL) {
		tuple_reverse(&work->pair_key, &view->to, family);
		second = flow_gate(&work->pair_key, family);
	}
	if (!first || !second)
		return LB_VERDICT_BROKEN_REFERENCE;
	if (!lock(first))
		return verdict;
	/* No order is kept between the two: who waits in vain gives up its packet, and nobody waits for long. */
	if (second == first || lock(second)) {
		verdict = make_gated(view, key, flow_hash(key, family), work, clock, family);
		if (second != first)
			unlock(second);
	}
	unlock(first);
	return verdict;
}

#endif
