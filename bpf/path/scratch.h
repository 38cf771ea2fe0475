/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_SCRATCH_H
#define LB_BPF_PATH_SCRATCH_H

#include "flow/flow.h"
#include "packet/forward.h"
#include "service/lookup.h"
#include "packet/packet.h"
#include "packet/answer.h"

/*
 * Leaving something for later: the hit path has a small frame and few registers to lose, and all frames of a call chain
 * share 512 bytes of stack, so what is rare leaves its findings in per-CPU memory (struct scratch), returns one of
 * enum deferred, and is done by another function afterwards.
 */

struct scratch {
	struct flow_work work; /* first, see flow_work() */
	struct packet p;
	struct flow_view view;
	struct flow_at at;
	__u32 verdict;
	struct tuple opposite; /* of the packet that an ICMP error quotes */
	struct tuple quoted;
	struct hop hop;
	struct bpf_fib_lookup fib;
	struct lb_fragment_key fragment;
	union answer_work answer;
};
_Static_assert(sizeof(struct scratch) <= sizeof(struct lb_scratch), "raise LB_SCRATCH_WORDS");

enum deferred {
	DEFER_BEGIN = LB_CONTINUE + 1, /* scratch: p */
	DEFER_BEGIN_ANEW,	       /* scratch: p, view of the flow that is over */
	DEFER_ICMP,		       /* scratch: p */
	DEFER_REFUSE,		       /* scratch: p, verdict if the address is owned */
	DEFER_ANSWER,		       /* scratch: p, verdict, hop.mtu */
};

/* What a family's function returns: a verdict or deferred, the action of a SEND verdict, and whether the flow is to be
 * refreshed. */
#define RESULT_VERDICT 0xff
#define RESULT_ACTION_SHIFT 8
#define RESULT_REFRESH 0x10000 /* scratch: p, view, at */

static __always_inline struct scratch *scratch_memory(void)
{
	const __u32 zero = 0;

	return bpf_map_lookup_elem(&lb_scratch, &zero);
}

static __always_inline enum lb_verdict defer(const struct packet *p, const enum deferred what)
{
	struct scratch *scratch = scratch_memory();

	if (!scratch)
		return LB_VERDICT_BROKEN_REFERENCE;
	scratch->p = *p;
	return (enum lb_verdict)what;
}

static __always_inline enum lb_verdict defer_verdict(const struct packet *p, const enum deferred what,
						     enum lb_verdict verdict, __u32 mtu)
{
	struct scratch *scratch = scratch_memory();

	if (!scratch)
		return LB_VERDICT_BROKEN_REFERENCE;
	scratch->p = *p;
	scratch->verdict = verdict;
	scratch->hop.mtu = mtu;
	return (enum lb_verdict)what;
}

static __always_inline enum lb_verdict defer_anew(const struct packet *p, const struct flow_view *view)
{
	struct scratch *scratch = scratch_memory();

	if (!scratch)
		return LB_VERDICT_BROKEN_REFERENCE;
	scratch->p = *p;
	scratch->view = *view;
	return (enum lb_verdict)DEFER_BEGIN_ANEW;
}

/* Once a second, and when the flow's state changes, its entries are told that it lives. Returns RESULT_REFRESH then. */
static __always_inline int observe(const struct packet *p, const struct flow_at *at, struct flow_view *view,
				   const struct lb_clock *clock)
{
	const __u8 state = flow_observed_state(p, view->flags);
	struct scratch *scratch;

	if (likely(view->touched == (__u8)clock->now && !(state & ~view->state)))
		return 0;
	scratch = scratch_memory();
	if (!scratch)
		return 0;
	view->state |= state;
	scratch->p = *p;
	scratch->view = *view;
	scratch->at = *at;
	return RESULT_REFRESH;
}

/* An owned address may be refused or dropped; one that only shares a filter bucket with an owned one goes on untouched.
 */
static __always_inline enum lb_verdict refuse(const struct packet *p, enum lb_verdict verdict, const int family)
{
	if (!(p->classes & LB_CLASS_VIP) || !(lookup_address(p, family) & LB_ADDRESS_VIP))
		return LB_VERDICT_NOT_OURS;
	return verdict;
}

#endif
