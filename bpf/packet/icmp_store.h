/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PACKET_ICMP_STORE_H
#define LB_BPF_PACKET_ICMP_STORE_H

#include "packet/icmp.h"

/*
 * What icmp_rewrite_error() does, by helpers: for tc egress. Where a program of tc stores through a pointer, the kernel
 * gives it headers of its own before it begins, which is a copy for every packet that somebody else holds as well, and
 * all that TCP sends is such a one. The stack takes the hop off what leaves here.
 */

static __always_inline int packet_store(const struct run run, __u32 offset, const void *from, const __u32 bytes)
{
	return !bpf_skb_store_bytes(run.ctx, offset, from, bytes, 0);
}

static __always_inline int packet_update_checksum(const struct run run, __u32 offset, __u64 difference)
{
	__sum16 *check = packet_data(run) + (offset & L4_OFFSET_MASK), updated;

	if ((void *)(check + 1) > packet_end(run))
		return 0;
	updated = csum_apply(*check, difference);
	return packet_store(run, offset, &updated, sizeof(updated));
}

/* An IP header's addresses, and what IPv4's own checksum must balance. */
static __always_inline int icmp_store_addresses(const struct run run, __u32 l3, const __be32 *src, const __be32 *dst,
						__u64 difference)
{
	if (run.family == LB_AF_INET) {
		const __be32 addresses[2] = {src[0], dst[0]};

		return packet_update_checksum(run, l3 + __builtin_offsetof(struct iphdr, check), difference) &&
		       packet_store(run, l3 + __builtin_offsetof(struct iphdr, saddr), addresses, sizeof(addresses));
	}
	return packet_store(run, l3 + __builtin_offsetof(struct ipv6hdr, saddr), src, 16) &&
	       packet_store(run, l3 + __builtin_offsetof(struct ipv6hdr, daddr), dst, 16);
}

/* What a checksum over both addresses of a header must balance. Worked out anew for each: a sum that is kept over the
 * calls in between is stack. */
static __always_inline __u64 quoted_difference(const struct icmp_relayed *relayed, const int family)
{
	const struct tuple *was = relayed->opposite, *to = relayed->quoted;
	const __u64 difference = csum_replace_words(0, was->dst, to->src, words_of(family));

	return csum_replace_words(difference, was->src, to->dst, words_of(family));
}

static __always_inline __u64 outer_difference(const struct packet *p, const struct icmp_relayed *relayed,
					      const int family)
{
	const __u64 difference = csum_replace_words(0, p->tuple.src, relayed->src, words_of(family));

	return csum_replace_words(difference, p->tuple.dst, relayed->dst, words_of(family));
}

/* IPv4's quoted header balances its addresses itself; ICMPv6 sums a pseudo header, too (RFC 4443). */
static __always_inline __u64 message_difference(const struct packet *p, const struct icmp_relayed *relayed,
						const int family)
{
	const struct tuple *was = relayed->opposite, *to = relayed->quoted;
	const __u64 ports = csum_replace(0, was->dport | (__u32)was->sport << 16, to->sport | (__u32)to->dport << 16);

	if (family == LB_AF_INET)
		return ports;
	return ports + quoted_difference(relayed, family) + outer_difference(p, relayed, family);
}

/* The quoted layer 4 checksum stays: nobody can verify it over a quote. */
static __always_inline int icmp_store_error(const struct run run, const struct packet *p,
					    const struct icmp_relayed *relayed)
{
	const struct quoted_ports ports = {.source = relayed->quoted->sport, .dest = relayed->quoted->dport};
	const __u32 icmp = p->l4_offset & L4_OFFSET_MASK;
	__u32 proto;
	const __u32 l4 = icmp_quoted_l4(run, p, &proto);

	return l4 && packet_store(run, l4, &ports, sizeof(ports)) &&
	       icmp_store_addresses(run, icmp + sizeof(struct icmp_header), relayed->quoted->src, relayed->quoted->dst,
				    quoted_difference(relayed, run.family)) &&
	       packet_update_checksum(run, icmp + __builtin_offsetof(struct icmp_header, checksum),
				      message_difference(p, relayed, run.family)) &&
	       icmp_store_addresses(run, p->l3_offset & L3_OFFSET_MASK, relayed->src, relayed->dst,
				    outer_difference(p, relayed, run.family));
}

#endif
