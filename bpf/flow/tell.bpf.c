// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "flow/flow.h"

/* What the packet shows by the numbers of the flow's forward entry, which it then adds to. */
static __always_inline __u8 news_seen(struct lb_progress *progress, const struct flow_news *news, __u8 proto,
				      __u8 state)
{
	__u8 seen;

	if (!lb_flow_has_end(proto))
		return lb_datagram_seen(news->reply);
	seen = lb_segment_seen(progress, &news->segment, state, news->reply);
	lb_progress_note(progress, &news->segment, news->reply);
	return seen;
}

/*
 * Each entry makes its own next state of what is told to both, so that two CPUs that tell of two packets leave the
 * same, whichever comes first.
 */
static __always_inline void entry_tell(struct flow_at *at, const struct tuple *key, const struct tuple *undone,
				       struct flow_news *news, const struct lb_clock *clock, const int family)
{
	struct lb_flow *entry = table_hold(at, key, undone, family);
	__u8 state;

	if (!entry)
		return;
	state = entry->state;
	if (!(entry->flags & LB_FLOW_REPLY))
		news->seen = news_seen(lb_flow_progress(entry), news, (__u8)key->proto, state);
	state = lb_flow_next((__u8)key->proto, state, news->seen);
	entry->state = state;
	entry->timeout = lb_flow_timeout((__u8)key->proto, state);
	entry->expires = clock_ticks(clock) + clock->timeout[entry->timeout & (LB_TIMEOUT_COUNT - 1)];
	entry_publish(entry, at->seq);
}

int lb_entry_tell(struct flow_at *at, const struct tuple *key, const struct tuple *undone, struct flow_news *news,
		  int family)
{
	struct lb_clock *clock = clock_words();

	if (!at || !key || !undone || !news || !clock)
		return 0;
	if (family == LB_AF_INET)
		entry_tell(at, key, undone, news, clock, LB_AF_INET);
	else
		entry_tell(at, key, undone, news, clock, LB_AF_INET6);
	return 0;
}
