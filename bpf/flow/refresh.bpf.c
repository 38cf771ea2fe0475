// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "flow/flow.h"

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

static __always_inline void flow_refresh(struct flow_work *work, struct flow_at *at, const struct tuple *key,
					 struct flow_view *view, const int family)
{
	enum table_found found;

	table_touch(at, view, family);
	tuple_reverse(&work->pair_key, &view->to, family);
	found = lb_table_find(&work->pair_view, &work->pair_at, &work->pair_key, family);
	if (found == TABLE_FOUND && flow_undoes(&work->pair_view, key, family)) {
		table_touch(&work->pair_at, view, family);
	} else if (found == TABLE_MISSING && flow_may_heal(view, family)) {
		flow_reverse(&work->pair_key, &work->pair_view, key, view, family);
		if (flow_insert(work, &work->pair_key, &work->pair_view, family) != TABLE_INSERTED &&
		    view->flags & LB_FLOW_SNAT)
			port_release(pool_towards(view, family), view->to.sport);
	}
}

int lb_flow_refresh(struct flow_at *at, const struct tuple *key, struct flow_view *view, int family)
{
	struct flow_work *work = flow_work(SCRATCH_PACKET);
	struct lb_clock *clock = clock_words();

	if (!at || !key || !view || !work || !clock)
		return 0;
	view_touch(view, (__u8)key->proto, clock);
	if (family == LB_AF_INET)
		flow_refresh(work, at, key, view, LB_AF_INET);
	else
		flow_refresh(work, at, key, view, LB_AF_INET6);
	return 0;
}
