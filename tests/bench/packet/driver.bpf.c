// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>

#include <bpf/bpf_helpers.h>

#include "driver.h"

/*
 * Runs a loaded program over packets of our choice: BPF_PROG_TEST_RUN repeats a driver, which writes the next packet
 * into the buffer and tail-calls the program. What the driver costs by itself is measured with an empty program and
 * subtracted.
 */

#define IPV4 2

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
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct bench_line);
	__uint(max_entries, BENCH_LINES);
} lines SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 1);
} xdp_target SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 1);
} tc_target SEC(".maps");

/* Every store is as wide as what a program will load from there: a load over two stores that have just been made waits
 * for both, which no packet from a wire does. */
static __always_inline void put_frame(void *data, const struct bench_plan *p)
{
	const __u16 *eth = (const void *)p->frame;
	void *l3 = data + sizeof(struct ethhdr);
	const void *from = p->frame + sizeof(struct ethhdr);

#pragma unroll
	for (int i = 0; i < (int)sizeof(struct ethhdr) / 2; i++)
		((__u16 *)data)[i] = eth[i];
#pragma unroll
	for (int i = 0; i < (int)(BENCH_TEMPLATE - sizeof(struct ethhdr)) / 4 * 4; i += 4)
		*(__u32 *)(l3 + i) = *(const __u32 *)(from + i);
}

static __always_inline void put_tuple(void *l3, void *end, const struct bench_plan *p, const struct bench_tuple *t)
{
	__u32 *src = l3 + (p->family == IPV4 ? 12 : 8), *ports = l3 + (p->family == IPV4 ? 20 : 40);

	if ((void *)(src + 8) > end || (void *)(ports + 1) > end)
		return;
	if (p->family == IPV4) {
		src[0] = t->src[0];
		src[1] = t->dst[0];
	} else {
#pragma unroll
		for (int i = 0; i < 4; i++) {
			src[i] = t->src[i];
			src[4 + i] = t->dst[i];
		}
	}
	*ports = *(const __u32 *)&t->sport;
}

/* Another source for every packet: an odd factor, so all come up before one comes again. Of IPv4 those from 128 to 191,
 * which clients can have. */
static __always_inline void put_fresh(void *l3, void *end, struct bench_plan *p)
{
	__u32 *last = l3 + (p->family == IPV4 ? 12 : 20), *ports = l3 + (p->family == IPV4 ? 20 : 40);
	const __u32 turn = p->sources++ * 2654435761u;

	if ((void *)(ports + 1) > end)
		return;
	*last = p->family == IPV4 ? (turn & ~0xc0u) | 0x80 : turn;
	*ports = (*ports & __builtin_bswap32(0x0000ffff)) | __builtin_bswap32(((turn & 0xffff) | 1024) << 16);
}

static __always_inline int next_packet(void *data, void *end)
{
	const __u32 zero = 0;
	struct bench_plan *p = bpf_map_lookup_elem(&plan, &zero);
	void *l3 = data + sizeof(struct ethhdr);
	struct bench_tuple *t;
	__u32 turn;

	if (!p || data + BENCH_TEMPLATE > end)
		return 0;
	if (p->alone)
		__sync_fetch_and_add(&p->pad[0], 1);
	put_frame(data, p);
	if (p->fresh)
		put_fresh(l3, end, p);
	if (!p->tuples)
		return 1;
	turn = p->next++;
	if (p->next >= p->tuples)
		p->next = 0;
	t = bpf_map_lookup_elem(&tuples, &turn);
	if (t)
		put_tuple(l3, end, p, t);
	return 1;
}

SEC("xdp")
int bench_xdp(struct xdp_md *ctx)
{
	if (next_packet((void *)(long)ctx->data, (void *)(long)ctx->data_end))
		bpf_tail_call(ctx, &xdp_target, 0);
	return XDP_ABORTED;
}

SEC("tc")
int bench_tc(struct __sk_buff *ctx)
{
	if (next_packet((void *)(long)ctx->data, (void *)(long)ctx->data_end))
		bpf_tail_call(ctx, &tc_target, 0);
	return TC_ACT_SHOT;
}

SEC("xdp")
int bench_empty_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("tc")
int bench_empty_tc(struct __sk_buff *ctx)
{
	return TC_ACT_OK;
}

/*
 * The floor: what no NAT of whatever make can leave out. The tuple is read, one line is found by its hash, compared,
 * and gives the destination and the next hop's address; the change goes into the transport header's checksum, for IPv4
 * into the IP header's too, and the TTL is one less.
 */

#define NEW_DPORT __builtin_bswap16(8080)

struct view {
	__be32 *src, *dst; /* 1 or 4 words */
	__be32 *ports;
	__sum16 *ip_check; /* NULL: IPv6 */
	__sum16 *check;
	__u8 *ttl;
};

static __always_inline int view(void *data, void *end, int words, struct view *v)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct ipv6hdr *ip6 = (void *)(eth + 1);
	struct tcphdr *tcp = words == 1 ? (void *)(ip + 1) : (void *)(ip6 + 1);

	if ((void *)(tcp + 1) > end)
		return 0;
	if (words == 1 && (ip->ihl != 5 || ip->protocol != 6 || ip->frag_off & __builtin_bswap16(0x3fff)))
		return 0;
	if (words == 4 && ip6->nexthdr != 6)
		return 0;
	v->src = words == 1 ? &ip->saddr : ip6->saddr.in6_u.u6_addr32;
	v->dst = words == 1 ? &ip->daddr : ip6->daddr.in6_u.u6_addr32;
	v->ip_check = words == 1 ? &ip->check : NULL;
	v->ttl = words == 1 ? &ip->ttl : &ip6->hop_limit;
	v->ports = (void *)tcp;
	v->check = &tcp->check;
	return 1;
}

static __always_inline struct bench_line *line_of(const struct view *v, int words)
{
	__u64 hash = *v->ports;
	__u32 index;

#pragma unroll
	for (int i = 0; i < words; i++)
		hash = (hash ^ v->src[i] ^ (__u64)v->dst[i] << 32) * 0x9e3779b97f4a7c15ull;
	index = (hash >> 32) & (BENCH_LINES - 1);
	return bpf_map_lookup_elem(&lines, &index);
}

static __always_inline int same(const struct view *v, const struct bench_line *line, int words)
{
	__u32 differ = *v->ports ^ *(const __u32 *)&line->sport;

#pragma unroll
	for (int i = 0; i < words; i++)
		differ |= (v->src[i] ^ line->src[i]) | (v->dst[i] ^ line->dst[i]);
	return !differ;
}

/* RFC 1624, equation 3, over one word. */
static __always_inline void amend(__sum16 *check, __be32 old, __be32 new)
{
	__u64 sum = (__u64)(__u16) ~*check + (__u32)~old + new;

	sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*check = ~(__u16)sum;
}

static __always_inline void rewrite(void *data, const struct view *v, const struct bench_line *line, int words)
{
#pragma unroll
	for (int i = 0; i < words; i++) {
		if (v->ip_check)
			amend(v->ip_check, v->dst[i], line->to[i]);
		amend(v->check, v->dst[i], line->to[i]);
		v->dst[i] = line->to[i];
	}
	amend(v->check, ((__u16 *)v->ports)[1], NEW_DPORT);
	((__u16 *)v->ports)[1] = NEW_DPORT;
	if (v->ip_check)
		amend(v->ip_check, *v->ttl, *v->ttl - 1);
	*v->ttl -= 1;
	__builtin_memcpy(data, line->macs, sizeof(line->macs));
}

/* What finds another's line is rewritten all the same, so that it costs the same. */
static __always_inline int known(struct xdp_md *ctx, int words)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct bench_line *line;
	struct view v;
	int mine;

	if (!view(data, end, words, &v) || !(line = line_of(&v, words)))
		return XDP_ABORTED;
	mine = same(&v, line, words);
	rewrite(data, &v, line, words);
	return mine ? XDP_TX : XDP_PASS;
}

static __always_inline int begin(struct xdp_md *ctx, int words)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct bench_line *line;
	struct view v;

	if (!view(data, end, words, &v) || !(line = line_of(&v, words)))
		return XDP_ABORTED;
	*(__u32 *)&line->sport = *v.ports;
#pragma unroll
	for (int i = 0; i < words; i++) {
		line->src[i] = v.src[i];
		line->dst[i] = v.dst[i];
		line->to[i] = v.dst[i] + 1;
	}
	__builtin_memcpy(line->macs, data, sizeof(line->macs));
	rewrite(data, &v, line, words);
	return XDP_TX;
}

SEC("xdp")
int bench_floor4(struct xdp_md *ctx)
{
	return known(ctx, 1);
}

SEC("xdp")
int bench_floor6(struct xdp_md *ctx)
{
	return known(ctx, 4);
}

SEC("xdp")
int bench_floor_new4(struct xdp_md *ctx)
{
	return begin(ctx, 1);
}

SEC("xdp")
int bench_floor_new6(struct xdp_md *ctx)
{
	return begin(ctx, 4);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
