/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_DELIVER_H
#define LB_BPF_PATH_DELIVER_H

#include "path/count.h"
#include "path/scratch.h"
#include "flow/flow.h"
#include "packet/forward.h"
#include "packet/fragment.h"
#include "packet/packet.h"
#include "packet/rewrite.h"

/* Rewriting a packet and sending it on its way, to this node's stack or to another node, and which way that is. */

static OUT_OF_LINE void remember_fragment(struct scratch *scratch, int family)
{
	fragment_remember(&scratch->fragment, &scratch->p, family);
}

static OUT_OF_LINE int recall_fragment(struct scratch *scratch, int family)
{
	return fragment_recall(&scratch->fragment, &scratch->p, family);
}

static __always_inline int apply(void *ctx, struct packet *p, const struct flow_view *view, const __u8 hops,
				 const enum lb_hook hook, const int family)
{
	if (unlikely(p->fragment == FRAGMENT_FIRST)) {
		struct scratch *scratch = scratch_memory();

		if (!scratch)
			return 0;
		scratch->p = *p;
		remember_fragment(scratch, family);
	}
	return rewrite(ctx, p, &view->to, hops, hook, family);
}

/* Client to a backend on this node: the stack delivers, and takes the hop off the TTL if it forwards. */
static __always_inline enum lb_verdict to_local(void *ctx, struct packet *p, const struct flow_view *view,
						enum lb_verdict verdict, const enum lb_hook hook, const int family)
{
	if (!apply(ctx, p, view, 0, hook, family))
		return LB_VERDICT_MALFORMED;
	count_backend(view->backend, 0, p->l3_length);
	return verdict;
}

/* To another node: a packet for a backend, or a reply for a client. */
static __always_inline enum lb_verdict to_remote(void *ctx, struct packet *p, const struct flow_view *view,
						 const struct lb_hop *hop, enum lb_verdict verdict,
						 const enum lb_hook hook, const int family)
{
	if (!apply(ctx, p, view, 1, hook, family) || !send(ctx, p, hop, hook))
		return LB_VERDICT_MALFORMED;
	count_backend(view->backend, !!(view->flags & LB_FLOW_REPLY), p->l3_length);
	return verdict;
}

/* The verdict for a hop that cannot be used now; LB_CONTINUE for one that can. */
static __always_inline enum lb_verdict hop_verdict(const struct packet *p, enum hop_state state,
						   const struct lb_hop *hop, const enum lb_hook hook)
{
	if (unlikely(state == HOP_NO_ROUTE))
		return LB_VERDICT_NO_ROUTE;
	if (unlikely(state == HOP_UNMANAGED))
		return LB_VERDICT_EGRESS_UNMANAGED;
	if (unlikely(state == HOP_UNRESOLVED || (hook == LB_HOOK_XDP && !xdp_can_send(p, hop->ifindex))))
		return LB_VERDICT_UNRESOLVED;
	return LB_CONTINUE;
}

/* The way to a backend on another node: all its flows have the same, so it is kept with the backend. */
static __always_inline enum lb_verdict hop_to_backend(void *ctx, struct hop *hop, const struct packet *p,
						      struct lb_backend *backend, const struct lb_clock *clock,
						      const enum lb_hook hook, const int family)
{
	enum hop_state state = HOP_READY;

	if (unlikely(!backend_hop_read(hop, backend, current_hop_stamp(clock)))) {
		struct scratch *scratch = scratch_memory();

		if (!scratch)
			return LB_VERDICT_BROKEN_REFERENCE;
		hop_ask(&scratch->fib, p, NULL, backend->addr.word, family);
		state = hop_look_up(ctx, hop, &scratch->fib, clock, hook);
		if (state == HOP_READY)
			backend_hop_write(backend, hop);
	}
	return hop_verdict(p, state, &hop->to, hook);
}

/* The way to a flow's client, kept with its reply entry. */
static __always_inline enum lb_verdict hop_to_client(void *ctx, struct hop *hop, const struct packet *p,
						     struct flow_at *at, const struct flow_view *view,
						     const struct lb_clock *clock, const enum lb_hook hook,
						     const int family)
{
	enum hop_state state = HOP_READY;

	hop->mtu = 0;
	if (unlikely(hop->to.stamp != current_hop_stamp(clock))) {
		struct scratch *scratch = scratch_memory();

		if (!scratch)
			return LB_VERDICT_BROKEN_REFERENCE;
		hop_ask(&scratch->fib, p, view->to.src, view->to.dst, family);
		state = hop_look_up(ctx, hop, &scratch->fib, clock, hook);
		if (state == HOP_READY && hop->to.stamp != LB_HOP_NONE)
			table_store_hop(at, &hop->to, family);
	}
	return hop_verdict(p, state, &hop->to, hook);
}

static __always_inline int exceeds_mtu(void *ctx, const struct packet *p, __u32 mtu, const enum lb_hook hook)
{
	if (likely(!mtu || p->l3_length <= mtu))
		return 0;
	/* Segmentation offload: what is one packet here leaves as several that fit. */
	return hook == LB_HOOK_XDP || ((struct __sk_buff *)ctx)->gso_segs <= 1;
}

#endif
