/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_CLOCK_H
#define LB_MAPS_CLOCK_H

#include "base.h"
#include "flow.h"

/*
 * Value of lb_clock (one element, mapped by the daemon): the words that the daemon changes while the programs run. Each
 * is a single aligned word, so there is nothing to lock.
 *
 * now counts seconds that a daemon was alive, and goes on from the pinned value after a restart: while no daemon runs
 * nothing ages, and a flow that was busy all the while is not found idle by the length of the gap.
 */
#define LB_CLOCK_LAYOUT 1
struct lb_clock {
	__u32 now;
	__u32 route_epoch; /* raised at any change of links, addresses, routes, neighbours: cached hops are looked up
			      again */
	__u32 timeout[LB_TIMEOUT_COUNT];
	__u32 answer_rate;     /* answers (RST, ICMP errors) a CPU may make in one window of 2^LB_ANSWER_WINDOW_SHIFT
				  jiffies */
	__u32 next_generation; /* userspace only: generations are never repeated while a flow may remember one */
};
LB_ASSERT_SIZE(struct lb_clock, 48);

#define LB_ANSWER_WINDOW_SHIFT 8u

/* Value of lb_answer_budget, one copy a CPU: answers made in this window. */
struct lb_answer_budget {
	__u32 window;
	__u32 used;
};
LB_ASSERT_SIZE(struct lb_answer_budget, 8);

/* 4 to 40 seconds, as the kernel's HZ has it: how long a hop is believed when no daemon raises route_epoch. */
#define LB_HOP_JIFFIES_SHIFT 12u

/* Both parts only ever grow, so the sum repeats only when neither changed. The top bit keeps it off LB_HOP_NONE and
 * LB_HOP_BUSY. */
static inline __attribute__((always_inline)) __u32 lb_hop_stamp(__u32 route_epoch, __u64 jiffies)
{
	return (route_epoch + (__u32)(jiffies >> LB_HOP_JIFFIES_SHIFT)) | 0x80000000u;
}

#endif
