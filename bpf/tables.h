/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_TABLES_H
#define LB_BPF_TABLES_H

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../maps/abi.h"
#include "compiler.h"

/*
 * The maps and the configuration, as every program sees them. maps/README.md says who writes and reads what; sizes
 * given as 1 are set by the loader. tables.bpf.c defines them, everyone else refers to them, and the linker makes one
 * object.
 */
#ifdef LB_DEFINE_TABLES
#define LB_TABLE
#define LB_TABLE_END SEC(".maps")
#else
#define LB_TABLE extern
#define LB_TABLE_END SEC(".maps")
#endif

#define LB_MAP(map_type, key_type, value_type, entries, flags, name) \
	LB_TABLE struct {                                            \
		__uint(type, map_type);                              \
		__type(key, key_type);                               \
		__type(value, value_type);                           \
		__uint(max_entries, entries);                        \
		__uint(map_flags, flags);                            \
	} name LB_TABLE_END

LB_MAP(BPF_MAP_TYPE_HASH, struct lb_service_key, struct lb_service, 1, 0, lb_services);
LB_MAP(BPF_MAP_TYPE_HASH, struct lb_address_key, __u32, 1, 0, lb_addresses);
LB_MAP(BPF_MAP_TYPE_HASH, __u32, struct lb_service_name, 1, BPF_F_NO_PREALLOC, lb_service_names);
LB_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct lb_backend, 1, BPF_F_MMAPABLE, lb_backends);
LB_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct lb_source, LB_SOURCES, BPF_F_MMAPABLE, lb_sources);
LB_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct lb_backend_stats, 1, 0, lb_backend_stats);
LB_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct lb_ring_chunk, 1, BPF_F_MMAPABLE, lb_rings);
LB_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct lb_member_chunk, 1, BPF_F_MMAPABLE, lb_members);
LB_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct lb_filter, 1, BPF_F_MMAPABLE, lb_filter);
LB_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct lb_flow4_set, 1, BPF_F_MMAPABLE, lb_flow4);
LB_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct lb_flow6_set, 1, BPF_F_MMAPABLE, lb_flow6);
LB_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct lb_flow_gates, 1, 0, lb_flow_gates);
LB_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct lb_snat_pool, LB_SNAT_POOLS, BPF_F_MMAPABLE, lb_snat_pools);
LB_MAP(BPF_MAP_TYPE_LRU_HASH, struct lb_fragment_key, struct lb_fragment, 4096, 0, lb_fragments);
LB_MAP(BPF_MAP_TYPE_HASH, __u32, struct lb_device, 64, 0, lb_devices);
LB_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct lb_frames, 1, BPF_F_MMAPABLE, lb_frames);
LB_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct lb_clock, 1, BPF_F_MMAPABLE, lb_clock);
LB_MAP(BPF_MAP_TYPE_ARRAY, __u32, struct lb_constants, 1, 0, lb_constants);
LB_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, LB_VERDICT_COUNTERS, 0, lb_verdicts);
LB_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct lb_answer_budget, 1, 0, lb_answer_budget);
LB_MAP(BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct lb_scratch, 2, 0, lb_scratch);

/* lb_handover_until: the end of the time, by the monotonic clock, in which flows may still be in maps of another
 * layout; lbd writes it. 0 when there are none.
 * lb_unmanaged_device: the last device that a way out led by although lbd is not on it; lbd takes it away. */
#ifdef LB_DEFINE_TABLES
const volatile struct lb_config lb_config = {};
__u64 lb_handover_until = 0;
__u32 lb_unmanaged_device = 0;
#else
extern const volatile struct lb_config lb_config;
extern __u64 lb_handover_until;
extern __u32 lb_unmanaged_device;
#endif

static __always_inline struct lb_clock *clock_words(void)
{
	const __u32 zero = 0;

	return bpf_map_lookup_elem(&lb_clock, &zero);
}

static __always_inline __u32 clock_ticks(const struct lb_clock *clock)
{
	return lb_ticks(clock, bpf_jiffies64());
}

#endif
