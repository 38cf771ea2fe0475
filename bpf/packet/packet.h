/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PACKET_PACKET_H
#define LB_BPF_PACKET_PACKET_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "tables.h"

/*
 * What the stages hand on to each other. Every function of a stage takes the hook and the address family as constants:
 * it is inlined into a program where they are known, so one source serves all hooks and both families and the branches
 * on them cost nothing.
 *
 * A packet is described by offsets, never by stored pointers: helpers that move the packet would leave those dangling,
 * and what is kept in a map cannot hold them. The context is therefore passed beside it.
 */

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define READ_ONCE(x) (*(volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile typeof(x) *)&(x) = (value))
/* The programs are supported on x86-64, where loads and stores keep their order: only the compiler must be held. */
#define smp_barrier() asm volatile("" ::: "memory")

#define OUT_OF_LINE __attribute__((noinline, unused))

/* Before a loop that retries: it is rare, and not worth a copy of its body for each try. */
#define ROLLED _Pragma("clang loop unroll(disable)")

enum fragment {
	FRAGMENT_NONE,
	FRAGMENT_FIRST, /* has the layer 4 header */
	FRAGMENT_LATER, /* has not */
};

#define VLAN_TAGGED 0x10000u /* in packet.vlan, beside the 16 bits of the tag */

/* The fixed part that ICMP and ICMPv6 have in common; the kernel's headers for them need a libc. */
struct icmp_header {
	__u8 type;
	__u8 code;
	__sum16 checksum;
	__be32 rest; /* of the header, as the type defines it */
};

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* A five-tuple. IPv4 uses word 0 of the addresses and leaves the others undefined. */
struct tuple {
	__be32 src[4];
	__be32 dst[4];
	__be16 sport;
	__be16 dport;
	__u32 proto;
};

struct packet {
	__u32 ifindex;
	__u32 vlan;
	__u16 l3_offset;
	__u16 l4_offset;
	__u16 l3_length; /* of the whole datagram, as its header says */
	__u8 ttl;
	__u8 tcp_flags;
	__u8 fragment;
	__u8 classes; /* LB_CLASS_* of the address that decides */
	__u8 icmp_type;
	__u8 pad;
	__be32 fragment_id;
	int action; /* what the program returns when the verdict is one of SEND */
	struct tuple tuple;
};

/*
 * For a local struct: keeps the compiler from making each of its fields a variable of its own, which it would then
 * spill in 8 bytes each, however small. The stack is what limits these programs, and a load from it costs next to
 * nothing.
 */
static __always_inline void keep_in_memory(void *local)
{
	asm volatile("" : : "r"(local) : "memory");
}

static __always_inline int words_of(const int family)
{
	return family == LB_AF_INET ? 1 : 4;
}

/*
 * Read anew each time: a bounds check counts for the pointer it was made with, and a compiler that knows two pointers
 * to be equal would check one and use the other.
 */
static __always_inline void *packet_data(void *ctx, const enum lb_hook hook)
{
	if (hook == LB_HOOK_XDP)
		return (void *)(long)READ_ONCE(((struct xdp_md *)ctx)->data);
	return (void *)(long)READ_ONCE(((struct __sk_buff *)ctx)->data);
}

static __always_inline void *packet_end(void *ctx, const enum lb_hook hook)
{
	if (hook == LB_HOOK_XDP)
		return (void *)(long)READ_ONCE(((struct xdp_md *)ctx)->data_end);
	return (void *)(long)READ_ONCE(((struct __sk_buff *)ctx)->data_end);
}

#define L3_OFFSET_MASK 0x3f
#define L4_OFFSET_MASK 0x3fff

/* The masks tell the verifier, which does not know it of a packet that was stored and read again, that offsets are
 * small. */
static __always_inline void *packet_l3(void *ctx, const struct packet *p, const enum lb_hook hook)
{
	return packet_data(ctx, hook) + (p->l3_offset & L3_OFFSET_MASK);
}

static __always_inline void *packet_l4(void *ctx, const struct packet *p, const enum lb_hook hook)
{
	return packet_data(ctx, hook) + (p->l4_offset & L4_OFFSET_MASK);
}

static __always_inline __u32 packet_ifindex(void *ctx, const enum lb_hook hook)
{
	return hook == LB_HOOK_XDP ? ((struct xdp_md *)ctx)->ingress_ifindex : ((struct __sk_buff *)ctx)->ifindex;
}

/* Bytes on the wire from the Ethernet header on, which tc may hold partly outside of data..data_end. */
static __always_inline long packet_length(void *ctx, const enum lb_hook hook)
{
	long length;

	if (hook == LB_HOOK_XDP) {
		length = packet_end(ctx, hook) - packet_data(ctx, hook);
		/* Pointers are subtracted in 64 bits or not at all: keep the compiler from narrowing it for its users.
		 */
		asm volatile("" : "+r"(length));
		return length;
	}
	return ((struct __sk_buff *)ctx)->len;
}

static __always_inline void copy_words(__be32 *to, const __be32 *from, const int words)
{
	to[0] = from[0];
	if (words == 4) {
		to[1] = from[1];
		to[2] = from[2];
		to[3] = from[3];
	}
}

static __always_inline int equal_words(const __be32 *a, const __be32 *b, const int words)
{
	if (words == 1)
		return a[0] == b[0];
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]));
}

/* Packets have no alignment that a compiler could know of, so it would copy byte by byte; 4 at a time is fine with
 * every CPU we run on. */
static __always_inline void copy_block(void *to, const void *from, const __u32 bytes)
{
#pragma unroll
	for (__u32 i = 0; i < bytes / 4; i++)
		((__u32 *)to)[i] = ((const __u32 *)from)[i];
}

/* Destination and source of an Ethernet header, which stand in struct lb_hop as they do on the wire. */
#define ETHERNET_ADDRESSES 12

static __always_inline void swap_ethernet(struct ethhdr *eth)
{
	__u16 *half = (__u16 *)eth;

#pragma unroll
	for (int i = 0; i < 3; i++) {
		const __u16 dest = half[i];

		half[i] = half[i + 3];
		half[i + 3] = dest;
	}
}

static __always_inline int tuple_equals(const struct tuple *a, const struct tuple *b, const int family)
{
	return a->sport == b->sport && a->dport == b->dport && equal_words(a->src, b->src, words_of(family)) &&
	       equal_words(a->dst, b->dst, words_of(family));
}

/* The tuple of the packets that go the other way. */
static __always_inline void tuple_reverse(struct tuple *to, const struct tuple *from, const int family)
{
	copy_words(to->src, from->dst, words_of(family));
	copy_words(to->dst, from->src, words_of(family));
	to->sport = from->dport;
	to->dport = from->sport;
	to->proto = from->proto;
}

static __always_inline int is_icmp(const struct packet *p, const int family)
{
	return p->tuple.proto == (family == LB_AF_INET ? LB_IPPROTO_ICMP : LB_IPPROTO_ICMPV6);
}

static __always_inline struct lb_clock *clock_words(void)
{
	const __u32 zero = 0;

	return bpf_map_lookup_elem(&lb_clock, &zero);
}

#endif
