/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PACKET_ANSWER_H
#define LB_BPF_PACKET_ANSWER_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include "packet/csum.h"
#include "packet/packet.h"

/*
 * Answers made out of the packet that caused them: it is cut to the answer's length, its Ethernet addresses change
 * places, and it goes back where it came from. The answer's source is the address that was asked for, so that it passes
 * whatever filter let the question out. How many a CPU may make is limited, as for the kernel's own.
 */

#define ANSWER_TTL 64
#define QUOTED_L4 8 /* bytes of layer 4 that an ICMP error repeats (RFC 792) */

struct answer_error {
	__u8 type4, code4; /* RFC 792 */
	__u8 type6, code6; /* RFC 4443 */
	__u16 mtu;
};

#define ANSWER_PORT_UNREACHABLE ((struct answer_error){3, 3, 1, 4, 0})
#define ANSWER_TTL_EXCEEDED ((struct answer_error){11, 0, 3, 0, 0})
#define ANSWER_PACKET_TOO_BIG(mtu) ((struct answer_error){3, 4, 2, 0, mtu})

struct answer4 {
	struct iphdr ip;
	union {
		struct tcphdr tcp;
		struct {
			struct icmp_header icmp;
			__u8 quoted[sizeof(struct iphdr) + QUOTED_L4];
		};
	};
};

struct answer6 {
	struct ipv6hdr ip;
	union {
		struct tcphdr tcp;
		struct {
			struct icmp_header icmp;
			__u8 quoted[sizeof(struct ipv6hdr) + QUOTED_L4];
		};
	};
};

/* Room for an answer in the making. */
union answer_work {
	struct answer4 v4;
	struct answer6 v6;
	__u32 words[sizeof(struct answer6) / 4];
};

/* Whether this CPU may make another answer in this window. */
static __always_inline int answer_allowed(void)
{
	const __u32 zero = 0, window = (__u32)(bpf_jiffies64() >> LB_ANSWER_WINDOW_SHIFT);
	struct lb_answer_budget *budget = bpf_map_lookup_elem(&lb_answer_budget, &zero);
	struct lb_clock *clock = clock_words();

	if (!budget || !clock)
		return 0;
	if (budget->window != window) {
		budget->window = window;
		budget->used = 0;
	}
	if (budget->used >= clock->answer_rate)
		return 0;
	budget->used++;
	return 1;
}

static __always_inline void answer_ipv4_header(struct iphdr *ip, const struct packet *p, __u8 proto, __u16 length)
{
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = bpf_htons(length);
	ip->frag_off = bpf_htons(0x4000);
	ip->ttl = ANSWER_TTL;
	ip->protocol = proto;
	ip->saddr = p->tuple.dst[0];
	ip->daddr = p->tuple.src[0];
	ip->check = csum_apply(0xffff, (__u32)bpf_csum_diff(NULL, 0, (__be32 *)ip, sizeof(*ip), 0));
}

static __always_inline void answer_ipv6_header(struct ipv6hdr *ip, const struct packet *p, __u8 proto, __u16 length)
{
	ip->version = 6;
	ip->payload_len = bpf_htons(length - sizeof(*ip));
	ip->nexthdr = proto;
	ip->hop_limit = ANSWER_TTL;
	copy_words(ip->saddr.in6_u.u6_addr32, p->tuple.dst, 4);
	copy_words(ip->daddr.in6_u.u6_addr32, p->tuple.src, 4);
}

/* Sum of the pseudo header (RFC 9293, RFC 8200): addresses, protocol, layer 4 length. */
static __always_inline __u64 pseudo_header_sum(const struct packet *p, __u8 proto, __u16 length, const int family)
{
	__u64 sum = (__u64)bpf_htons(proto) + bpf_htons(length);

	for (int i = 0; i < words_of(family); i++)
		sum += (__u64)p->tuple.src[i] + p->tuple.dst[i];
	return sum;
}

/* Each word is checked by itself: compilers merge the copies for both families into one whose length the verifier does
 * not know. */
static __always_inline int answer_copy_out(const struct run run, const struct packet *p,
					   const union answer_work *answer, __u32 length)
{
	__u32 *l3 = packet_l3(run, p);
	void *end = packet_end(run);

	ROLLED
	for (__u32 i = 0; i < length / sizeof(*l3) && i < sizeof(*answer) / sizeof(*l3); i++) {
		if ((void *)(l3 + i + 1) > end)
			return 0;
		l3[i] = answer->words[i];
	}
	return 1;
}

#define FRONT_HALVES ((ETH_HLEN + 4) / 2) /* with a VLAN tag */

/*
 * A frame may end where its buffer does, as small ones of a veth do; before it there is always room. So it grows at the
 * front, and takes what is before layer 3 along; what is behind is written anew in any case.
 */
static __always_inline int answer_resize_xdp(const struct run run, const struct packet *p, const int change)
{
	__u16 front[FRONT_HALVES], *half = packet_data(run);

	if (change <= 0)
		return !bpf_xdp_adjust_tail(run.ctx, change);
	if ((void *)(half + FRONT_HALVES) > packet_end(run))
		return 0;
	__builtin_memcpy(front, half, sizeof(front));
	if (bpf_xdp_adjust_head(run.ctx, -change))
		return 0;
	half = packet_data(run);
	if ((void *)(half + FRONT_HALVES) > packet_end(run))
		return 0;
	__builtin_memcpy(half, front, sizeof(front));
	return 1;
}

static __always_inline int answer_send_xdp(const struct run run, struct packet *p, const union answer_work *answer,
					   const __u32 length)
{
	const int change = (int)(p->l3_offset + length) - (int)packet_length(run);
	struct ethhdr *eth;

	if (!answer_resize_xdp(run, p, change))
		return 0;
	eth = packet_data(run);
	if ((void *)(eth + 1) > packet_end(run) || !answer_copy_out(run, p, answer, length))
		return 0;
	swap_ethernet(eth);
	p->action = XDP_TX;
	return 1;
}

static __always_inline int answer_send_tc(const struct run run, struct packet *p, const union answer_work *answer,
					  const __u32 length)
{
	struct ethhdr eth;

	if (bpf_skb_change_tail(run.ctx, p->l3_offset + length, 0) || bpf_skb_load_bytes(run.ctx, 0, &eth, sizeof(eth)))
		return 0;
	swap_ethernet(&eth);
	if (bpf_skb_store_bytes(run.ctx, 0, &eth, sizeof(eth), 0) ||
	    bpf_skb_store_bytes(run.ctx, p->l3_offset, answer, length, 0))
		return 0;
	p->action = bpf_redirect(p->ifindex, 0);
	return 1;
}

static __always_inline int answer_send(const struct run run, struct packet *p, const union answer_work *answer,
				       const __u32 length)
{
	return is_xdp(run) ? answer_send_xdp(run, p, answer, length) : answer_send_tc(run, p, answer, length);
}

/* Sequence and acknowledgement numbers as RFC 9293, 3.10.7.1 has them for a segment that no connection knows. */
static __always_inline int reset_header(const struct run run, struct tcphdr *reset, const struct packet *p)
{
	const struct tcphdr *tcp = packet_l4(run, p);
	__u32 length;

	if ((void *)(tcp + 1) > packet_end(run))
		return 0;
	reset->source = tcp->dest;
	reset->dest = tcp->source;
	reset->doff = sizeof(*reset) / 4;
	reset->rst = 1;
	if (tcp->ack) {
		reset->seq = tcp->ack_seq;
		return 1;
	}
	length = p->l3_length - (p->l4_offset - p->l3_offset) - tcp->doff * 4 + tcp->syn + tcp->fin;
	reset->ack = 1;
	reset->ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + length);
	return 1;
}

/*
 * XDP writes the finished checksum. A packet in tc may be one whose checksum the device fills in; then the field must
 * hold the pseudo header's sum alone. The helper knows which, if it is told the two parts separately.
 */
static __always_inline int reset_checksum_tc(const struct run run, __u32 check_offset, __u64 pseudo, __u32 segment)
{
	return !bpf_l4_csum_replace(run.ctx, check_offset, 0, csum_fold32(pseudo), BPF_F_PSEUDO_HDR) &&
	       !bpf_l4_csum_replace(run.ctx, check_offset, 0, segment, 0);
}

static __always_inline int answer_reset(const struct run run, struct packet *p, union answer_work *work)
{
	const __u64 pseudo = pseudo_header_sum(p, LB_IPPROTO_TCP, sizeof(struct tcphdr), run.family);
	const __u32 header = run.family == LB_AF_INET ? sizeof(work->v4.ip) : sizeof(work->v6.ip),
		    length = header + sizeof(struct tcphdr);
	struct tcphdr *tcp = run.family == LB_AF_INET ? &work->v4.tcp : &work->v6.tcp;
	__u32 segment;

	if (!reset_header(run, tcp, p))
		return 0;
	segment = (__u32)bpf_csum_diff(NULL, 0, (__be32 *)tcp, sizeof(*tcp), 0);
	if (is_xdp(run))
		tcp->check = csum_apply(0xffff, pseudo + segment);
	if (run.family == LB_AF_INET)
		answer_ipv4_header(&work->v4.ip, p, LB_IPPROTO_TCP, length);
	else
		answer_ipv6_header(&work->v6.ip, p, LB_IPPROTO_TCP, length);
	if (!answer_send(run, p, work, length))
		return 0;
	return is_xdp(run) || reset_checksum_tc(run, p->l3_offset + header + __builtin_offsetof(struct tcphdr, check),
						pseudo, segment);
}

static __always_inline int answer_icmpv4(const struct run run, struct packet *p, struct answer4 *answer,
					 const struct answer_error *error)
{
	const void *l3 = packet_l3(run, p);

	if (l3 + sizeof(answer->quoted) > packet_end(run))
		return 0;
	copy_block(answer->quoted, l3, sizeof(answer->quoted));
	answer->icmp.type = error->type4;
	answer->icmp.code = error->code4;
	answer->icmp.rest = bpf_htonl(error->mtu);
	answer->icmp.checksum =
		csum_apply(0xffff, (__u32)bpf_csum_diff(NULL, 0, (__be32 *)&answer->icmp,
							sizeof(answer->icmp) + sizeof(answer->quoted), 0));
	answer_ipv4_header(&answer->ip, p, LB_IPPROTO_ICMP, sizeof(*answer));
	return 1;
}

static __always_inline int answer_icmpv6(const struct run run, struct packet *p, struct answer6 *answer,
					 const struct answer_error *error)
{
	const __u16 length = sizeof(answer->icmp) + sizeof(answer->quoted);
	const void *l3 = packet_l3(run, p);

	if (l3 + sizeof(answer->quoted) > packet_end(run))
		return 0;
	copy_block(answer->quoted, l3, sizeof(answer->quoted));
	answer->icmp.type = error->type6;
	answer->icmp.code = error->code6;
	answer->icmp.rest = bpf_htonl(error->mtu);
	answer->icmp.checksum =
		csum_apply(0xffff, pseudo_header_sum(p, LB_IPPROTO_ICMPV6, length, LB_AF_INET6) +
					   (__u32)bpf_csum_diff(NULL, 0, (__be32 *)&answer->icmp, length, 0));
	answer_ipv6_header(&answer->ip, p, LB_IPPROTO_ICMPV6, sizeof(*answer));
	return 1;
}

/* Only for packets whose layer 4 header follows the fixed IP header: the quoted length is a constant. */
static __always_inline int answer_icmp_error(const struct run run, struct packet *p, union answer_work *work,
					     const struct answer_error *error)
{
	if (run.family == LB_AF_INET)
		return answer_icmpv4(run, p, &work->v4, error) && answer_send(run, p, work, sizeof(work->v4));
	return answer_icmpv6(run, p, &work->v6, error) && answer_send(run, p, work, sizeof(work->v6));
}

/* What the sender is told for which verdict; refusals of TCP are resets. */
static __always_inline struct answer_error error_for(enum lb_verdict verdict, __u16 mtu)
{
	if (verdict == LB_VERDICT_ANSWER_TIME_EXCEEDED)
		return ANSWER_TTL_EXCEEDED;
	if (verdict == LB_VERDICT_ANSWER_TOO_BIG)
		return ANSWER_PACKET_TOO_BIG(mtu);
	return ANSWER_PORT_UNREACHABLE;
}

static __always_inline int is_refusal(enum lb_verdict verdict)
{
	return verdict != LB_VERDICT_ANSWER_TIME_EXCEEDED && verdict != LB_VERDICT_ANSWER_TOO_BIG;
}

/* Answers as the verdict says, within the limit. Returns it, or another one where nothing was sent. */
static __always_inline enum lb_verdict answer(const struct run run, struct packet *p, enum lb_verdict verdict,
					      __u16 mtu, union answer_work *work)
{
	const __u32 header = run.family == LB_AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	const int reset = p->tuple.proto == LB_IPPROTO_TCP && is_refusal(verdict);
	const struct answer_error error = error_for(verdict, mtu);

	if (reset && (p->tcp_flags & TCP_RST || p->fragment == FRAGMENT_LATER))
		return LB_VERDICT_NO_FLOW;
	if (!reset && (p->l4_offset != p->l3_offset + header || p->fragment != FRAGMENT_NONE))
		return LB_VERDICT_UNSUPPORTED;
	if (!answer_allowed())
		return LB_VERDICT_RATE_LIMITED;
	__builtin_memset(work, 0, sizeof(*work));
	if (reset)
		return answer_reset(run, p, work) ? verdict : LB_VERDICT_MALFORMED;
	return answer_icmp_error(run, p, work, &error) ? verdict : LB_VERDICT_MALFORMED;
}

#endif
