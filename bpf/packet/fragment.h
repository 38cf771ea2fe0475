/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PACKET_FRAGMENT_H
#define LB_BPF_PACKET_FRAGMENT_H

#include <linux/ip.h>
#include <linux/ipv6.h>

#include "packet/csum.h"
#include "packet/parse.h"

/* Fragments behind the first carry no ports: they are found by what all fragments of a datagram share. */

/* The key is the caller's, because it is large for the stack. */
static __always_inline void fragment_key_of(struct lb_fragment_key *key, const struct packet *p, const int family)
{
	__builtin_memset(key, 0, sizeof(*key));
	copy_words(key->src.word, p->tuple.src, words_of(family));
	copy_words(key->dst.word, p->tuple.dst, words_of(family));
	key->id = p->fragment_id;
	key->proto = p->tuple.proto;
	key->family = family;
}

/* Random, so that nobody can tell which number another's next datagram has (RFC 7739). */
static __always_inline __be32 fragment_number(const int family)
{
	const __u32 random = bpf_get_prandom_u32();

	return family == LB_AF_INET ? bpf_htons(random % 0xffff + 1) : random | 1;
}

/* *datagram is the caller's as well, and stays for what is done with the packet afterwards. */
static __always_inline void fragment_remember(struct lb_fragment_key *key, struct lb_fragment *datagram,
					      const struct packet *p, const int family)
{
	const struct lb_fragment *known;

	fragment_key_of(key, p, family);
	/* A piece that comes twice has one number. */
	known = bpf_map_lookup_elem(&lb_fragments, key);
	datagram->id = known ? known->id : fragment_number(family);
	datagram->sport = p->tuple.sport;
	datagram->dport = p->tuple.dport;
	bpf_map_update_elem(&lb_fragments, key, datagram, BPF_ANY);
}

static __always_inline enum lb_verdict fragment_recall(struct lb_fragment_key *key, struct lb_fragment *datagram,
						       struct packet *p, const int family)
{
	const struct lb_fragment *known;

	fragment_key_of(key, p, family);
	known = bpf_map_lookup_elem(&lb_fragments, key);
	if (!known)
		return LB_VERDICT_FRAGMENT_UNKNOWN;
	*datagram = *known;
	p->tuple.sport = known->sport;
	p->tuple.dport = known->dport;
	return LB_CONTINUE;
}

static __always_inline int fragment_renumber_ipv4(const struct run run, const struct packet *p, const __be32 *id)
{
	const __u32 l3 = p->l3_offset;
	struct iphdr *ip;

	if (!is_xdp(run))
		return !bpf_l3_csum_replace(run.ctx, l3 + __builtin_offsetof(struct iphdr, check), p->fragment_id, *id,
					    2) &&
		       !bpf_skb_store_bytes(run.ctx, l3 + __builtin_offsetof(struct iphdr, id), id, 2, 0);
	ip = packet_l3(run, p);
	if ((void *)(ip + 1) > packet_end(run))
		return 0;
	ip->id = (__be16)*id;
	ip->check = csum_apply(ip->check, csum_replace(0, p->fragment_id, *id));
	return 1;
}

/* Where the header of fragments comes first, which is where senders put it. */
static __always_inline int fragment_renumber_ipv6(const struct run run, const struct packet *p, const __be32 *id)
{
	struct ipv6hdr *ip6 = packet_l3(run, p);
	struct ipv6_fragment *header = (void *)(ip6 + 1);
	const __u32 at = p->l3_offset + sizeof(*ip6) + __builtin_offsetof(struct ipv6_fragment, id);

	if ((void *)(header + 1) > packet_end(run))
		return 0;
	if (ip6->nexthdr != IPV6_FRAGMENT)
		return 1;
	if (!is_xdp(run))
		return !bpf_skb_store_bytes(run.ctx, at, id, sizeof(*id), BPF_F_RECOMPUTE_CSUM);
	header->id = *id;
	return 1;
}

/* Returns 0 where the packet could not be written. id is of a remembered datagram, in memory that is not the stack. */
static __always_inline int fragment_renumber(const struct run run, const struct packet *p, const __be32 *id)
{
	if (!*id)
		return 1;
	return run.family == LB_AF_INET ? fragment_renumber_ipv4(run, p, id) : fragment_renumber_ipv6(run, p, id);
}

#endif
