/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PACKET_PARSE_H
#define LB_BPF_PACKET_PARSE_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "packet/packet.h"

/*
 * Headers become fields of struct packet, one function a header, and nothing is read that was not bounds checked just
 * before. Addresses come first, because most packets end at the filter that they are for; lengths are believed only
 * after parse_transport().
 */

struct vlan_header {
	__be16 tag;
	__be16 protocol;
};

#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff
#define IPV6_MORE_FRAGMENTS 0x0001
#define IPV6_FRAGMENT_OFFSET 0xfff8

#define GLANCE_LENGTH 54 /* Ethernet and the fixed IP header, of the longer family */
#define HEADERS_LENGTH 192

#define IPV6_EXTENSIONS 4 /* headers that are walked before the packet counts as unsupported */

enum ipv6_extension {
	IPV6_HOP_BY_HOP = 0,
	IPV6_ROUTING = 43,
	IPV6_FRAGMENT = 44,
	IPV6_DESTINATION = 60,
};

/*
 * tc: so much of the packet, if it is so long, into the part that direct access sees. GLANCE_LENGTH before the filter
 * is asked, because to pull is dear and most packets have that much there; HEADERS_LENGTH, which is all headers that
 * any stage reads, an ICMP error's quote included, for what may be ours.
 */
static __always_inline void pull_headers(struct __sk_buff *skb, const __u32 length)
{
	const __u32 wanted = skb->len < length ? skb->len : length;

	if (unlikely((long)skb->data + wanted > (long)skb->data_end))
		bpf_skb_pull_data(skb, wanted);
}

/* What the first look at a packet finds. */
struct glance {
	__u32 vlan; /* as in struct packet */
	__u16 l3_offset;
	__u8 family; /* 0 where it is neither IPv4 nor IPv6 */
	__u8 classes;
};

/* XDP sees VLAN tags in the packet, tc beside it. Stacked ones and those of a provider (802.1ad) are for the stack. */
static __always_inline void parse_ethernet(const struct run run, struct glance *glance)
{
	void *data = packet_data(run), *end = packet_end(run);
	struct ethhdr *eth = data;
	struct vlan_header *vlan;
	__be16 protocol;

	if ((void *)(eth + 1) > end)
		return;
	protocol = eth->h_proto;
	glance->l3_offset = sizeof(*eth);
	if (is_xdp(run) && protocol == bpf_htons(ETH_P_8021Q)) {
		vlan = (void *)(eth + 1);
		if ((void *)(vlan + 1) > end)
			return;
		glance->vlan = VLAN_TAGGED | bpf_ntohs(vlan->tag);
		protocol = vlan->protocol;
		glance->l3_offset += sizeof(*vlan);
	}
	if (protocol == bpf_htons(ETH_P_IP))
		glance->family = LB_AF_INET;
	else if (protocol == bpf_htons(ETH_P_IPV6))
		glance->family = LB_AF_INET6;
}

/* The address that decides whose packet it is, where it stands: the destination arriving, the source leaving. NULL
 * where it is not there whole. */
static __always_inline const __be32 *parse_owner(const struct run run, const struct glance *glance)
{
	void *l3 = packet_data(run) + (glance->l3_offset & L3_OFFSET_MASK), *end = packet_end(run);
	if (run.family == LB_AF_INET) {
		struct iphdr *ip = l3;

		if ((void *)(ip + 1) > end)
			return NULL;
		return is_egress(run) ? &ip->saddr : &ip->daddr;
	} else {
		struct ipv6hdr *ip6 = l3;

		if ((void *)(ip6 + 1) > end)
			return NULL;
		return is_egress(run) ? ip6->saddr.in6_u.u6_addr32 : ip6->daddr.in6_u.u6_addr32;
	}
}

/* Of a packet whose addresses are there. */
static __always_inline int sends_icmp(const struct run run, const struct glance *glance)
{
	void *l3 = packet_data(run) + (glance->l3_offset & L3_OFFSET_MASK), *end = packet_end(run);

	if (run.family == LB_AF_INET) {
		struct iphdr *ip = l3;

		return (void *)(ip + 1) <= end && ip->protocol == LB_IPPROTO_ICMP;
	}
	struct ipv6hdr *ip6 = l3;

	return (void *)(ip6 + 1) <= end && ip6->nexthdr == LB_IPPROTO_ICMPV6;
}

/* Fills in the addresses. Returns 0 where the fixed IP header is not there whole. */
static __always_inline int parse_addresses(const struct run run, struct packet *p)
{
	void *l3 = packet_l3(run, p), *end = packet_end(run);

	if (run.family == LB_AF_INET) {
		struct iphdr *ip = l3;

		if ((void *)(ip + 1) > end)
			return 0;
		p->tuple.src[0] = ip->saddr;
		p->tuple.dst[0] = ip->daddr;
	} else {
		struct ipv6hdr *ip6 = l3;

		if ((void *)(ip6 + 1) > end)
			return 0;
		copy_words(p->tuple.src, ip6->saddr.in6_u.u6_addr32, 4);
		copy_words(p->tuple.dst, ip6->daddr.in6_u.u6_addr32, 4);
	}
	return 1;
}

/*
 * Layer 3's length, of which the header's field leaves out this much. BIG TCP: where a packet that is still to be cut
 * into segments is longer than the field can say, the kernel leaves it 0, and tc goes by the buffer.
 */
static __always_inline __u32 datagram_length(const struct run run, const struct packet *p, __be16 field,
					     const __u32 left_out)
{
	if (!is_xdp(run) && unlikely(!field) && ((struct __sk_buff *)run.ctx)->gso_segs)
		return ((struct __sk_buff *)run.ctx)->len - p->l3_offset;
	return bpf_ntohs(field) + left_out;
}

static __always_inline enum lb_verdict parse_ipv4(const struct run run, struct packet *p)
{
	void *l3 = packet_l3(run, p), *end = packet_end(run);
	struct iphdr *ip = l3;
	__u16 fragment;

	if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5)
		return LB_VERDICT_MALFORMED;
	p->l4_offset = p->l3_offset + ip->ihl * 4;
	p->l3_length = datagram_length(run, p, ip->tot_len, 0);
	p->tuple.proto = ip->protocol;
	p->ttl = ip->ttl;
	fragment = bpf_ntohs(ip->frag_off);
	if (unlikely(fragment & (IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET))) {
		p->fragment = fragment & IPV4_FRAGMENT_OFFSET ? FRAGMENT_LATER : FRAGMENT_FIRST;
		p->fragment_id = ip->id;
	}
	if (p->l3_length < ip->ihl * 4 || p->l3_offset + p->l3_length > packet_length(run))
		return LB_VERDICT_MALFORMED;
	return LB_CONTINUE;
}

/* One extension header: returns the next one's type, moves l4_offset behind it, or returns -1 where it is not there
 * whole. */
static __always_inline int parse_ipv6_extension(const struct run run, struct packet *p, int type)
{
	void *end = packet_end(run);
	struct {
		__u8 next;
		__u8 length;
		__be16 offset;
		__be32 id;
	} *extension = packet_l4(run, p);

	if ((void *)(extension + 1) > end)
		return -1;
	if (type != IPV6_FRAGMENT) {
		p->l4_offset += (extension->length + 1) * 8;
		return extension->next;
	}
	p->l4_offset += sizeof(*extension);
	if (extension->offset & bpf_htons(IPV6_FRAGMENT_OFFSET)) {
		p->fragment = FRAGMENT_LATER;
		p->fragment_id = extension->id;
	} else if (extension->offset & bpf_htons(IPV6_MORE_FRAGMENTS)) {
		p->fragment = FRAGMENT_FIRST;
		p->fragment_id = extension->id;
	}
	return extension->next;
}

static __always_inline enum lb_verdict parse_ipv6(const struct run run, struct packet *p)
{
	void *l3 = packet_l3(run, p), *end = packet_end(run);
	struct ipv6hdr *ip6 = l3;
	__u32 length;
	int type;

	if ((void *)(ip6 + 1) > end || ip6->version != 6)
		return LB_VERDICT_MALFORMED;
	length = datagram_length(run, p, ip6->payload_len, sizeof(*ip6));
	if (p->l3_offset + length > packet_length(run))
		return LB_VERDICT_MALFORMED;
	p->l4_offset = p->l3_offset + sizeof(*ip6);
	p->l3_length = length;
	p->ttl = ip6->hop_limit;
	type = ip6->nexthdr;
	ROLLED
	for (int i = 0; i < IPV6_EXTENSIONS; i++) {
		if (likely(type != IPV6_HOP_BY_HOP && type != IPV6_ROUTING && type != IPV6_FRAGMENT &&
			   type != IPV6_DESTINATION))
			break;
		type = parse_ipv6_extension(run, p, type);
		if (type < 0)
			return LB_VERDICT_MALFORMED;
		if (p->fragment == FRAGMENT_LATER)
			break;
	}
	p->tuple.proto = type;
	return LB_CONTINUE;
}

/*
 * Ports, flags and the ICMP type. LATER fragments have none of them and are not for this function. ICMP in fragments
 * is not supported: half a question cannot be answered.
 */
static __always_inline enum lb_verdict parse_transport(const struct run run, struct packet *p)
{
	void *l4 = packet_l4(run, p), *end = packet_end(run);
	const int length = p->l3_length - (p->l4_offset - p->l3_offset);

	if (p->tuple.proto == LB_IPPROTO_TCP) {
		struct tcphdr *tcp = l4;

		if ((void *)(tcp + 1) > end || tcp->doff < 5)
			return LB_VERDICT_MALFORMED;
		p->tuple.ports = *(__u32 *)l4;
		p->tcp_flags = ((__u8 *)l4)[13];
		return length < tcp->doff * 4 ? LB_VERDICT_MALFORMED : LB_CONTINUE;
	}
	if (p->tuple.proto == LB_IPPROTO_UDP) {
		struct udphdr *udp = l4;

		if ((void *)(udp + 1) > end || bpf_ntohs(udp->len) < sizeof(*udp))
			return LB_VERDICT_MALFORMED;
		/* A first fragment says the length of the whole. */
		if (p->fragment == FRAGMENT_NONE && bpf_ntohs(udp->len) > length)
			return LB_VERDICT_MALFORMED;
		p->tuple.ports = *(__u32 *)l4;
		return length < (int)sizeof(*udp) ? LB_VERDICT_MALFORMED : LB_CONTINUE;
	}
	if (is_icmp(p, run.family)) {
		struct icmp_header *icmp = l4;

		if (p->fragment != FRAGMENT_NONE)
			return LB_VERDICT_UNSUPPORTED;
		if ((void *)(icmp + 1) > end || length < (int)sizeof(*icmp))
			return LB_VERDICT_MALFORMED;
		p->icmp_type = icmp->type;
		return LB_CONTINUE;
	}
	return LB_VERDICT_UNSUPPORTED;
}

#endif
