/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_KNOWN_FLOW_H
#define LB_BPF_PATH_KNOWN_FLOW_H

#include "path/scratch.h"
#include "path/deliver.h"
#include "flow/flow.h"
#include "packet/forward.h"
#include "packet/packet.h"

/* What becomes of a packet whose flow is known. */

/* A client's SYN on a flow that is over, or whose backend is leaving, begins another; otherwise it is a retransmission.
 */
static __always_inline int begins_anew(const struct packet *p, const struct flow_view *view,
				       const struct lb_backend *backend, const struct lb_clock *clock)
{
	if (likely((p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN))
		return 0;
	return view->state & LB_FLOW_CLOSING || backend->flags & LB_BACKEND_DRAINING ||
	       entry_remaining(clock, view->expires) < 0;
}

/*
 * The slot has another occupant, or none. What can start over does; the rest of TCP is told, whichever side speaks. A
 * last UDP reply still reaches the client.
 */
static __always_inline enum lb_verdict backend_gone(const struct packet *p, const struct flow_view *view)
{
	const int reply = view->flags & LB_FLOW_REPLY;

	if (p->tuple.proto == LB_IPPROTO_TCP && (reply || (p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN))
		return defer_verdict(p, DEFER_ANSWER, LB_VERDICT_ANSWER_BACKEND_GONE, 0);
	return reply ? LB_CONTINUE : defer_anew(p, view);
}

/* *hop is the entry's own, good for replies; for the other direction it is the backend's. */
static __always_inline enum lb_verdict hit_remote(void *ctx, struct packet *p, struct flow_at *at,
						  struct flow_view *view, struct hop *hop, struct lb_backend *backend,
						  const struct lb_clock *clock, int *refresh, const enum lb_hook hook,
						  const int family)
{
	const int reply = view->flags & LB_FLOW_REPLY;
	enum lb_verdict verdict;

	if (reply)
		verdict = hop_to_client(ctx, hop, p, at, view, clock, hook, family);
	else
		verdict = hop_to_backend(ctx, hop, p, backend, clock, hook, family);
	if (unlikely(verdict != LB_CONTINUE))
		return verdict;
	if (unlikely(p->ttl <= 1))
		return defer_verdict(p, DEFER_ANSWER, LB_VERDICT_ANSWER_TIME_EXCEEDED, 0);
	if (unlikely(exceeds_mtu(ctx, p, hop->mtu, hook)))
		return defer_verdict(p, DEFER_ANSWER, LB_VERDICT_ANSWER_TOO_BIG, hop->mtu);
	*refresh = observe(p, at, view, clock);
	return to_remote(ctx, p, view, &hop->to, reply ? LB_VERDICT_REMOTE_REPLY : LB_VERDICT_REMOTE_HIT, hook, family);
}

static __always_inline enum lb_verdict hit(void *ctx, struct packet *p, struct flow_at *at, struct flow_view *view,
					   struct hop *hop, int *refresh, const enum lb_hook hook, const int family)
{
	struct lb_backend *backend = bpf_map_lookup_elem(&lb_backends, &view->backend);
	struct lb_clock *clock = clock_words();

	if (!backend || !clock)
		return LB_VERDICT_BROKEN_REFERENCE;
	if (unlikely(READ_ONCE(backend->generation) != view->generation)) {
		const enum lb_verdict verdict = backend_gone(p, view);

		if (verdict != LB_CONTINUE)
			return verdict;
	}
	if (!(view->flags & LB_FLOW_REPLY) && unlikely(begins_anew(p, view, backend, clock)))
		return defer_anew(p, view);
	if (!(view->flags & LB_FLOW_LOCAL))
		return hit_remote(ctx, p, at, view, hop, backend, clock, refresh, hook, family);
	*refresh = observe(p, at, view, clock);
	return to_local(ctx, p, view, LB_VERDICT_LOCAL_HIT, hook, family);
}

static __always_inline enum lb_verdict arrive_flow(void *ctx, struct packet *p, int *refresh, const enum lb_hook hook,
						   const int family)
{
	struct flow_view view;
	struct flow_at at;
	struct hop hop;

	keep_in_memory(p);
	keep_in_memory(&view);
	keep_in_memory(&hop);
	keep_in_memory(&at);
	switch (table_find(&view, &hop.to, &at, &p->tuple, family)) {
	case TABLE_FOUND:
		/* A reply of a backend on this node leaves by tc egress; arriving it is not what the entry was made
		 * for. */
		if (unlikely(flow_is_local_reply(&view)))
			return LB_VERDICT_NOT_OURS;
		return hit(ctx, p, &at, &view, &hop, refresh, hook, family);
	case TABLE_BUSY:
		return LB_VERDICT_FLOW_BUSY;
	default:
		return defer(p, DEFER_BEGIN);
	}
}

#endif
