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

static __always_inline void flow_heal(struct flow_work *work, const struct tuple *key, struct flow_view *view,
				      const struct lb_clock *clock, const int family)
{
	view->state = lb_flow_next((__u8)key->proto, view->state, work->news.seen);
	view_live(view, (__u8)key->proto, clock);
	flow_reverse(&work->pair_key, &work->pair_view, key, view, family);
	if (flow_insert(work, &work->pair_key, &work->pair_view, family) != TABLE_INSERTED &&
	    view->flags & LB_FLOW_SNAT)
		port_release(pool_towards(view, family), view->to.sport);
}

/* What can be said of the packet without a forward entry's numbers. */
static __always_inline __u8 seen_alone(const struct flow_news *news, __u8 proto, __u8 state)
{
	const struct lb_progress nothing = {};

	return lb_flow_has_end(proto) ? lb_segment_seen(&nothing, &news->segment, state, news->reply)
				      : lb_datagram_seen(news->reply);
}

static __always_inline void flow_refresh(struct flow_work *work, struct flow_at *at, const struct tuple *key,
					 struct flow_view *view, const struct lb_clock *clock, const int family)
{
	enum table_found found;
	int paired;

	work->news.reply = !!(view->flags & LB_FLOW_REPLY);
	work->news.seen = seen_alone(&work->news, (__u8)key->proto, view->state);
	tuple_reverse(&work->pair_key, &view->to, family);
	found = table_find_patiently(&work->pair_view, &work->pair_at, &work->pair_key, family);
	paired = found == TABLE_FOUND && flow_undoes(&work->pair_view, key, family);
	/* The forward entry first, which knows more. */
	if (paired && work->news.reply)
		lb_entry_tell(&work->pair_at, &work->pair_key, key, &work->news, family);
	lb_entry_tell(at, key, &work->pair_key, &work->news, family);
	if (paired && !work->news.reply)
		lb_entry_tell(&work->pair_at, &work->pair_key, key, &work->news, family);
	else if (found == TABLE_MISSING && flow_may_heal(view, family))
		flow_heal(work, key, view, clock, family);
}

int lb_flow_refresh(struct flow_at *at, const struct tuple *key, struct flow_view *view, int family)
{
	struct flow_work *work = flow_work(SCRATCH_PACKET);
	struct lb_clock *clock = clock_words();

	if (!at || !key || !view || !work || !clock)
		return 0;
	if (family == LB_AF_INET)
		flow_refresh(work, at, key, view, clock, LB_AF_INET);
	else
		flow_refresh(work, at, key, view, clock, LB_AF_INET6);
	return 0;
}
