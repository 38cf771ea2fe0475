/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_SWEEP_H
#define LB_MAPS_SWEEP_H

#include "base.h"

/*
 * The sweeper frees expired flows and their SNAT ports. It is a BPF program, so that it holds the table's locks with
 * the kernel's guarantees rather than a daemon's, which may be killed at any instruction. The daemon runs it by
 * BPF_PROG_TEST_RUN with this request after a dummy Ethernet header and gets it back, filled in.
 */
#define LB_SWEEP_SETS 64u /* sets a run: short enough for a softirq */
#define LB_SWEEP_OFFSET 16u

struct lb_sweep {
	__u32 family;
	__u32 first_set;
	__u32 live;  /* out: entries left in these sets */
	__u32 freed; /* out: entries removed, pairs included */
	__u32 now;   /* out: the programs' tick */
};
LB_ASSERT_SIZE(struct lb_sweep, 20);

#endif
