/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_ICMP_H
#define LB_BPF_PATH_ICMP_H

#include "path/scratch.h"
#include "path/deliver.h"
#include "flow/flow.h"
#include "packet/forward.h"
#include "packet/icmp.h"
#include "packet/packet.h"

/* ICMP: errors go to the side of their flow that must hear them, and addresses that services own answer a ping. */

/* The error's new addresses, from the entry that an answer to the quoted packet would find. */
static __always_inline int relay_error(void *ctx, struct scratch *scratch, const __u8 hops, const enum lb_hook hook,
				       const int family)
{
	const struct flow_view *view = &scratch->view;
	const int from_us = view->flags & (LB_FLOW_REPLY | LB_FLOW_SNAT);

	tuple_reverse(&scratch->quoted, &view->to, family);
	return icmp_rewrite_error(ctx, &scratch->p, from_us ? view->to.src : scratch->p.tuple.src, view->to.dst,
				  &scratch->opposite, &scratch->quoted, hops, hook, family);
}

/* Finds the flow that an ICMP error is about: scratch->view. What local backends' clients send never leaves this node
 * as it was quoted to, so only tc egress sees errors about it. */
static __always_inline int flow_of_error(void *ctx, struct scratch *scratch, const enum lb_hook hook, const int family)
{
	if (!icmp_read_quoted(ctx, &scratch->opposite, &scratch->p, hook, family))
		return 0;
	return lb_table_find(&scratch->view, &scratch->at, &scratch->opposite, family) == TABLE_FOUND &&
	       (hook == LB_HOOK_TC_EGRESS) == flow_is_local_reply(&scratch->view);
}

static __always_inline enum lb_verdict relay_remote(void *ctx, struct scratch *scratch, const struct lb_clock *clock,
						    const enum lb_hook hook, const int family)
{
	const struct flow_view *view = &scratch->view;
	struct packet *p = &scratch->p;
	enum lb_verdict verdict;
	enum hop_state state;

	hop_ask(&scratch->fib, p, view->to.src, view->to.dst, family);
	state = hop_look_up(ctx, &scratch->hop, &scratch->fib, clock, hook);
	verdict = hop_verdict(p, state, &scratch->hop.to, hook);
	if (verdict != LB_CONTINUE)
		return verdict;
	if (p->ttl <= 1)
		return LB_VERDICT_NO_FLOW;
	if (!relay_error(ctx, scratch, 1, hook, family) || !send(ctx, p, &scratch->hop.to, hook))
		return LB_VERDICT_MALFORMED;
	return LB_VERDICT_ICMP_REMOTE;
}

static __always_inline enum lb_verdict icmp_arrives(void *ctx, const enum lb_hook hook, const int family)
{
	struct scratch *scratch = scratch_memory();
	struct lb_clock *clock = clock_words();
	struct packet *p;

	if (!scratch || !clock)
		return LB_VERDICT_BROKEN_REFERENCE;
	p = &scratch->p;
	if (icmp_is_error(p, family)) {
		if (!flow_of_error(ctx, scratch, hook, family))
			return refuse(p, LB_VERDICT_NO_FLOW, family);
		if (!(scratch->view.flags & LB_FLOW_LOCAL))
			return relay_remote(ctx, scratch, clock, hook, family);
		return relay_error(ctx, scratch, 0, hook, family) ? LB_VERDICT_ICMP_LOCAL : LB_VERDICT_MALFORMED;
	}
	if (icmp_is_link_local(p, family) || refuse(p, LB_CONTINUE, family) != LB_CONTINUE)
		return LB_VERDICT_NOT_OURS;
	if (!icmp_is_echo(p, family))
		return LB_VERDICT_NO_FLOW;
	if (!icmp_answer_echo(ctx, p, hook, family))
		return LB_VERDICT_MALFORMED;
	p->action = hook == LB_HOOK_XDP ? (int)XDP_TX : bpf_redirect(p->ifindex, 0);
	return LB_VERDICT_ANSWER_ECHO;
}

/* An error that a backend on this node, or this node for it, sends to the client. */
static __always_inline enum lb_verdict icmp_leaves(void *ctx, const int family)
{
	struct scratch *scratch = scratch_memory();

	if (!scratch)
		return LB_VERDICT_BROKEN_REFERENCE;
	if (!icmp_is_error(&scratch->p, family) || !flow_of_error(ctx, scratch, LB_HOOK_TC_EGRESS, family))
		return LB_VERDICT_NOT_OURS;
	return relay_error(ctx, scratch, 0, LB_HOOK_TC_EGRESS, family) ? LB_VERDICT_ICMP_LOCAL : LB_VERDICT_MALFORMED;
}

#endif
