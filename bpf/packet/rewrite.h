/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PACKET_REWRITE_H
#define LB_BPF_PACKET_REWRITE_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "packet/csum.h"
#include "packet/packet.h"

/*
 * Addresses, ports, TTL and both checksums, from what struct packet says is there to what it shall be. XDP writes into
 * the packet. tc goes through the helpers, which know about checksums that a device is still to fill in
 * (CHECKSUM_PARTIAL) or has already summed up (CHECKSUM_COMPLETE).
 *
 * hops is taken off the TTL: 1 where this program is the router, 0 where the stack is.
 */

static __always_inline __u64 address_difference(const struct packet *p, const struct tuple *to, const int family)
{
	__u64 difference = csum_replace_words(0, p->tuple.src, to->src, words_of(family));

	return csum_replace_words(difference, p->tuple.dst, to->dst, words_of(family));
}

static __always_inline int rewrite_l3_xdp(const struct run run, const struct packet *p, const struct tuple *to,
					  const __u8 hops, __u64 difference)
{
	void *l3 = packet_l3(run, p), *end = packet_end(run);

	if (run.family == LB_AF_INET) {
		struct iphdr *ip = l3;

		if ((void *)(ip + 1) > end)
			return 0;
		ip->saddr = to->src[0];
		ip->daddr = to->dst[0];
		ip->ttl = p->ttl - hops;
		/* In memory the TTL is the low byte of its 16-bit word. */
		ip->check = csum_apply(ip->check, csum_replace(difference, p->ttl, p->ttl - hops));
	} else {
		struct ipv6hdr *ip6 = l3;

		if ((void *)(ip6 + 1) > end)
			return 0;
		copy_words(ip6->saddr.in6_u.u6_addr32, to->src, 4);
		copy_words(ip6->daddr.in6_u.u6_addr32, to->dst, 4);
		ip6->hop_limit = p->ttl - hops;
	}
	return 1;
}

static __always_inline int rewrite_l4_xdp(const struct run run, const struct packet *p, const struct tuple *to,
					  __u64 difference)
{
	void *l4 = packet_l4(run, p), *end = packet_end(run);

	difference = csum_replace(difference, p->tuple.ports, to->ports);
	if (p->tuple.proto == LB_IPPROTO_TCP) {
		struct tcphdr *tcp = l4;

		if ((void *)(tcp + 1) > end)
			return 0;
		*(__u32 *)l4 = to->ports;
		tcp->check = csum_apply(tcp->check, difference);
	} else {
		struct udphdr *udp = l4;

		if ((void *)(udp + 1) > end)
			return 0;
		*(__u32 *)l4 = to->ports;
		/* 0 means that the sender made no checksum; a computed 0 is sent as all ones (RFC 768). */
		if (udp->check) {
			udp->check = csum_apply(udp->check, difference);
			if (!udp->check)
				udp->check = 0xffff;
		}
	}
	return 1;
}

static __always_inline int rewrite_l3_tc(const struct run run, const struct packet *p, const struct tuple *to,
					 const __u8 hops, __u64 difference)
{
	struct __sk_buff *skb = run.ctx;
	const __u32 l3 = p->l3_offset;
	const __u8 ttl = p->ttl - hops;

	if (run.family == LB_AF_INET) {
		const __be32 addresses[2] = {to->src[0], to->dst[0]};

		difference = csum_replace(difference, p->ttl, ttl);
		if (bpf_l3_csum_replace(skb, l3 + __builtin_offsetof(struct iphdr, check), 0, csum_fold32(difference),
					0))
			return 0;
		if (hops && bpf_skb_store_bytes(skb, l3 + __builtin_offsetof(struct iphdr, ttl), &ttl, sizeof(ttl), 0))
			return 0;
		return !bpf_skb_store_bytes(skb, l3 + __builtin_offsetof(struct iphdr, saddr), addresses, 8, 0);
	}
	if (hops && bpf_skb_store_bytes(skb, l3 + __builtin_offsetof(struct ipv6hdr, hop_limit), &ttl, sizeof(ttl), 0))
		return 0;
	/* Both addresses stand in a tuple as they do in the header. */
	return !bpf_skb_store_bytes(skb, l3 + __builtin_offsetof(struct ipv6hdr, saddr), to->src, 32, 0);
}

/*
 * IPv6 has no header checksum that would balance the addresses in a sum over the whole packet, and
 * bpf_l4_csum_replace() does not know that: with BPF_F_PSEUDO_HDR it takes the difference out of a CHECKSUM_COMPLETE
 * sum that it should leave alone. bpf_csum_update() puts it back; on other packets it does nothing.
 */
static __always_inline int rewrite_l4_tc(const struct run run, const struct packet *p, const struct tuple *to,
					 __u64 difference)
{
	struct __sk_buff *skb = run.ctx;
	const __u32 l4 = p->l4_offset, old_ports = p->tuple.ports, new_ports = to->ports;
	const __u32 check = l4 + (p->tuple.proto == LB_IPPROTO_TCP ? __builtin_offsetof(struct tcphdr, check)
								   : __builtin_offsetof(struct udphdr, check));
	const __u64 flags = p->tuple.proto == LB_IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;

	if (bpf_l4_csum_replace(skb, check, 0, csum_fold32(difference), flags | BPF_F_PSEUDO_HDR))
		return 0;
	if (run.family == LB_AF_INET6)
		bpf_csum_update(skb, csum_fold32(difference));
	if (old_ports == new_ports)
		return 1;
	if (bpf_l4_csum_replace(skb, check, old_ports, new_ports, flags | sizeof(new_ports)))
		return 0;
	return !bpf_skb_store_bytes(skb, l4, &new_ports, sizeof(new_ports), 0);
}

/* Returns 0 where the packet could not be written. */
static __always_inline int rewrite(const struct run run, const struct packet *p, const struct tuple *to,
				   const __u8 hops)
{
	const __u64 difference = address_difference(p, to, run.family);

	if (is_xdp(run))
		return rewrite_l3_xdp(run, p, to, hops, difference) &&
		       (p->fragment == FRAGMENT_LATER || rewrite_l4_xdp(run, p, to, difference));
	return rewrite_l3_tc(run, p, to, hops, difference) &&
	       (p->fragment == FRAGMENT_LATER || rewrite_l4_tc(run, p, to, difference));
}

#endif
