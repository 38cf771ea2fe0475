// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "flow/flow.h"
#include "flow/handover.h"

#define LOCAL_PORT_TRIES 8
#define TAKE_UNUSED_TRIES 32
#define TAKE_OVER_TRIES 40

/* Whether the entry that undoes this flow's forward entry is there already, because only the forward entry was lost. */
static __always_inline int flow_reply_exists(const struct flow_view *found, const struct flow_view *view,
					     const struct tuple *key, const int family)
{
	return flow_undoes(found, key, family) && found->backend == view->backend &&
	       found->generation == view->generation;
}

/* Finds what has the key that this flow's reply entry would have: work->other. */
static __always_inline enum table_found find_reply(struct flow_work *work, const struct flow_view *view,
						   const struct tuple *key, const int family)
{
	enum table_found found;

	tuple_reverse(&work->pair_key, &view->to, family);
	found = table_find_patiently(&work->other, &work->pair_at, &work->pair_key, family);
	work->reply_exists = found == TABLE_FOUND && flow_reply_exists(&work->other, view, key, family);
	return found;
}

/* The reply entry that exists lives on, and its state is the flow's. Fails where it is being ended: the next packet
 * makes all of it anew. */
static __always_inline enum lb_verdict adopt_reply(struct flow_work *work, struct flow_view *view,
						   const struct tuple *key, const struct lb_clock *clock,
						   const int family)
{
	struct lb_flow *entry = table_hold(&work->pair_at, &work->pair_key, key, family);

	if (!entry)
		return LB_VERDICT_FLOW_BUSY;
	view->state = entry->state;
	view_live(view, (__u8)key->proto, clock);
	entry->timeout = view->timeout;
	entry->expires = view->expires;
	entry_publish(entry, work->pair_at.seq);
	return LB_CONTINUE;
}

/*
 * A backend on this node sees the client's own address and port, unless another flow of this client to the same
 * backend, through another frontend, already has that tuple: then only the port is changed.
 */
static __always_inline enum lb_verdict choose_local_source(struct flow_work *work, struct flow_view *view,
							   const struct tuple *key, const struct lb_clock *clock,
							   const int family)
{
	ROLLED
	for (int i = 0; i < LOCAL_PORT_TRIES; i++) {
		const enum table_found found = find_reply(work, view, key, family);

		if (likely(found == TABLE_MISSING))
			return LB_CONTINUE;
		if (found == TABLE_BUSY)
			return LB_VERDICT_FLOW_BUSY;
		if (work->reply_exists)
			return adopt_reply(work, view, key, clock, family);
		if (lb_flow_is_closed(work->other.state) || entry_remaining(clock, work->other.expires) < 0) {
			lb_flow_end(work, &work->pair_key, &work->other, 0, family);
			return LB_CONTINUE;
		}
		view->to.sport = preferred_port(work->hash + ((__u64)i << 22));
	}
	return LB_VERDICT_SNAT_EXHAUSTED;
}

/* A backend on another node sees an address of this one (in view->to.src) and a port of the backend's pool. */
static __always_inline enum lb_verdict choose_remote_source(struct flow_work *work, struct flow_view *view,
							    const struct tuple *key, const struct lb_clock *clock,
							    const int family)
{
	struct lb_snat_pool *pool = pool_towards(view, family);

	view->to.sport = preferred_port(work->hash);
	if (unlikely(port_is_taken(pool, view->to.sport))) {
		if (find_reply(work, view, key, family) == TABLE_BUSY)
			return LB_VERDICT_FLOW_BUSY;
		if (work->reply_exists)
			return adopt_reply(work, view, key, clock, family);
	}
	view->to.sport = lb_port_take(pool, work->hash);
	/* Free ports are ours alone; one that is taken over may be at the same time by the other build's programs. */
	if (view->to.sport == PORT_NONE && is_handing_over(key->proto))
		return LB_VERDICT_FLOW_BUSY;
	/* Resting ones only where there are no others. */
	ROLLED
	for (int i = 0; i < TAKE_OVER_TRIES && view->to.sport == PORT_NONE; i++)
		view->to.sport = lb_port_take_next(work, view, i >= TAKE_UNUSED_TRIES, family);
	return view->to.sport == PORT_NONE ? LB_VERDICT_SNAT_EXHAUSTED : LB_CONTINUE;
}

/* The reply entry first: a packet leaves only when its answer will be understood. */
static __always_inline enum lb_verdict insert_both(struct flow_work *work, const struct flow_view *view,
						   const struct tuple *key, const int family)
{
	enum table_inserted inserted = TABLE_INSERTED;

	if (!work->reply_exists) {
		flow_reverse(&work->pair_key, &work->pair_view, key, view, family);
		inserted = flow_insert(work, &work->pair_key, &work->pair_view, family);
		if (inserted != TABLE_INSERTED && view->flags & LB_FLOW_SNAT)
			port_release(pool_towards(view, family), view->to.sport);
	}
	if (inserted == TABLE_INSERTED) {
		inserted = flow_insert(work, key, view, family);
		if (inserted == TABLE_INSERTED)
			return LB_CONTINUE;
		lb_flow_end(work, key, view, FLOW_END_OUT | FLOW_END_GATED, family);
	}
	return inserted == TABLE_INSERT_FULL ? LB_VERDICT_FLOW_TABLE_FULL : LB_VERDICT_FLOW_BUSY;
}

static __always_inline enum lb_verdict make_gated(struct flow_work *work, struct flow_view *view,
						  const struct tuple *key, const struct lb_clock *clock,
						  const int family)
{
	/* Another CPU may have made the flow since this one found it missing, and a third be writing it now. */
	const enum table_found found = table_find_patiently(&work->other, &work->pair_at, key, family);
	enum lb_verdict verdict;

	if (unlikely(found == TABLE_BUSY))
		return LB_VERDICT_FLOW_BUSY;
	if (unlikely(found == TABLE_FOUND)) {
		if (work->other.backend != view->backend || work->other.generation != view->generation)
			return LB_VERDICT_FLOW_BUSY;
		view->to = work->other.to;
		return LB_CONTINUE;
	}
	work->reply_exists = 0;
	if (view->flags & LB_FLOW_LOCAL)
		verdict = choose_local_source(work, view, key, clock, family);
	else
		verdict = choose_remote_source(work, view, key, clock, family);
	return verdict == LB_CONTINUE ? insert_both(work, view, key, family) : verdict;
}

/*
 * The forward key's gate keeps two CPUs from making the same flow, and one from making what another ends; for a backend
 * on this node the reply key's keeps two flows of one client from both taking the tuple that both would like.
 */
static __always_inline enum lb_verdict flow_make(struct flow_work *work, struct flow_view *view,
						 const struct tuple *key, const struct lb_clock *clock,
						 const int family)
{
	enum lb_verdict verdict = LB_VERDICT_FLOW_BUSY;
	__u32 *first, *second;

	work->hash = flow_hash(key, family);
	work->gates[0] = work->gates[1] = lb_flow_gate(work->hash) + 1;
	if (view->flags & LB_FLOW_LOCAL) {
		tuple_reverse(&work->pair_key, &view->to, family);
		work->gates[1] = gate_number(&work->pair_key, family) + 1;
	}
	first = flow_gate(work->gates[0] - 1);
	second = flow_gate(work->gates[1] - 1);
	if (!first || !second)
		return LB_VERDICT_BROKEN_REFERENCE;
	if (!lock(first))
		return verdict;
	/* No order is kept between the two: who waits in vain gives up its packet, and nobody waits for long. */
	if (second == first || lock(second)) {
		verdict = make_gated(work, view, key, clock, family);
		if (second != first)
			unlock(second);
	}
	unlock(first);
	return verdict;
}

int lb_flow_make(struct flow_view *view, const struct tuple *key, int family)
{
	struct flow_work *work = flow_work(SCRATCH_PACKET);
	struct lb_clock *clock = clock_words();
	enum lb_verdict verdict;

	if (!view || !key || !work || !clock)
		return LB_VERDICT_BROKEN_REFERENCE;
	if (family == LB_AF_INET)
		verdict = flow_make(work, view, key, clock, LB_AF_INET);
	else
		verdict = flow_make(work, view, key, clock, LB_AF_INET6);
	work->gates[0] = work->gates[1] = 0;
	return verdict;
}
