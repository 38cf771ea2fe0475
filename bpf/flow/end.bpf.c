// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "flow/flow.h"

/*
 * Takes out what is still there of a flow, the forward entry before the reply entry. Returns whether the reply entry
 * is out by this, so that its port is nobody's now. Where that cannot be told for sure the answer is no, and the port
 * stays taken: lost is better than used twice.
 */
static __always_inline int flow_take_out(const struct tuple *forward, const struct tuple *back,
					 const struct flow_view *view, int how, int family)
{
	const int reply_is_out = how & FLOW_END_OUT && view->flags & LB_FLOW_REPLY, gated = how & FLOW_END_GATED;
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

static __always_inline void release_port_of(const struct tuple *back, int family)
{
	port_release(port_pool(back->src, back->sport, back->proto, family), back->dport);
}

static __always_inline void flow_end(const struct flow_work *work, const struct tuple *forward,
				     const struct tuple *back, const struct flow_view *view, int how, int family)
{
	const int snat = view->flags & LB_FLOW_SNAT;
	const __u32 number = gate_number(forward, family);
	const int held = how & FLOW_END_GATED || gate_is_held(work, number);
	__u32 *gate = snat && !held ? flow_gate(number) : NULL;
	const int gated = !snat || held || (gate && lock(gate));
	const int is_out =
		flow_take_out(forward, back, view, gated ? how | FLOW_END_GATED : how & ~FLOW_END_GATED, family);

	if (is_out && snat)
		release_port_of(back, family);
	if (gate && gated)
		unlock(gate);
}

int lb_flow_end(struct flow_work *work, const struct tuple *key, const struct flow_view *view, int how, int family)
{
	if (!work || !key || !view)
		return 0;
	tuple_reverse(&work->ended, &view->to, family);
	if (view->flags & LB_FLOW_REPLY)
		flow_end(work, &work->ended, key, view, how, family);
	else
		flow_end(work, key, &work->ended, view, how, family);
	return 0;
}
