/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_FLOW_SWEEP_H
#define LB_BPF_FLOW_SWEEP_H

#include <linux/pkt_cls.h>

#include "flow/flow.h"
#include "tuple.h"

/* Frees what has expired in a range of sets. maps/sweep.h says how it is asked for and why it is a program. */

/* A flow whose backend has left is kept only as long as a closed one: until then its client is told when it speaks. */
static __always_inline int is_over(const struct flow_view *view, const struct lb_clock *clock)
{
	const __u8 timeout = view->timeout & (LB_TIMEOUT_COUNT - 1);
	const __s32 remaining = entry_remaining(clock, view->expires);
	const __u32 lifetime = clock->timeout[timeout], slot = view->backend;
	struct lb_backend *backend;

	if (remaining < 0)
		return 1;
	backend = bpf_map_lookup_elem(&lb_backends, &slot);
	if (backend && backend->generation == view->generation)
		return 0;
	return (__s32)lifetime - remaining > (__s32)clock->timeout[LB_TIMEOUT_TCP_CLOSED];
}

static __always_inline void entry_copy(struct flow_copy *copy, struct lb_flow *entry, const int family)
{
	entry_key(&copy->key, entry, family);
	entry_read(&copy->view, entry, entry->proto, family);
}

enum sweep_by {
	SWEEP_LATER, /* the other entry lives, because this one missed what it was told */
	SWEEP_DONE,
	SWEEP_ALONE,
};

/*
 * What the other entry of an expired one has to say. A flow ends by its forward entry, so that its port is never
 * without an entry that owns it: what fails on the way leaves a reply entry, for a later pass.
 */
static __always_inline enum sweep_by sweep_by_pair(struct flow_work *work, const struct lb_clock *clock,
						   const int family)
{
	const struct flow_copy *flow = &work->swept;
	struct flow_view *pair = &work->pair_view;
	enum table_found found;

	tuple_reverse(&work->pair_key, &flow->view.to, family);
	found = lb_table_find(pair, &work->pair_at, &work->pair_key, family);
	if (found == TABLE_MISSING || (found == TABLE_FOUND && !flow_undoes(pair, &flow->key, family)))
		return SWEEP_ALONE;
	if (found == TABLE_BUSY || !is_over(pair, clock))
		return SWEEP_LATER;
	if (!(flow->view.flags & LB_FLOW_REPLY))
		return SWEEP_ALONE;
	if (!table_free(&work->pair_at, family))
		return SWEEP_LATER;
	lb_flow_end(work, &work->pair_key, pair, FLOW_END_OUT, family);
	return SWEEP_DONE;
}

/* Returns whether the entry was freed by this call. */
static __always_inline int sweep_entry(struct flow_work *work, struct lb_flow *entry, const int family)
{
	struct flow_copy *flow = &work->swept;
	const __u32 seq = READ_ONCE(entry->seq);
	struct lb_clock *clock = clock_words();
	enum sweep_by by;

	smp_barrier();
	entry_copy(flow, entry, family);
	if (!clock || !is_over(&flow->view, clock))
		return 0;
	by = sweep_by_pair(work, clock, family);
	if (by != SWEEP_ALONE)
		return by == SWEEP_DONE;
	/* Fails where the entry changed meanwhile: then it lives, or another pass finds it. */
	if (!entry_free(entry, seq))
		return 0;
	if (!(flow->view.flags & LB_FLOW_REPLY))
		lb_flow_end(work, &flow->key, &flow->view, FLOW_END_OUT, family);
	else if (flow->view.flags & LB_FLOW_SNAT)
		port_release(port_pool(flow->key.src, flow->key.sport, flow->key.proto, family), flow->key.dport);
	return 1;
}

#define SWEPT_FREED_SHIFT 8

/* Live entries left, and above them how many were freed. */
static __always_inline int sweep_set(__u32 index, const int family)
{
	struct flow_work *work = flow_work(SCRATCH_SWEEP);
	void *set = table_set(index, family);
	int live = 0, freed = 0;

	if (!set || !work)
		return 0;
	ROLLED
	for (__u32 way = 0; way < LB_FLOW_WAYS; way++) {
		struct lb_flow *entry = set_way(set, way, family);

		if (!READ_ONCE(entry->proto))
			continue;
		if (sweep_entry(work, entry, family))
			freed++;
		else
			live++;
	}
	return live | freed << SWEPT_FREED_SHIFT;
}

/* Global, for the same reason as the functions of table.bpf.c. */
int lb_sweep_set(__u32 index, int family);

static __always_inline int sweep(struct __sk_buff *ctx)
{
	struct lb_sweep *request = (void *)(long)ctx->data + LB_SWEEP_OFFSET;
	struct lb_clock *clock = clock_words();
	__u32 live = 0, freed = 0;

	if (!clock || (void *)(request + 1) > (void *)(long)ctx->data_end)
		return TC_ACT_SHOT;
	ROLLED
	for (__u32 i = 0; i < LB_SWEEP_SETS; i++) {
		const int swept = lb_sweep_set(request->first_set + i, request->family);

		live += swept & ((1 << SWEPT_FREED_SHIFT) - 1);
		freed += swept >> SWEPT_FREED_SHIFT;
	}
	request->live = live;
	request->freed = freed;
	request->now = clock_ticks(clock);
	return TC_ACT_OK;
}

#endif
