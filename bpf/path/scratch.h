/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_SCRATCH_H
#define LB_BPF_PATH_SCRATCH_H

#include "flow/flow.h"
#include "packet/answer.h"
#include "packet/forward.h"
#include "packet/packet.h"
#include "path/conntrack.h"

/*
 * Leaving something for later: the path of known flows has a small frame and few registers to lose, and all frames of a
 * call chain share 512 bytes of stack. So what is rare leaves its findings in per-CPU memory (struct scratch) and says
 * in its outcome what is to be done, which another function does afterwards.
 */

/* A packet on its way, and what is known of its flow. */
struct path {
	struct packet p;
	struct flow_view view; /* of the entry that was found, or is to be made */
	struct flow_at at;     /* where it was found */
	struct hop hop;
};

struct scratch {
	struct flow_work work; /* first, see flow_work() */
	struct path path;
	struct tuple opposite; /* of the packet that an ICMP error quotes */
	struct tuple quoted;
	struct bpf_fib_lookup fib;
	struct hop found; /* by the FIB */
	struct lb_fragment_key fragment;
	struct lb_fragment datagram; /* that a fragment is of */
	struct kernel_tuple kernel;
	union answer_work answer;
};
_Static_assert(sizeof(struct scratch) <= sizeof(struct lb_scratch), "raise LB_SCRATCH_WORDS");
_Static_assert(__builtin_offsetof(struct scratch, work) == 0, "flow_work() finds it at the start");

enum deferred {
	DEFER_NOTHING,
	DEFER_NEW_FLOW,	 /* scratch: p */
	DEFER_FLOW_ANEW, /* scratch: p, view of the flow that is over */
	DEFER_ICMP,	 /* scratch: p */
	DEFER_REFUSAL,	 /* scratch: p; the verdict if the address is owned */
	DEFER_ANSWER,	 /* scratch: p, hop.mtu; the verdict if it is answered */
	DEFER_REFRESH,	 /* scratch: p, view, at; the verdict stands */
};

/* What a family's function makes of a packet. Larger than a register, it would be returned in memory in any case. */
struct outcome {
	__u8 verdict;  /* enum lb_verdict */
	__u8 deferred; /* enum deferred: what is left to be done before the verdict is final */
	__u16 pad;
	int action; /* what the program returns when the verdict is one of SEND */
};

static __always_inline struct outcome done(enum lb_verdict verdict)
{
	return (struct outcome){.verdict = verdict};
}

static __always_inline struct scratch *scratch_memory(void)
{
	const __u32 whose = SCRATCH_PACKET;

	return bpf_map_lookup_elem(&lb_scratch, &whose);
}

static __always_inline struct outcome defer(const struct packet *p, const enum deferred what, enum lb_verdict verdict)
{
	struct scratch *scratch = scratch_memory();

	if (!scratch)
		return done(LB_VERDICT_BROKEN_REFERENCE);
	scratch->path.p = *p;
	return (struct outcome){.verdict = verdict, .deferred = what};
}

static __always_inline struct outcome defer_answer(const struct packet *p, enum lb_verdict verdict, __u32 mtu)
{
	struct scratch *scratch = scratch_memory();

	if (!scratch)
		return done(LB_VERDICT_BROKEN_REFERENCE);
	scratch->path.p = *p;
	scratch->path.hop.mtu = mtu;
	return (struct outcome){.verdict = verdict, .deferred = DEFER_ANSWER};
}

static __always_inline struct outcome defer_anew(const struct path *path)
{
	struct scratch *scratch = scratch_memory();

	if (!scratch)
		return done(LB_VERDICT_BROKEN_REFERENCE);
	scratch->path.p = path->p;
	scratch->path.view = path->view;
	return (struct outcome){.deferred = DEFER_FLOW_ANEW};
}

/* The flow's entries are told of a packet that changes its state, and of one now and then that they live. */
static __always_inline enum deferred observe(struct path *path, const struct lb_clock *clock)
{
	const struct flow_view *view = &path->view;
	const __s32 renew_below = clock->renew_below[view->timeout & (LB_TIMEOUT_COUNT - 1)];
	struct scratch *scratch;

	if (likely(lb_flow_is_settled(view->state, view->flags & LB_FLOW_REPLY, path->p.tcp_flags) &&
		   entry_remaining(clock, view->expires) >= renew_below))
		return DEFER_NOTHING;
	scratch = scratch_memory();
	if (!scratch)
		return DEFER_NOTHING;
	scratch->path.p = path->p;
	scratch->path.view = path->view;
	scratch->path.at = path->at;
	return DEFER_REFRESH;
}

#endif
