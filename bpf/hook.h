/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_HOOK_H
#define LB_BPF_HOOK_H

#include "tables.h"

/*
 * Where a program is attached, by what decides what it does there. A hook that differs in something else, such as the
 * role of its device, gets a field for it.
 *
 * What a function is called for stands in struct run, whose hook and family are constants: such functions are inlined
 * into a program where they are known, so one source serves all hooks and both families and the branches on them cost
 * nothing.
 */

enum program_type {
	PROGRAM_XDP,
	PROGRAM_TC,
};

enum direction {
	INGRESS, /* into this node */
	EGRESS,
};

struct hook {
	enum program_type type;
	enum direction direction;
	enum lb_hook counters; /* which part of lb_verdicts it counts in */
};

#define XDP_INGRESS ((struct hook){PROGRAM_XDP, INGRESS, LB_HOOK_XDP})
#define TC_INGRESS ((struct hook){PROGRAM_TC, INGRESS, LB_HOOK_TC_INGRESS})
#define TC_EGRESS ((struct hook){PROGRAM_TC, EGRESS, LB_HOOK_TC_EGRESS})

/* One packet's run of a program, as far as its code is made for it. */
struct run {
	void *ctx;
	struct hook hook;
	int family; /* 0 until it is known */
};

static __always_inline int is_xdp(const struct run run)
{
	return run.hook.type == PROGRAM_XDP;
}

static __always_inline int is_egress(const struct run run)
{
	return run.hook.direction == EGRESS;
}

#endif
