/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_SERVICE_SELECT_H
#define LB_BPF_SERVICE_SELECT_H

#include "tuple.h"

static __always_inline int member_slot(__u32 *slot, __u32 index)
{
	const __u32 chunk_index = index >> LB_MEMBER_CHUNK_SHIFT;
	struct lb_member_chunk *chunk = bpf_map_lookup_elem(&lb_members, &chunk_index);

	if (!chunk)
		return 0;
	*slot = chunk->slot[index & (LB_MEMBER_CHUNK_SLOTS - 1)];
	return 1;
}

/* The number that a tuple's backend is chosen by: equal on all nodes that are to choose alike. */
static __always_inline __u32 select_hash(const struct tuple *tuple, const int family)
{
	return lb_select_hash(lb_config.select_seed, tuple->src, tuple->dst, words_of(family), tuple->sport,
			      tuple->dport, tuple->proto);
}

/* The backend that a service's ring has under this hash; NULL where the maps contradict each other. */
static __always_inline struct lb_backend *select_backend(__u32 *slot, const struct lb_service *service, __u32 hash)
{
	const __u32 ring_slot = service->ring_offset + (hash & (service->ring_slots - 1));
	const __u32 chunk_index = ring_slot >> LB_RING_CHUNK_SHIFT;
	struct lb_ring_chunk *chunk = bpf_map_lookup_elem(&lb_rings, &chunk_index);
	struct lb_backend *backend;
	__u32 member;

	if (!chunk)
		return NULL;
	member = chunk->member[ring_slot & (LB_RING_CHUNK_SLOTS - 1)];
	if (member >= service->member_count || !member_slot(slot, service->member_offset + member))
		return NULL;
	backend = bpf_map_lookup_elem(&lb_backends, slot);
	return backend && READ_ONCE(backend->generation) ? backend : NULL;
}

#endif
