/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PACKET_ICMP_H
#define LB_BPF_PACKET_ICMP_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "packet/csum.h"
#include "packet/packet.h"
#include "packet/parse.h"

/*
 * ICMP for addresses that services own: echo is answered, and errors about a flow's packets are carried to the side
 * that must hear them. An error quotes the packet that caused it; that packet's tuple, reversed, is the key of the
 * flow's entry for the opposite direction, and what that entry rewrites to is what the quoted packet was called on the
 * other side.
 *
 * Everything here is written into the packet directly, at tc ingress too: each change is balanced by one in a checksum
 * that covers it, so a sum over the whole packet stays what it was. tc egress has icmp_store.h.
 */

/* RFC 792 */
#define ICMP_ECHO_ANSWER 0
#define ICMP_UNREACHABLE 3
#define ICMP_ECHO_REQUEST 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETER_PROBLEM 12
/* RFC 4443: the errors are 1 to 4 */
#define ICMPV6_UNREACHABLE 1
#define ICMPV6_PARAMETER_PROBLEM 4
#define ICMPV6_ECHO_REQUEST 128
#define ICMPV6_ECHO_ANSWER 129
/* RFC 4861: neighbour discovery is 133 to 137 */
#define ICMPV6_ROUTER_SOLICITATION 133
#define ICMPV6_REDIRECT 137

#define ICMP_ANSWER_TTL 64

/* Transport ports as every quoted header has them, in its first 8 bytes. */
struct quoted_ports {
	__be16 source;
	__be16 dest;
};

static __always_inline int icmp_is_echo(const struct packet *p, const int family)
{
	return p->icmp_type == (family == LB_AF_INET ? ICMP_ECHO_REQUEST : ICMPV6_ECHO_REQUEST);
}

static __always_inline int icmp_is_error(const struct packet *p, const int family)
{
	if (family == LB_AF_INET)
		return p->icmp_type == ICMP_UNREACHABLE || p->icmp_type == ICMP_TIME_EXCEEDED ||
		       p->icmp_type == ICMP_PARAMETER_PROBLEM;
	return p->icmp_type >= ICMPV6_UNREACHABLE && p->icmp_type <= ICMPV6_PARAMETER_PROBLEM;
}

/* Neighbour discovery, which the stack does for every address; RFC 4861 has it ignored unless it comes from the link.
 */
static __always_inline int icmp_is_link_local(const struct packet *p, const int family)
{
	return family == LB_AF_INET6 && p->ttl == 255 && p->icmp_type >= ICMPV6_ROUTER_SOLICITATION &&
	       p->icmp_type <= ICMPV6_REDIRECT;
}

/* The request becomes its answer in place. */
static __always_inline int icmp_answer_echo(const struct run run, const struct packet *p)
{
	void *end = packet_end(run), *l3 = packet_l3(run, p);
	struct icmp_header *icmp = packet_l4(run, p);
	struct ethhdr *eth = packet_data(run);

	if ((void *)(icmp + 1) > end || (void *)(eth + 1) > end ||
	    l3 + (run.family == LB_AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) > end)
		return 0;
	swap_ethernet(eth);
	if (run.family == LB_AF_INET) {
		struct iphdr *ip = l3;

		ip->saddr = p->tuple.dst[0];
		ip->daddr = p->tuple.src[0];
		ip->ttl = ICMP_ANSWER_TTL;
		ip->check = csum_apply(ip->check, csum_replace(0, p->ttl, ICMP_ANSWER_TTL));
		icmp->type = ICMP_ECHO_ANSWER;
		icmp->checksum = csum_apply(icmp->checksum, csum_replace(0, ICMP_ECHO_REQUEST, ICMP_ECHO_ANSWER));
	} else {
		struct ipv6hdr *ip6 = l3;

		copy_words(ip6->saddr.in6_u.u6_addr32, p->tuple.dst, 4);
		copy_words(ip6->daddr.in6_u.u6_addr32, p->tuple.src, 4);
		ip6->hop_limit = ICMP_ANSWER_TTL;
		icmp->type = ICMPV6_ECHO_ANSWER;
		icmp->checksum = csum_apply(icmp->checksum, csum_replace(0, ICMPV6_ECHO_REQUEST, ICMPV6_ECHO_ANSWER));
	}
	return 1;
}

/*
 * Offset of the quoted packet's layer 4 from the frame's start, and its protocol; 0 where the quoted packet is none
 * that we could have translated. An error about a whole datagram quotes its first fragment.
 */
static __always_inline __u32 icmp_quoted_l4(const struct run run, const struct packet *p, __u32 *proto)
{
	const __u32 offset = (p->l4_offset & L4_OFFSET_MASK) + sizeof(struct icmp_header);
	void *quoted = packet_data(run) + offset, *end = packet_end(run);

	if (run.family == LB_AF_INET) {
		struct iphdr *ip = quoted;

		if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5 || ip->frag_off & bpf_htons(0x1fff))
			return 0;
		*proto = ip->protocol;
		return offset + ip->ihl * 4;
	}
	struct ipv6hdr *ip6 = quoted;
	struct ipv6_fragment *fragment = (void *)(ip6 + 1);

	if ((void *)(ip6 + 1) > end)
		return 0;
	*proto = ip6->nexthdr;
	if (likely(ip6->nexthdr != IPV6_FRAGMENT))
		return offset + sizeof(*ip6);
	if ((void *)(fragment + 1) > end || fragment->offset & bpf_htons(IPV6_FRAGMENT_OFFSET))
		return 0;
	*proto = fragment->next;
	return offset + sizeof(*ip6) + sizeof(*fragment);
}

/*
 * Reads the quoted packet into *opposite as a packet of the other direction: source and destination exchanged. Returns
 * 0 where it is not a whole quote of TCP or UDP.
 */
static __always_inline int icmp_read_quoted(const struct run run, struct tuple *opposite, const struct packet *p)
{
	const __u32 l4 = icmp_quoted_l4(run, p, &opposite->proto);
	void *quoted = packet_l4(run, p) + sizeof(struct icmp_header), *end = packet_end(run);
	struct quoted_ports *ports = packet_data(run) + (l4 & L4_OFFSET_MASK);

	if (!l4 || (void *)(ports + 1) > end || l4 + sizeof(*ports) > p->l3_offset + p->l3_length)
		return 0;
	opposite->sport = ports->dest;
	opposite->dport = ports->source;
	if (run.family == LB_AF_INET) {
		struct iphdr *ip = quoted;

		if ((void *)(ip + 1) > end)
			return 0;
		opposite->src[0] = ip->daddr;
		opposite->dst[0] = ip->saddr;
	} else {
		struct ipv6hdr *ip6 = quoted;

		if ((void *)(ip6 + 1) > end)
			return 0;
		copy_words(opposite->src, ip6->daddr.in6_u.u6_addr32, 4);
		copy_words(opposite->dst, ip6->saddr.in6_u.u6_addr32, 4);
	}
	return opposite->proto == LB_IPPROTO_TCP || opposite->proto == LB_IPPROTO_UDP;
}

/* Returns the difference that the ICMP checksum must balance. The quoted layer 4 checksum stays: nobody can verify it
 * over a quote. */
static __always_inline __u64 icmp_rewrite_quoted(void *quoted, struct quoted_ports *ports, const struct tuple *opposite,
						 const struct tuple *to, const int family)
{
	const __u32 old_ports = opposite->dport | (__u32)opposite->sport << 16,
		    new_ports = to->sport | (__u32)to->dport << 16;
	__u64 addresses = csum_replace_words(0, opposite->dst, to->src, words_of(family));

	addresses = csum_replace_words(addresses, opposite->src, to->dst, words_of(family));
	ports->source = to->sport;
	ports->dest = to->dport;
	if (family == LB_AF_INET) {
		struct iphdr *ip = quoted;

		ip->saddr = to->src[0];
		ip->daddr = to->dst[0];
		/* The quoted header's own checksum balances its addresses. */
		ip->check = csum_apply(ip->check, addresses);
		return csum_replace(0, old_ports, new_ports);
	}
	struct ipv6hdr *ip6 = quoted;

	copy_words(ip6->saddr.in6_u.u6_addr32, to->src, 4);
	copy_words(ip6->daddr.in6_u.u6_addr32, to->dst, 4);
	return csum_replace(addresses, old_ports, new_ports);
}

/* What becomes of an error: it goes from src to dst, about a packet called *quoted; it arrived about one whose reverse
 * is *opposite. */
struct icmp_relayed {
	const __be32 *src;
	const __be32 *dst;
	const struct tuple *opposite;
	const struct tuple *quoted;
};

static __always_inline void icmp_rewrite_outer(void *l3, const struct packet *p, const struct icmp_relayed *relayed,
					       const __u8 hops, const int family)
{
	const __be32 *src = relayed->src, *dst = relayed->dst;

	if (family == LB_AF_INET) {
		struct iphdr *ip = l3;
		__u64 difference = csum_replace(csum_replace(0, p->tuple.src[0], src[0]), p->tuple.dst[0], dst[0]);

		ip->saddr = src[0];
		ip->daddr = dst[0];
		ip->ttl = p->ttl - hops;
		ip->check = csum_apply(ip->check, csum_replace(difference, p->ttl, p->ttl - hops));
	} else {
		struct ipv6hdr *ip6 = l3;

		copy_words(ip6->saddr.in6_u.u6_addr32, src, 4);
		copy_words(ip6->daddr.in6_u.u6_addr32, dst, 4);
		ip6->hop_limit = p->ttl - hops;
	}
}

static __always_inline int icmp_rewrite_error(const struct run run, const struct packet *p,
					      const struct icmp_relayed *relayed, const __u8 hops)
{
	__u32 proto;
	const __u32 l4 = icmp_quoted_l4(run, p, &proto);
	const __u32 header = run.family == LB_AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	void *l3 = packet_l3(run, p), *end = packet_end(run);
	struct icmp_header *icmp = packet_l4(run, p);
	struct quoted_ports *ports = packet_data(run) + (l4 & L4_OFFSET_MASK);
	__u64 difference;

	if (!l4 || (void *)(ports + 1) > end || l3 + header > end || (void *)(icmp + 1) + header > end)
		return 0;
	difference = icmp_rewrite_quoted(icmp + 1, ports, relayed->opposite, relayed->quoted, run.family);
	if (run.family == LB_AF_INET6) {
		/* ICMPv6 sums a pseudo header too (RFC 4443). */
		difference = csum_replace_words(difference, p->tuple.src, relayed->src, 4);
		difference = csum_replace_words(difference, p->tuple.dst, relayed->dst, 4);
	}
	icmp->checksum = csum_apply(icmp->checksum, difference);
	icmp_rewrite_outer(l3, p, relayed, hops, run.family);
	return 1;
}

#endif
