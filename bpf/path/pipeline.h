/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_PIPELINE_H
#define LB_BPF_PATH_PIPELINE_H

#include "path/rare.h"
#include "path/count.h"
#include "path/scratch.h"
#include "path/deliver.h"
#include "flow/flow.h"
#include "packet/fragment.h"
#include "path/known_flow.h"
#include "service/lookup.h"
#include "service/filter.h"
#include "packet/packet.h"
#include "packet/parse.h"
#include "path/answer.h"

/*
 * The story. A packet arriving at an uplink (XDP or tc ingress) becomes ours when its destination is an address that
 * services own, or one of this node's addresses with a NodePort or a SNAT port. From then on it may be dropped, and
 * every verdict is counted.
 *
 *   arrive -> parse -> ours? -> flow hit ---------------------------------> rewrite -> forward
 *                           \-> service -> select -> make both entries --/
 *
 * A packet leaving (tc egress) is looked at only when its source is a backend on this node, and only to give a reply
 * the service's address again.
 *
 * Functions return a verdict, or LB_CONTINUE, or one of enum deferred, see scratch.h. An object calls a function that
 * does deferred work for one hook only, so the hook is a constant in it too; the family is branched on once.
 */

static __always_inline enum lb_verdict parse_headers(void *ctx, struct packet *p, const enum lb_hook hook,
						     const int family)
{
	enum lb_verdict verdict = family == LB_AF_INET ? parse_ipv4(ctx, p, hook) : parse_ipv6(ctx, p, hook);

	if (verdict != LB_CONTINUE)
		return verdict;
	if (unlikely(p->fragment == FRAGMENT_LATER)) {
		struct scratch *scratch = scratch_memory();

		if (!scratch)
			return LB_VERDICT_BROKEN_REFERENCE;
		scratch->p = *p;
		verdict = recall_fragment(scratch, family);
		p->tuple.sport = scratch->p.tuple.sport;
		p->tuple.dport = scratch->p.tuple.dport;
		return verdict;
	}
	return parse_transport(ctx, p, hook, family);
}

static __always_inline enum lb_verdict arrive_ours(void *ctx, struct packet *p, int *refresh, const enum lb_hook hook,
						   const int family)
{
	enum lb_verdict verdict;

	if (!parse_addresses(ctx, p, hook, family))
		return LB_VERDICT_NOT_IP;
	verdict = parse_headers(ctx, p, hook, family);
	if (unlikely(verdict != LB_CONTINUE))
		return defer_verdict(p, DEFER_REFUSE, verdict, 0);
	if (unlikely(is_icmp(p, family)))
		return defer(p, DEFER_ICMP);
	if (!(p->classes & LB_CLASS_VIP) && !is_snat_port(p->tuple.dport) && !is_nodeport(p->tuple.dport))
		return LB_VERDICT_NOT_OURS;
	return arrive_flow(ctx, p, refresh, hook, family);
}

static __always_inline enum lb_verdict leave_flow(void *ctx, struct packet *p, int *refresh, const int family)
{
	struct lb_clock *clock = clock_words();
	struct flow_view view;
	struct flow_at at;

	if (!clock)
		return LB_VERDICT_BROKEN_REFERENCE;
	keep_in_memory(p);
	keep_in_memory(&view);
	keep_in_memory(&at);
	switch (table_find(&view, NULL, &at, &p->tuple, family)) {
	case TABLE_FOUND:
		break;
	case TABLE_BUSY:
		/* With its own address a reply would make the client reset the connection; lost, it is sent again. */
		return LB_VERDICT_FLOW_BUSY;
	default:
		return LB_VERDICT_NOT_OURS;
	}
	if (!flow_is_local_reply(&view))
		return LB_VERDICT_NOT_OURS;
	*refresh = observe(p, &at, &view, clock);
	if (!apply(ctx, p, &view, 0, LB_HOOK_TC_EGRESS, family))
		return LB_VERDICT_MALFORMED;
	count_backend(view.backend, 1, p->l3_length);
	return LB_VERDICT_LOCAL_REPLY;
}

/* Whatever is not the reply of a flow leaves as it is: this node's own traffic is never ours to refuse. */
static __always_inline enum lb_verdict leave_ours(void *ctx, struct packet *p, int *refresh, const int family)
{
	if (!parse_addresses(ctx, p, LB_HOOK_TC_EGRESS, family))
		return LB_VERDICT_NOT_IP;
	if (parse_headers(ctx, p, LB_HOOK_TC_EGRESS, family) != LB_CONTINUE)
		return LB_VERDICT_NOT_OURS;
	return is_icmp(p, family) ? defer(p, DEFER_ICMP) : leave_flow(ctx, p, refresh, family);
}

static __always_inline int ours(void *ctx, const struct glance *glance, const enum lb_hook hook, const int family)
{
	struct packet p = {
		.ifindex = packet_ifindex(ctx, hook),
		.vlan = glance->vlan,
		.l3_offset = glance->l3_offset,
		.classes = glance->classes,
	};
	enum lb_verdict verdict;
	int refresh = 0;

	if (hook == LB_HOOK_TC_EGRESS)
		verdict = leave_ours(ctx, &p, &refresh, family);
	else
		verdict = arrive_ours(ctx, &p, &refresh, hook, family);
	return verdict | p.action << RESULT_ACTION_SHIFT | refresh;
}

/* A frame for each family, so that one does not pay for the other's variables. */
static OUT_OF_LINE int arrive4(void *ctx, const struct glance *glance, enum lb_hook hook)
{
	return ours(ctx, glance, hook, LB_AF_INET);
}

static OUT_OF_LINE int arrive6(void *ctx, const struct glance *glance, enum lb_hook hook)
{
	return ours(ctx, glance, hook, LB_AF_INET6);
}

static OUT_OF_LINE int leave4(void *ctx, const struct glance *glance)
{
	return ours(ctx, glance, LB_HOOK_TC_EGRESS, LB_AF_INET);
}

static OUT_OF_LINE int leave6(void *ctx, const struct glance *glance)
{
	return ours(ctx, glance, LB_HOOK_TC_EGRESS, LB_AF_INET6);
}

/* From here on, what is rare. */

static __always_inline void refresh(struct scratch *scratch, int family)
{
	lb_flow_refresh(&scratch->at, &scratch->p.tuple, &scratch->view, family);
}

/* Does what an arriving packet's family function left to be done. Returns the verdict. */
static __always_inline enum lb_verdict resume_arrival(void *ctx, struct scratch *scratch, int what,
						      const enum lb_hook hook, int family)
{
	enum lb_verdict verdict;

	switch (what) {
	case DEFER_BEGIN_ANEW:
		lb_flow_end(&scratch->p.tuple, &scratch->view, 0, family);
		verdict = new_flow_out_of_line(ctx, hook, family);
		break;
	case DEFER_BEGIN:
		verdict = new_flow_out_of_line(ctx, hook, family);
		break;
	case DEFER_ICMP:
		return icmp_out_of_line(ctx, hook, family);
	case DEFER_REFUSE:
		return refuse(&scratch->p, scratch->verdict, family);
	default:
		verdict = scratch->verdict;
		break;
	}
	return is_answer(verdict) ? answer_out_of_line(ctx, verdict, hook, family) : verdict;
}

static __always_inline int finish(enum lb_verdict verdict, int action, const enum lb_hook hook)
{
	count_verdict(hook, verdict);
	if (verdict < LB_VERDICT_FIRST_SEND)
		return hook == LB_HOOK_XDP ? (int)XDP_PASS : TC_ACT_UNSPEC;
	if (verdict < LB_VERDICT_FIRST_DROP)
		return action;
	return hook == LB_HOOK_XDP ? (int)XDP_DROP : TC_ACT_SHOT;
}

/* Whether the packet can be ours at all: one read of the filter. Most packets end here. */
static __always_inline void look_at(struct glance *glance, void *ctx, const __u8 wanted, const enum lb_hook hook)
{
	const __be32 *addr;

	parse_ethernet(glance, ctx, hook);
	if (glance->family == LB_AF_INET) {
		addr = parse_owner(ctx, glance, hook, LB_AF_INET);
		if (addr)
			glance->classes = address_classes(addr, LB_AF_INET) & wanted;
	} else if (glance->family == LB_AF_INET6) {
		addr = parse_owner(ctx, glance, hook, LB_AF_INET6);
		if (addr)
			glance->classes = address_classes(addr, LB_AF_INET6) & wanted;
	}
}

/* What becomes of a packet that may be ours, done. *action is for verdicts of kind SEND. */
static __always_inline enum lb_verdict arrive_glanced(void *ctx, const struct glance *glance, int *action,
						      const enum lb_hook hook)
{
	const int family = glance->family;
	const int result = family == LB_AF_INET ? arrive4(ctx, glance, hook) : arrive6(ctx, glance, hook);
	enum lb_verdict verdict = result & RESULT_VERDICT;
	struct scratch *scratch;

	*action = result >> RESULT_ACTION_SHIFT & 0xff;
	if (likely(verdict < LB_CONTINUE && !(result & RESULT_REFRESH)))
		return verdict;
	scratch = scratch_memory();
	if (!scratch)
		return LB_VERDICT_BROKEN_REFERENCE;
	if (result & RESULT_REFRESH) {
		refresh(scratch, family);
		return verdict;
	}
	verdict = resume_arrival(ctx, scratch, verdict, hook, family);
	*action = scratch->p.action;
	return verdict;
}

static __always_inline int arrive(void *ctx, const enum lb_hook hook)
{
	enum lb_verdict verdict;
	struct glance glance = {};
	int action = 0;

	look_at(&glance, ctx, LB_CLASS_VIP | LB_CLASS_NODE, hook);
	if (likely(!glance.classes))
		verdict = glance.family ? LB_VERDICT_NOT_OURS : LB_VERDICT_NOT_IP;
	else
		verdict = arrive_glanced(ctx, &glance, &action, hook);
	return finish(verdict, action, hook);
}

static __always_inline enum lb_verdict leave_glanced(void *ctx, const struct glance *glance)
{
	const int result = glance->family == LB_AF_INET ? leave4(ctx, glance) : leave6(ctx, glance);
	const enum lb_verdict verdict = result & RESULT_VERDICT;
	struct scratch *scratch;

	if (likely(verdict < LB_CONTINUE && !(result & RESULT_REFRESH)))
		return verdict;
	scratch = scratch_memory();
	if (!scratch)
		return LB_VERDICT_BROKEN_REFERENCE;
	if (!(result & RESULT_REFRESH))
		return icmp_out_of_line(ctx, LB_HOOK_TC_EGRESS, glance->family);
	refresh(scratch, glance->family);
	return verdict;
}

static __always_inline int leave(void *ctx)
{
	enum lb_verdict verdict;
	struct glance glance = {};

	look_at(&glance, ctx, LB_CLASS_BACKEND, LB_HOOK_TC_EGRESS);
	if (likely(!glance.classes))
		verdict = glance.family ? LB_VERDICT_NOT_OURS : LB_VERDICT_NOT_IP;
	else
		verdict = leave_glanced(ctx, &glance);
	return finish(verdict, 0, LB_HOOK_TC_EGRESS);
}

#endif
