// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "storm.h"

/*
 * Drives a loaded XDP program as fast as a CPU can: BPF_PROG_TEST_RUN repeats this driver, which finds the packet as
 * the program left it, judges it, writes the next one over it and tail-calls the program. Packets are some hundred
 * nanoseconds apart, so that several CPUs at the same few flows do meet.
 */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct storm_plan);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
} plan SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct storm_known);
	__uint(max_entries, STORM_FLOWS);
	__uint(map_flags, BPF_F_MMAPABLE);
} known SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 1);
} target SEC(".maps");

/* The part of the frame that programs rewrite, and the note. */
struct storm_frame {
	struct ethhdr eth;
	struct iphdr ip;
	__be16 sport;
	__be16 dport;
	__u8 rest[STORM_NOTE - 38];
	struct storm_note note;
} __attribute__((packed));
_Static_assert(sizeof(struct storm_frame) == STORM_FRAME, "the note ends the frame");

static __always_inline void complain(struct storm_plan *p, __u64 *counter, const struct storm_frame *f)
{
	if (__sync_fetch_and_add(counter, 1))
		return;
	p->example[0] = f->note.flow | (__u64)f->note.reply << 32;
	p->example[1] = f->ip.saddr;
	p->example[2] = f->ip.daddr;
	p->example[3] = bpf_ntohs(f->sport) | (__u64)bpf_ntohs(f->dport) << 16;
}

static __always_inline void judge_request(struct storm_plan *p, struct storm_known *k, const struct storm_frame *f,
					  __u32 flow)
{
	const __u32 index = (bpf_ntohl(f->ip.daddr) - bpf_ntohl(p->backend));
	__u64 way = (__u64)f->ip.daddr << 32 | (__u32)f->dport << 16, before;

	if (f->ip.saddr == p->client && f->ip.daddr == p->vip) {
		__sync_fetch_and_add(&p->kept, 1);
		return;
	}
	if (f->ip.saddr != p->node || index >= STORM_BACKENDS || bpf_ntohs(f->dport) != STORM_BACKEND_PORT + index) {
		complain(p, &p->astray, f);
		return;
	}
	if (flow < STORM_STEADY)
		way |= f->sport;
	before = __sync_val_compare_and_swap(&k->way, 0, way);
	if (before && before != way)
		complain(p, &p->moved, f);
	__sync_fetch_and_add(&p->rewritten, 1);
}

static __always_inline void judge_reply(struct storm_plan *p, const struct storm_frame *f, __u32 flow)
{
	if (f->ip.daddr == p->node) {
		__sync_fetch_and_add(&p->kept, 1);
		return;
	}
	if (f->ip.saddr != p->vip || f->sport != p->tcp_port || f->ip.daddr != p->client ||
	    bpf_ntohs(f->dport) != STORM_CLIENT_PORT + flow)
		complain(p, &p->astray, f);
	__sync_fetch_and_add(&p->rewritten, 1);
}

/* A few passing flows at a time, the same for all CPUs, and then the next few: the others have time to end. */
static __always_inline __u32 choose_flow(__u32 seed)
{
	if (seed & 0x10000)
		return (seed >> 20) % STORM_STEADY;
	return STORM_STEADY + ((seed >> 20 & 3) + (__u32)(bpf_ktime_get_ns() >> 22) * 4) % STORM_PASSING;
}

static __always_inline void write_next(struct storm_plan *p, struct storm_frame *f, __u64 way, __u32 flow, __u32 seed)
{
	const int reply = flow < STORM_STEADY && way && seed & 0x20000;

#pragma unroll
	for (int i = 0; i < (int)STORM_NOTE / 8; i++)
		((__u64 *)f)[i] = ((__u64 *)p->frame)[i];
	f->ip.protocol = flow < STORM_STEADY ? 6 : 17;
	if (reply) {
		f->ip.saddr = way >> 32;
		f->ip.daddr = p->node;
		f->sport = (__be16)(way >> 16);
		f->dport = (__be16)way;
	} else {
		f->ip.saddr = p->client;
		f->ip.daddr = p->vip;
		f->sport = bpf_htons(STORM_CLIENT_PORT + flow);
		f->dport = flow < STORM_STEADY ? p->tcp_port : p->udp_port;
	}
	f->note.flow = flow + 1;
	f->note.reply = reply;
	f->note.seed = seed;
}

SEC("xdp")
int storm(struct xdp_md *ctx)
{
	const __u32 zero = 0;
	struct storm_plan *p = bpf_map_lookup_elem(&plan, &zero);
	struct storm_frame *f = (void *)(long)ctx->data;
	struct storm_known *k;
	__u32 flow, seed;

	if (!p || (void *)(f + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	if (f->note.flow) {
		flow = f->note.flow - 1;
		k = bpf_map_lookup_elem(&known, &flow);
		if (!k)
			return XDP_ABORTED;
		if (f->note.reply)
			judge_reply(p, f, flow);
		else
			judge_request(p, k, f, flow);
	}
	seed = f->note.seed * 1664525 + 1013904223;
	flow = choose_flow(seed);
	k = bpf_map_lookup_elem(&known, &flow);
	if (!k)
		return XDP_ABORTED;
	write_next(p, f, *(volatile __u64 *)&k->way, flow, seed);
	bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
