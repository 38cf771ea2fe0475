/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_ICMP_H
#define LB_BPF_PATH_ICMP_H

#include "packet/answer.h"
#include "packet/icmp_store.h"
#include "path/hop.h"
#include "path/refuse.h"
#include "path/scratch.h"

/* ICMP: errors go to the side of their flow that must hear them, and addresses that services own answer a ping. */

/* The error's new addresses, from the entry that an answer to the quoted packet would find. */
static __always_inline int relay_error(const struct run run, struct scratch *scratch, const __u8 hops)
{
	const struct path *path = &scratch->path;
	const int from_us = path->view.flags & (LB_FLOW_REPLY | LB_FLOW_SNAT);
	const struct icmp_relayed relayed = {
		.src = from_us ? path->view.to.src : path->p.tuple.src,
		.dst = path->view.to.dst,
		.opposite = &scratch->opposite,
		.quoted = &scratch->quoted,
	};

	tuple_reverse(&scratch->quoted, &path->view.to, run.family);
	if (is_egress(run))
		return icmp_store_error(run, &path->p, &relayed);
	return icmp_rewrite_error(run, &path->p, &relayed, hops);
}

/* Finds the flow that an ICMP error is about: path.view. What local backends' clients send never leaves this node as it
 * was quoted to, so only tc egress sees errors about it. */
static __always_inline int flow_of_error(const struct run run, struct scratch *scratch)
{
	struct path *path = &scratch->path;

	if (!icmp_read_quoted(run, &scratch->opposite, &path->p))
		return 0;
	return lb_table_find(&path->view, &path->at, &scratch->opposite, run.family) == TABLE_FOUND &&
	       is_egress(run) == flow_is_local_reply(&path->view);
}

static __always_inline enum lb_verdict relay_remote(const struct run run, struct scratch *scratch)
{
	struct path *path = &scratch->path;
	const enum hop_state state = hop_from_fib(run, path, path->view.to.src, path->view.to.dst);
	const enum lb_verdict verdict = hop_verdict(run, path, state);

	if (verdict != LB_CONTINUE)
		return verdict;
	if (path->p.ttl <= 1)
		return LB_VERDICT_NO_FLOW;
	if (!relay_error(run, scratch, 1) || !send(run, &path->p, &path->hop.to))
		return LB_VERDICT_MALFORMED;
	return LB_VERDICT_ICMP_REMOTE;
}

static __always_inline enum lb_verdict relay_ingress(const struct run run, struct scratch *scratch)
{
	if (!flow_of_error(run, scratch))
		return refuse(&scratch->path.p, LB_VERDICT_NO_FLOW, run.family);
	if (!(scratch->path.view.flags & LB_FLOW_LOCAL))
		return relay_remote(run, scratch);
	return relay_error(run, scratch, 0) ? LB_VERDICT_ICMP_LOCAL : LB_VERDICT_MALFORMED;
}

static __always_inline enum lb_verdict answer_echo(const struct run run, struct packet *p)
{
	const enum lb_verdict source = lb_source(run.family);

	if (source != LB_CONTINUE)
		return source;
	if (!answer_allowed())
		return LB_VERDICT_RATE_LIMITED;
	if (!icmp_answer_echo(run, p))
		return LB_VERDICT_MALFORMED;
	p->action = is_xdp(run) ? (int)XDP_TX : bpf_redirect(p->ifindex, 0);
	return LB_VERDICT_ANSWER_ECHO;
}

static __always_inline enum lb_verdict icmp_ingress(const struct run run)
{
	struct scratch *scratch = scratch_memory();
	struct packet *p;

	if (!scratch)
		return LB_VERDICT_BROKEN_REFERENCE;
	p = &scratch->path.p;
	if (icmp_is_error(p, run.family))
		return relay_ingress(run, scratch);
	if (icmp_is_link_local(p, run.family) || refuse(p, LB_CONTINUE, run.family) != LB_CONTINUE)
		return LB_VERDICT_NOT_OURS;
	if (!icmp_is_echo(p, run.family))
		return LB_VERDICT_NO_FLOW;
	return answer_echo(run, p);
}

/* An error that a backend on this node, or this node for it, sends to the client. */
static __always_inline enum lb_verdict icmp_egress(const struct run run)
{
	struct scratch *scratch = scratch_memory();

	if (!scratch)
		return LB_VERDICT_BROKEN_REFERENCE;
	if (!icmp_is_error(&scratch->path.p, run.family) || !flow_of_error(run, scratch))
		return LB_VERDICT_NOT_OURS;
	return relay_error(run, scratch, 0) ? LB_VERDICT_ICMP_LOCAL : LB_VERDICT_MALFORMED;
}

#endif
