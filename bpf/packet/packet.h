/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PACKET_PACKET_H
#define LB_BPF_PACKET_PACKET_H

#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include "hook.h"
#include "tables.h"
#include "tuple.h"

/*
 * A packet is described by offsets, never by stored pointers: helpers that move the packet would leave those dangling,
 * and what is kept in a map cannot hold them.
 */

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

/* The fragment header of IPv6 (RFC 8200). */
struct ipv6_fragment {
	__u8 next;
	__u8 reserved;
	__be16 offset;
	__be32 id;
};

struct packet {
	__u32 ifindex;
	__u32 vlan;
	__u16 l3_offset;
	__u16 l4_offset;
	__u32 l3_length; /* of the whole datagram, as its header says */
	__u8 ttl;
	union {
		__u8 tcp_flags; /* 0 for other protocols but ICMP */
		__u8 icmp_type;
	};
	__u8 fragment;
	__u8 classes; /* LB_CLASS_* of the address that decides */
	__be32 fragment_id;
	int action; /* what the program returns when the verdict is one of SEND */
	struct tuple tuple;
};

/*
 * Read anew each time: a bounds check counts for the pointer it was made with, and a compiler that knows two pointers
 * to be equal would check one and use the other.
 */
static __always_inline void *packet_data(const struct run run)
{
	if (is_xdp(run))
		return (void *)(long)READ_ONCE(((struct xdp_md *)run.ctx)->data);
	return (void *)(long)READ_ONCE(((struct __sk_buff *)run.ctx)->data);
}

static __always_inline void *packet_end(const struct run run)
{
	if (is_xdp(run))
		return (void *)(long)READ_ONCE(((struct xdp_md *)run.ctx)->data_end);
	return (void *)(long)READ_ONCE(((struct __sk_buff *)run.ctx)->data_end);
}

#define L3_OFFSET_MASK 0x3f
#define L4_OFFSET_MASK 0x3fff

/* The masks tell the verifier, which does not know it of a packet that was stored and read again, that offsets are
 * small. */
static __always_inline void *packet_l3(const struct run run, const struct packet *p)
{
	return packet_data(run) + (p->l3_offset & L3_OFFSET_MASK);
}

static __always_inline void *packet_l4(const struct run run, const struct packet *p)
{
	return packet_data(run) + (p->l4_offset & L4_OFFSET_MASK);
}

static __always_inline __u32 packet_ifindex(const struct run run)
{
	return is_xdp(run) ? ((struct xdp_md *)run.ctx)->ingress_ifindex : ((struct __sk_buff *)run.ctx)->ifindex;
}

/* Bytes on the wire from the Ethernet header on, which tc may hold partly outside of data..data_end. */
static __always_inline long packet_length(const struct run run)
{
	long length;

	if (is_xdp(run)) {
		length = packet_end(run) - packet_data(run);
		/* Pointers are subtracted in 64 bits or not at all: keep the compiler from narrowing it for its users.
		 */
		asm volatile("" : "+r"(length));
		return length;
	}
	return ((struct __sk_buff *)run.ctx)->len;
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

static __always_inline int is_icmp(const struct packet *p, const int family)
{
	return p->tuple.proto == (family == LB_AF_INET ? LB_IPPROTO_ICMP : LB_IPPROTO_ICMPV6);
}

#endif
