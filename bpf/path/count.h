/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_COUNT_H
#define LB_BPF_PATH_COUNT_H

#include "hook.h"

static __always_inline void count_verdict(const struct hook hook, enum lb_verdict verdict)
{
	__u32 index = lb_verdict_index(hook.counters, verdict);
	__u64 *packets = bpf_map_lookup_elem(&lb_verdicts, &index);

	if (packets)
		*packets += 1;
}

/* reply is 0 for client to backend and 1 for backend to client. */
static __always_inline void count_backend(__u32 slot, int reply, __u32 bytes)
{
	struct lb_backend_stats *stats = bpf_map_lookup_elem(&lb_backend_stats, &slot);

	if (!stats)
		return;
	stats->packets[reply & 1] += 1;
	stats->bytes[reply & 1] += bytes;
}

static __always_inline void count_flow(__u32 slot)
{
	struct lb_backend_stats *stats = bpf_map_lookup_elem(&lb_backend_stats, &slot);

	if (stats)
		stats->flows += 1;
}

#endif
