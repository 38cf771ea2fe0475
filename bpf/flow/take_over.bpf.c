// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "flow/flow.h"

/* Whether nobody waits for anything of a flow, or nobody whom this node believes to be there. */
static __always_inline int port_yields(const struct flow_view *view, const struct lb_clock *clock, int resting)
{
	const __u32 worth = lb_flow_worth(view->state);

	if (entry_remaining(clock, view->expires) < 0 || lb_flow_is_finished(view->state))
		return 1;
	return worth == LB_WORTH_UNCONFIRMED || (resting && worth == LB_WORTH_CLOSED);
}

/*
 * Ends the flow of the reply entry that work.other was read from, and keeps its port. Who makes or ends that flow is
 * not waited for: there are other ports, and he may be waiting for this CPU's gate.
 */
static __always_inline int end_for_port(struct flow_work *work, const int family)
{
	__u32 number, *gate;
	int held, ended;

	tuple_reverse(&work->ended, &work->other.to, family);
	number = gate_number(&work->ended, family);
	held = gate_is_held(work, number);
	gate = flow_gate(number);
	if (!gate || (!held && !try_lock(gate)))
		return 0;
	ended = table_free(&work->pair_at, family) &&
		lb_table_remove(&work->ended, &work->pair_key, work->other.backend, work->other.generation, family) !=
			TABLE_STAYS;
	if (!held)
		unlock(gate);
	return ended;
}

/* The port that is next: PORT_NONE where it does not yield. */
static __always_inline int take_next(struct flow_work *work, const struct flow_view *view, int resting,
				     const int family)
{
	struct lb_snat_pool *pool = pool_towards(view, family);
	struct lb_clock *clock = clock_words();

	if (!pool || !clock)
		return PORT_NONE;
	tuple_reverse(&work->pair_key, &view->to, family);
	work->pair_key.dport = port_of_bit(__sync_fetch_and_add(&pool->next, 1));
	if (lb_table_find(&work->other, &work->pair_at, &work->pair_key, family) == TABLE_FOUND &&
	    port_yields(&work->other, clock, resting) && end_for_port(work, family))
		return work->pair_key.dport;
	return PORT_NONE;
}

int lb_port_take_next(struct flow_work *work, const struct flow_view *view, int resting, int family)
{
	if (!work || !view)
		return PORT_NONE;
	if (family == LB_AF_INET)
		return take_next(work, view, resting, LB_AF_INET);
	return take_next(work, view, resting, LB_AF_INET6);
}
