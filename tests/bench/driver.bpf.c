// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_helpers.h>

#include "driver.h"

/*
 * Runs a loaded XDP program over packets of our choice: BPF_PROG_TEST_RUN repeats this driver, which writes the next
 * packet into the buffer and tail-calls the program. What the driver costs by itself is measured with an empty program
 * and subtracted.
 */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct bench_plan);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
} plan SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct bench_tuple);
	__uint(max_entries, BENCH_TUPLES);
	__uint(map_flags, BPF_F_MMAPABLE);
} tuples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 1);
} target SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u64);
	__type(value, __u64);
	__uint(max_entries, 131072);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, __u64);
	__type(value, __u64);
	__uint(max_entries, 131072);
} lru SEC(".maps");

static __always_inline void put_tuple(void *l3, void *end, const struct bench_plan *p, const struct bench_tuple *t)
{
	__be16 *ports;

	if (p->family == 2) {
		struct iphdr *ip = l3;

		ports = (void *)(ip + 1);
		if ((void *)(ports + 2) > end)
			return;
		ip->saddr = t->src[0];
		ip->daddr = t->dst[0];
	} else {
		struct ipv6hdr *ip6 = l3;

		ports = (void *)(ip6 + 1);
		if ((void *)(ports + 2) > end)
			return;
		__builtin_memcpy(&ip6->saddr, t->src, 16);
		__builtin_memcpy(&ip6->daddr, t->dst, 16);
	}
	ports[0] = t->sport;
	ports[1] = t->dport;
}

SEC("xdp")
int bench_driver(struct xdp_md *ctx)
{
	const __u32 zero = 0;
	struct bench_plan *p = bpf_map_lookup_elem(&plan, &zero);
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct bench_tuple *t;
	__u32 turn;

	if (!p || data + BENCH_TEMPLATE > end)
		return XDP_ABORTED;
#pragma unroll
	for (int i = 0; i < (int)BENCH_TEMPLATE / 8; i++)
		((__u64 *)data)[i] = ((__u64 *)p->frame)[i];
	if (p->tuples) {
		turn = p->next++;
		if (p->next >= p->tuples)
			p->next = 0;
		t = bpf_map_lookup_elem(&tuples, &turn);
		if (t)
			put_tuple(data + sizeof(struct ethhdr), end, p, t);
	} else if (p->fresh) {
		/* The last word of the source address and the source port. */
		__u32 at = sizeof(struct ethhdr) + (p->family == 2 ? 12 : 20), port = p->family == 2 ? 34 : 54;

		/* An odd factor: all 2^32 sources come up before one comes again. */
		turn = p->sources++ * 2654435761u;
		*(__u32 *)(data + (at & 63)) = turn;
		*(__u16 *)(data + (port & 63)) = (__u16)(turn >> 16 | 1024);
	}
	bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int bench_empty(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp")
int bench_hash(struct xdp_md *ctx)
{
	__u64 key = 1, *value = bpf_map_lookup_elem(&hash, &key);

	return value ? XDP_PASS : XDP_DROP;
}

/* One lookup for each packet's tuple, hot or as cold as the plan makes it. */
static __always_inline __u64 tuple_key(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + 40 > end)
		return 0;
	return *(__u32 *)(data + 26) | (__u64) * (__u32 *)(data + 34) << 32;
}

SEC("xdp")
int bench_lru(struct xdp_md *ctx)
{
	__u64 key = tuple_key(ctx), *value = bpf_map_lookup_elem(&lru, &key);

	return value ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
