/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_CLOCK_H
#define LB_MAPS_CLOCK_H

#include "base.h"
#include "flow.h"

/*
 * Value of lb_clock (one element, mapped by the daemon): the words that the daemon changes while the programs run. Each
 * is a single aligned word, so there is nothing to lock.
 *
 * Time is the kernel's, in ticks, so flows expire and ports come back whether a daemon runs or not.
 */
#define LB_CLOCK_LAYOUT 2
struct lb_clock {
	__u32 now;	   /* tick when the daemon last looked: for other builds, which convert expires by it, and
			      for lists where the programs cannot be asked */
	__u32 route_epoch; /* raised at any change of links, addresses, routes, neighbours: cached hops are looked up
			      again */
	__u32 offset;	   /* ticks added to the kernel's: less makes all flows younger, more older */
	__u32 jiffies_per_second;
	__u32 renew_below[LB_TIMEOUT_COUNT]; /* ticks: an entry that has less left of its life is told of a packet */
	__u32 timeout[LB_TIMEOUT_COUNT];     /* ticks */
	__u32 answer_rate;     /* answers (RST, ICMP errors) a CPU may make in one window of 2^LB_ANSWER_WINDOW_SHIFT
				  jiffies */
	__u32 next_generation; /* userspace only: generations are never repeated while a flow may remember one */
};
LB_ASSERT_SIZE(struct lb_clock, 88);

/* A tick is 2^2 jiffies: 4 ms at 1000 jiffies a second, 40 ms at 100. Differences of up to 2^30 count: 49 days. */
#define LB_TICK_SHIFT 2u
#define LB_TICKS_MAX (1u << 30)

static inline __attribute__((always_inline)) __u32 lb_ticks(const struct lb_clock *clock, __u64 jiffies)
{
	return (__u32)(jiffies >> LB_TICK_SHIFT) + clock->offset;
}

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
