/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PIPELINE_H
#define LB_BPF_PIPELINE_H

#include "count.h"
#include "csum.h"
#include "flow.h"
#include "forward.h"
#include "frag.h"
#include "icmp.h"
#include "lookup.h"
#include "ours.h"
#include "packet.h"
#include "parse.h"
#include "reject.h"
#include "rewrite.h"
#include "select.h"

/*
 * The story. A packet arriving at an uplink (XDP or tc ingress) becomes ours when its destination is an address that
 * services own, or one of this node's addresses with a NodePort or a SNAT port. From then on it may be dropped, and
 * every verdict is counted.
 *
 *   arrive -> parse -> ours? -> flow hit ---------------------------------> rewrite -> forward
 *                           \-> service -> select -> make both entries --/
 *
 * A packet leaving (tc egress) is looked at only when its source is a backend on this node, and only to give a reply
 * the service's address again.
 *
 * Functions return a verdict, or LB_CONTINUE, or one of enum deferred: the hit path has a small frame and few registers
 * to lose, and all frames of a call chain share 512 bytes of stack, so what is rare leaves its findings in per-CPU
 * memory (struct scratch), returns, and is done by another function afterwards. An object calls such a function for one
 * hook only, so the hook is a constant in it too; the family is branched on once.
 */

struct scratch {
	struct packet p;
	struct flow_view view;
	struct flow_at at;
	__u32 verdict;
	struct flow_work work;
	struct tuple opposite; /* of the packet that an ICMP error quotes */
	struct tuple quoted;
	struct hop hop;
	struct bpf_fib_lookup fib;
	union answer_work answer;
};
_Static_assert(sizeof(struct scratch) <= sizeof(struct lb_scratch), "raise LB_SCRATCH_WORDS");

enum deferred {
	DEFER_BEGIN = LB_CONTINUE + 1, /* scratch: p */
	DEFER_BEGIN_ANEW,	       /* scratch: p, view of the flow that is over */
	DEFER_ICMP,		       /* scratch: p */
	DEFER_REFUSE,		       /* scratch: p, verdict if the address is owned */
	DEFER_ANSWER,		       /* scratch: p, verdict, hop.mtu */
};

/* What a family's function returns: a verdict or deferred, the action of a SEND verdict, and whether the flow is to be
 * refreshed. */
#define RESULT_VERDICT 0xff
#define RESULT_ACTION_SHIFT 8
#define RESULT_REFRESH 0x10000 /* scratch: p, view, at */

static __always_inline struct scratch *scratch_memory(void)
{
	const __u32 zero = 0;

	return bpf_map_lookup_elem(&lb_scratch, &zero);
}

static __always_inline enum lb_verdict defer(const struct packet *p, const enum deferred what)
{
	struct scratch *scratch = scratch_memory();

	if (!scratch)
		return LB_VERDICT_BROKEN_REFERENCE;
	scratch->p = *p;
	return (enum lb_verdict)what;
}

static __always_inline enum lb_verdict defer_verdict(const struct packet *p, const enum deferred what,
						     enum lb_verdict verdict, __u32 mtu)
{
	struct scratch *scratch = scratch_memory();

	if (!scratch)
		return LB_VERDICT_BROKEN_REFERENCE;
	scratch->p = *p;
	scratch->verdict = verdict;
	scratch->hop.mtu = mtu;
	return (enum lb_verdict)what;
}

static __always_inline enum lb_verdict defer_anew(const struct packet *p, const struct flow_view *view)
{
	struct scratch *scratch = scratch_memory();

	if (!scratch)
		return LB_VERDICT_BROKEN_REFERENCE;
	scratch->p = *p;
	scratch->view = *view;
	return (enum lb_verdict)DEFER_BEGIN_ANEW;
}

/* Once a second, and when the flow's state changes, its entries are told that it lives. Returns RESULT_REFRESH then. */
static __always_inline int observe(const struct packet *p, const struct flow_at *at, struct flow_view *view,
				   const struct lb_clock *clock)
{
	const __u8 state = flow_observed_state(p, view->flags);
	struct scratch *scratch;

	if (likely(view->touched == (__u8)clock->now && !(state & ~view->state)))
		return 0;
	scratch = scratch_memory();
	if (!scratch)
		return 0;
	view->state |= state;
	scratch->p = *p;
	scratch->view = *view;
	scratch->at = *at;
	return RESULT_REFRESH;
}

/* An owned address may be refused or dropped; one that only shares a filter bucket with an owned one goes on untouched.
 */
static __always_inline enum lb_verdict refuse(const struct packet *p, enum lb_verdict verdict, const int family)
{
	if (!(p->classes & LB_CLASS_VIP) || !(lookup_address(p, family) & LB_ADDRESS_VIP))
		return LB_VERDICT_NOT_OURS;
	return verdict;
}

static OUT_OF_LINE void remember_fragment(const struct scratch *scratch, int family)
{
	fragment_remember(&scratch->p, family);
}

static OUT_OF_LINE int recall_fragment(struct scratch *scratch, int family)
{
	return fragment_recall(&scratch->p, family);
}

static __always_inline int apply(void *ctx, struct packet *p, const struct flow_view *view, const __u8 hops,
				 const enum lb_hook hook, const int family)
{
	if (unlikely(p->fragment == FRAGMENT_FIRST)) {
		struct scratch *scratch = scratch_memory();

		if (!scratch)
			return 0;
		scratch->p = *p;
		remember_fragment(scratch, family);
	}
	return rewrite(ctx, p, &view->to, hops, hook, family);
}

/* Client to a backend on this node: the stack delivers, and takes the hop off the TTL if it forwards. */
static __always_inline enum lb_verdict to_local(void *ctx, struct packet *p, const struct flow_view *view,
						enum lb_verdict verdict, const enum lb_hook hook, const int family)
{
	if (!apply(ctx, p, view, 0, hook, family))
		return LB_VERDICT_MALFORMED;
	count_backend(view->backend, 0, p->l3_length);
	return verdict;
}

/* To another node: a packet for a backend, or a reply for a client. */
static __always_inline enum lb_verdict to_remote(void *ctx, struct packet *p, const struct flow_view *view,
						 const struct lb_hop *hop, enum lb_verdict verdict,
						 const enum lb_hook hook, const int family)
{
	if (!apply(ctx, p, view, 1, hook, family) || !send(ctx, p, hop, hook))
		return LB_VERDICT_MALFORMED;
	count_backend(view->backend, !!(view->flags & LB_FLOW_REPLY), p->l3_length);
	return verdict;
}

/* The verdict for a hop that cannot be used now; LB_CONTINUE for one that can. */
static __always_inline enum lb_verdict hop_verdict(const struct packet *p, enum hop_state state,
						   const struct lb_hop *hop, const enum lb_hook hook)
{
	if (unlikely(state == HOP_NO_ROUTE))
		return LB_VERDICT_NO_ROUTE;
	if (unlikely(state == HOP_UNMANAGED))
		return LB_VERDICT_EGRESS_UNMANAGED;
	if (unlikely(state == HOP_UNRESOLVED || (hook == LB_HOOK_XDP && !xdp_can_send(p, hop->ifindex))))
		return LB_VERDICT_UNRESOLVED;
	return LB_CONTINUE;
}

/* The way to a backend on another node: all its flows have the same, so it is kept with the backend. */
static __always_inline enum lb_verdict hop_to_backend(void *ctx, struct hop *hop, const struct packet *p,
						      struct lb_backend *backend, const struct lb_clock *clock,
						      const enum lb_hook hook, const int family)
{
	enum hop_state state = HOP_READY;

	if (unlikely(!backend_hop_read(hop, backend, current_hop_stamp(clock)))) {
		struct scratch *scratch = scratch_memory();

		if (!scratch)
			return LB_VERDICT_BROKEN_REFERENCE;
		hop_ask(&scratch->fib, p, NULL, backend->addr.word, family);
		state = hop_look_up(ctx, hop, &scratch->fib, clock, hook);
		if (state == HOP_READY)
			backend_hop_write(backend, hop);
	}
	return hop_verdict(p, state, &hop->to, hook);
}

/* The way to a flow's client, kept with its reply entry. */
static __always_inline enum lb_verdict hop_to_client(void *ctx, struct hop *hop, const struct packet *p,
						     struct flow_at *at, const struct flow_view *view,
						     const struct lb_clock *clock, const enum lb_hook hook,
						     const int family)
{
	enum hop_state state = HOP_READY;

	hop->mtu = 0;
	if (unlikely(hop->to.stamp != current_hop_stamp(clock))) {
		struct scratch *scratch = scratch_memory();

		if (!scratch)
			return LB_VERDICT_BROKEN_REFERENCE;
		hop_ask(&scratch->fib, p, view->to.src, view->to.dst, family);
		state = hop_look_up(ctx, hop, &scratch->fib, clock, hook);
		if (state == HOP_READY && hop->to.stamp != LB_HOP_NONE)
			table_store_hop(at, &hop->to, family);
	}
	return hop_verdict(p, state, &hop->to, hook);
}

static __always_inline int exceeds_mtu(void *ctx, const struct packet *p, __u32 mtu, const enum lb_hook hook)
{
	if (likely(!mtu || p->l3_length <= mtu))
		return 0;
	/* Segmentation offload: what is one packet here leaves as several that fit. */
	return hook == LB_HOOK_XDP || ((struct __sk_buff *)ctx)->gso_segs <= 1;
}

/* A client's SYN on a flow that is over, or whose backend is leaving, begins another; otherwise it is a retransmission.
 */
static __always_inline int begins_anew(const struct packet *p, const struct flow_view *view,
				       const struct lb_backend *backend, const struct lb_clock *clock)
{
	if (likely((p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN))
		return 0;
	return view->state & LB_FLOW_CLOSING || backend->flags & LB_BACKEND_DRAINING ||
	       entry_remaining(clock, view->expires) < 0;
}

/*
 * The slot has another occupant, or none. What can start over does; the rest of TCP is told, whichever side speaks. A
 * last UDP reply still reaches the client.
 */
static __always_inline enum lb_verdict backend_gone(const struct packet *p, const struct flow_view *view)
{
	const int reply = view->flags & LB_FLOW_REPLY;

	if (p->tuple.proto == LB_IPPROTO_TCP && (reply || (p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN))
		return defer_verdict(p, DEFER_ANSWER, LB_VERDICT_ANSWER_BACKEND_GONE, 0);
	return reply ? LB_CONTINUE : defer_anew(p, view);
}

/* *hop is the entry's own, good for replies; for the other direction it is the backend's. */
static __always_inline enum lb_verdict hit_remote(void *ctx, struct packet *p, struct flow_at *at,
						  struct flow_view *view, struct hop *hop, struct lb_backend *backend,
						  const struct lb_clock *clock, int *refresh, const enum lb_hook hook,
						  const int family)
{
	const int reply = view->flags & LB_FLOW_REPLY;
	enum lb_verdict verdict;

	if (reply)
		verdict = hop_to_client(ctx, hop, p, at, view, clock, hook, family);
	else
		verdict = hop_to_backend(ctx, hop, p, backend, clock, hook, family);
	if (unlikely(verdict != LB_CONTINUE))
		return verdict;
	if (unlikely(p->ttl <= 1))
		return defer_verdict(p, DEFER_ANSWER, LB_VERDICT_ANSWER_TIME_EXCEEDED, 0);
	if (unlikely(exceeds_mtu(ctx, p, hop->mtu, hook)))
		return defer_verdict(p, DEFER_ANSWER, LB_VERDICT_ANSWER_TOO_BIG, hop->mtu);
	*refresh = observe(p, at, view, clock);
	return to_remote(ctx, p, view, &hop->to, reply ? LB_VERDICT_REMOTE_REPLY : LB_VERDICT_REMOTE_HIT, hook, family);
}

static __always_inline enum lb_verdict hit(void *ctx, struct packet *p, struct flow_at *at, struct flow_view *view,
					   struct hop *hop, int *refresh, const enum lb_hook hook, const int family)
{
	struct lb_backend *backend = bpf_map_lookup_elem(&lb_backends, &view->backend);
	struct lb_clock *clock = clock_words();

	if (!backend || !clock)
		return LB_VERDICT_BROKEN_REFERENCE;
	if (unlikely(READ_ONCE(backend->generation) != view->generation)) {
		const enum lb_verdict verdict = backend_gone(p, view);

		if (verdict != LB_CONTINUE)
			return verdict;
	}
	if (!(view->flags & LB_FLOW_REPLY) && unlikely(begins_anew(p, view, backend, clock)))
		return defer_anew(p, view);
	if (!(view->flags & LB_FLOW_LOCAL))
		return hit_remote(ctx, p, at, view, hop, backend, clock, refresh, hook, family);
	*refresh = observe(p, at, view, clock);
	return to_local(ctx, p, view, LB_VERDICT_LOCAL_HIT, hook, family);
}

static __always_inline enum lb_verdict arrive_flow(void *ctx, struct packet *p, int *refresh, const enum lb_hook hook,
						   const int family)
{
	struct flow_view view;
	struct flow_at at;
	struct hop hop;

	keep_in_memory(p);
	keep_in_memory(&view);
	keep_in_memory(&hop);
	keep_in_memory(&at);
	switch (table_find(&view, &hop.to, &at, &p->tuple, flow_hash(&p->tuple, family), family)) {
	case TABLE_FOUND:
		/* A reply of a backend on this node leaves by tc egress; arriving it is not what the entry was made
		 * for. */
		if (unlikely(flow_is_local_reply(&view)))
			return LB_VERDICT_NOT_OURS;
		return hit(ctx, p, &at, &view, &hop, refresh, hook, family);
	case TABLE_BUSY:
		return LB_VERDICT_FLOW_BUSY;
	default:
		return defer(p, DEFER_BEGIN);
	}
}

static __always_inline enum lb_verdict parse_headers(void *ctx, struct packet *p, const enum lb_hook hook,
						     const int family)
{
	enum lb_verdict verdict = family == LB_AF_INET ? parse_ipv4(ctx, p, hook) : parse_ipv6(ctx, p, hook);

	if (verdict != LB_CONTINUE)
		return verdict;
	if (unlikely(p->fragment == FRAGMENT_LATER)) {
		struct scratch *scratch = scratch_memory();

		if (!scratch)
			return LB_VERDICT_BROKEN_REFERENCE;
		scratch->p = *p;
		verdict = recall_fragment(scratch, family);
		p->tuple.sport = scratch->p.tuple.sport;
		p->tuple.dport = scratch->p.tuple.dport;
		return verdict;
	}
	return parse_transport(ctx, p, hook, family);
}

static __always_inline enum lb_verdict arrive_ours(void *ctx, struct packet *p, int *refresh, const enum lb_hook hook,
						   const int family)
{
	enum lb_verdict verdict;

	if (!parse_addresses(ctx, p, hook, family))
		return LB_VERDICT_NOT_IP;
	verdict = parse_headers(ctx, p, hook, family);
	if (unlikely(verdict != LB_CONTINUE))
		return defer_verdict(p, DEFER_REFUSE, verdict, 0);
	if (unlikely(is_icmp(p, family)))
		return defer(p, DEFER_ICMP);
	if (!(p->classes & LB_CLASS_VIP) && !is_snat_port(p->tuple.dport) && !is_nodeport(p->tuple.dport))
		return LB_VERDICT_NOT_OURS;
	return arrive_flow(ctx, p, refresh, hook, family);
}

static __always_inline enum lb_verdict leave_flow(void *ctx, struct packet *p, int *refresh, const int family)
{
	struct lb_clock *clock = clock_words();
	struct flow_view view;
	struct flow_at at;

	if (!clock)
		return LB_VERDICT_BROKEN_REFERENCE;
	keep_in_memory(p);
	keep_in_memory(&view);
	keep_in_memory(&at);
	switch (table_find(&view, NULL, &at, &p->tuple, flow_hash(&p->tuple, family), family)) {
	case TABLE_FOUND:
		break;
	case TABLE_BUSY:
		/* With its own address a reply would make the client reset the connection; lost, it is sent again. */
		return LB_VERDICT_FLOW_BUSY;
	default:
		return LB_VERDICT_NOT_OURS;
	}
	if (!flow_is_local_reply(&view))
		return LB_VERDICT_NOT_OURS;
	*refresh = observe(p, &at, &view, clock);
	if (!apply(ctx, p, &view, 0, LB_HOOK_TC_EGRESS, family))
		return LB_VERDICT_MALFORMED;
	count_backend(view.backend, 1, p->l3_length);
	return LB_VERDICT_LOCAL_REPLY;
}

/* Whatever is not the reply of a flow leaves as it is: this node's own traffic is never ours to refuse. */
static __always_inline enum lb_verdict leave_ours(void *ctx, struct packet *p, int *refresh, const int family)
{
	if (!parse_addresses(ctx, p, LB_HOOK_TC_EGRESS, family))
		return LB_VERDICT_NOT_IP;
	if (parse_headers(ctx, p, LB_HOOK_TC_EGRESS, family) != LB_CONTINUE)
		return LB_VERDICT_NOT_OURS;
	return is_icmp(p, family) ? defer(p, DEFER_ICMP) : leave_flow(ctx, p, refresh, family);
}

static __always_inline int ours(void *ctx, const struct glance *glance, const enum lb_hook hook, const int family)
{
	struct packet p = {
		.ifindex = packet_ifindex(ctx, hook),
		.vlan = glance->vlan,
		.l3_offset = glance->l3_offset,
		.classes = glance->classes,
	};
	enum lb_verdict verdict;
	int refresh = 0;

	if (hook == LB_HOOK_TC_EGRESS)
		verdict = leave_ours(ctx, &p, &refresh, family);
	else
		verdict = arrive_ours(ctx, &p, &refresh, hook, family);
	return verdict | p.action << RESULT_ACTION_SHIFT | refresh;
}

/* A frame for each family, so that one does not pay for the other's variables. */
static OUT_OF_LINE int arrive4(void *ctx, const struct glance *glance, enum lb_hook hook)
{
	return ours(ctx, glance, hook, LB_AF_INET);
}

static OUT_OF_LINE int arrive6(void *ctx, const struct glance *glance, enum lb_hook hook)
{
	return ours(ctx, glance, hook, LB_AF_INET6);
}

static OUT_OF_LINE int leave4(void *ctx, const struct glance *glance)
{
	return ours(ctx, glance, LB_HOOK_TC_EGRESS, LB_AF_INET);
}

static OUT_OF_LINE int leave6(void *ctx, const struct glance *glance)
{
	return ours(ctx, glance, LB_HOOK_TC_EGRESS, LB_AF_INET6);
}

/* From here on, what is rare. */

static OUT_OF_LINE void refresh(struct scratch *scratch, int family)
{
	struct lb_clock *clock = clock_words();

	if (!clock)
		return;
	if (family == LB_AF_INET)
		flow_refresh(&scratch->at, &scratch->p.tuple, &scratch->view, &scratch->work, clock, LB_AF_INET);
	else
		flow_refresh(&scratch->at, &scratch->p.tuple, &scratch->view, &scratch->work, clock, LB_AF_INET6);
}

/* The service that this packet asks for; where there is none, *verdict says what becomes of the packet. */
static __always_inline struct lb_service *service_of(enum lb_verdict *verdict, const struct packet *p, const int family)
{
	struct lb_service *service = NULL;
	__u32 address;

	if (p->classes & LB_CLASS_VIP)
		service = lookup_frontend(p, family);
	if (service)
		return service;
	address = lookup_address(p, family);
	if (address & LB_ADDRESS_NODEPORT && is_nodeport(p->tuple.dport))
		service = lookup_nodeport(p, family);
	if (address & LB_ADDRESS_VIP)
		*verdict = LB_VERDICT_ANSWER_CLOSED_PORT;
	else
		*verdict = address ? LB_VERDICT_NO_SERVICE : LB_VERDICT_NOT_OURS;
	return service;
}

static __always_inline void describe_flow(struct flow_view *view, const struct packet *p,
					  const struct lb_backend *backend, const struct lb_clock *clock,
					  const int family)
{
	copy_words(view->to.src, p->tuple.src, words_of(family));
	copy_words(view->to.dst, backend->addr.word, words_of(family));
	view->to.sport = p->tuple.sport;
	view->to.dport = backend->port;
	view->to.proto = p->tuple.proto;
	view->generation = backend->generation;
	view->flags = backend->flags & LB_BACKEND_LOCAL ? LB_FLOW_LOCAL : LB_FLOW_SNAT;
	view->state = flow_observed_state(p, 0);
	view_touch(view, (__u8)p->tuple.proto, clock);
}

static __always_inline enum lb_verdict begin_remote(void *ctx, struct scratch *scratch, struct lb_backend *backend,
						    const struct lb_clock *clock, const enum lb_hook hook,
						    const int family)
{
	struct flow_view *view = &scratch->view;
	struct packet *p = &scratch->p;
	struct hop *hop = &scratch->hop;
	enum lb_verdict verdict = hop_to_backend(ctx, hop, p, backend, clock, hook, family);

	if (verdict != LB_CONTINUE)
		return verdict;
	if (p->ttl <= 1)
		return LB_VERDICT_ANSWER_TIME_EXCEEDED;
	if (exceeds_mtu(ctx, p, hop->mtu, hook))
		return LB_VERDICT_ANSWER_TOO_BIG;
	if (!source_address(view->to.src, hop->to.ifindex, family))
		return LB_VERDICT_NO_ROUTE;
	verdict = flow_make(view, &p->tuple, &scratch->work, clock, family);
	if (verdict != LB_CONTINUE)
		return verdict;
	count_flow(view->backend);
	return to_remote(ctx, p, view, &hop->to, LB_VERDICT_REMOTE_NEW, hook, family);
}

static __always_inline enum lb_verdict begin_local(void *ctx, struct scratch *scratch, const struct lb_clock *clock,
						   const enum lb_hook hook, const int family)
{
	const enum lb_verdict verdict = flow_make(&scratch->view, &scratch->p.tuple, &scratch->work, clock, family);

	if (verdict != LB_CONTINUE)
		return verdict;
	count_flow(scratch->view.backend);
	return to_local(ctx, &scratch->p, &scratch->view, LB_VERDICT_LOCAL_NEW, hook, family);
}

/* First packet of a flow: service, policy, selection, both entries, off it goes. */
static __always_inline enum lb_verdict begin(void *ctx, struct scratch *scratch, const enum lb_hook hook,
					     const int family)
{
	enum lb_verdict verdict = LB_VERDICT_BROKEN_REFERENCE;
	struct flow_view *view = &scratch->view;
	struct lb_clock *clock = clock_words();
	struct packet *p = &scratch->p;
	struct lb_service *service;
	struct lb_backend *backend;

	if (!clock)
		return verdict;
	service = service_of(&verdict, p, family);
	if (!service)
		return verdict;
	if (service->flags & LB_SERVICE_DROP)
		return LB_VERDICT_POLICY;
	if (service->flags & LB_SERVICE_REJECT)
		return LB_VERDICT_ANSWER_NO_BACKEND;
	if (p->tcp_flags & TCP_RST || p->fragment == FRAGMENT_LATER)
		return LB_VERDICT_NO_FLOW;
	backend = select_backend(&view->backend, service, p, family);
	if (!backend)
		return LB_VERDICT_BROKEN_REFERENCE;
	describe_flow(view, p, backend, clock, family);
	if (view->flags & LB_FLOW_LOCAL)
		return begin_local(ctx, scratch, clock, hook, family);
	return begin_remote(ctx, scratch, backend, clock, hook, family);
}

static OUT_OF_LINE int begin_out_of_line(void *ctx, struct scratch *scratch, enum lb_hook hook, int family)
{
	if (family == LB_AF_INET)
		return begin(ctx, scratch, hook, LB_AF_INET);
	return begin(ctx, scratch, hook, LB_AF_INET6);
}

/* The error's new addresses, from the entry that an answer to the quoted packet would find. */
static __always_inline int relay_error(void *ctx, struct scratch *scratch, const __u8 hops, const enum lb_hook hook,
				       const int family)
{
	const struct flow_view *view = &scratch->view;
	const int from_us = view->flags & (LB_FLOW_REPLY | LB_FLOW_SNAT);

	tuple_reverse(&scratch->quoted, &view->to, family);
	return icmp_rewrite_error(ctx, &scratch->p, from_us ? view->to.src : scratch->p.tuple.src, view->to.dst,
				  &scratch->opposite, &scratch->quoted, hops, hook, family);
}

/* Finds the flow that an ICMP error is about: scratch->view. What local backends' clients send never leaves this node
 * as it was quoted to, so only tc egress sees errors about it. */
static __always_inline int flow_of_error(void *ctx, struct scratch *scratch, const enum lb_hook hook, const int family)
{
	if (!icmp_read_quoted(ctx, &scratch->opposite, &scratch->p, hook, family))
		return 0;
	return lb_table_find(&scratch->view, &scratch->at, &scratch->opposite, family) == TABLE_FOUND &&
	       (hook == LB_HOOK_TC_EGRESS) == flow_is_local_reply(&scratch->view);
}

static __always_inline enum lb_verdict relay_remote(void *ctx, struct scratch *scratch, const struct lb_clock *clock,
						    const enum lb_hook hook, const int family)
{
	const struct flow_view *view = &scratch->view;
	struct packet *p = &scratch->p;
	enum lb_verdict verdict;
	enum hop_state state;

	hop_ask(&scratch->fib, p, view->to.src, view->to.dst, family);
	state = hop_look_up(ctx, &scratch->hop, &scratch->fib, clock, hook);
	verdict = hop_verdict(p, state, &scratch->hop.to, hook);
	if (verdict != LB_CONTINUE)
		return verdict;
	if (p->ttl <= 1)
		return LB_VERDICT_NO_FLOW;
	if (!relay_error(ctx, scratch, 1, hook, family) || !send(ctx, p, &scratch->hop.to, hook))
		return LB_VERDICT_MALFORMED;
	return LB_VERDICT_ICMP_REMOTE;
}

static __always_inline enum lb_verdict icmp_arrives(void *ctx, struct scratch *scratch, const enum lb_hook hook,
						    const int family)
{
	struct lb_clock *clock = clock_words();
	struct packet *p = &scratch->p;

	if (!clock)
		return LB_VERDICT_BROKEN_REFERENCE;
	if (icmp_is_error(p, family)) {
		if (!flow_of_error(ctx, scratch, hook, family))
			return refuse(p, LB_VERDICT_NO_FLOW, family);
		if (!(scratch->view.flags & LB_FLOW_LOCAL))
			return relay_remote(ctx, scratch, clock, hook, family);
		return relay_error(ctx, scratch, 0, hook, family) ? LB_VERDICT_ICMP_LOCAL : LB_VERDICT_MALFORMED;
	}
	if (icmp_is_link_local(p, family) || refuse(p, LB_CONTINUE, family) != LB_CONTINUE)
		return LB_VERDICT_NOT_OURS;
	if (!icmp_is_echo(p, family))
		return LB_VERDICT_NO_FLOW;
	if (!icmp_answer_echo(ctx, p, hook, family))
		return LB_VERDICT_MALFORMED;
	p->action = hook == LB_HOOK_XDP ? (int)XDP_TX : bpf_redirect(p->ifindex, 0);
	return LB_VERDICT_ANSWER_ECHO;
}

/* An error that a backend on this node, or this node for it, sends to the client. */
static __always_inline enum lb_verdict icmp_leaves(void *ctx, struct scratch *scratch, const int family)
{
	if (!icmp_is_error(&scratch->p, family) || !flow_of_error(ctx, scratch, LB_HOOK_TC_EGRESS, family))
		return LB_VERDICT_NOT_OURS;
	return relay_error(ctx, scratch, 0, LB_HOOK_TC_EGRESS, family) ? LB_VERDICT_ICMP_LOCAL : LB_VERDICT_MALFORMED;
}

static OUT_OF_LINE int icmp_arrives_out_of_line(void *ctx, struct scratch *scratch, enum lb_hook hook, int family)
{
	if (family == LB_AF_INET)
		return icmp_arrives(ctx, scratch, hook, LB_AF_INET);
	return icmp_arrives(ctx, scratch, hook, LB_AF_INET6);
}

static OUT_OF_LINE int icmp_leaves_out_of_line(void *ctx, struct scratch *scratch, int family)
{
	if (family == LB_AF_INET)
		return icmp_leaves(ctx, scratch, LB_AF_INET);
	return icmp_leaves(ctx, scratch, LB_AF_INET6);
}

static __always_inline int is_answer(enum lb_verdict verdict)
{
	return verdict >= LB_VERDICT_ANSWER_NO_BACKEND && verdict <= LB_VERDICT_ANSWER_TOO_BIG &&
	       verdict != LB_VERDICT_ANSWER_ECHO;
}

static OUT_OF_LINE int answer_out_of_line(void *ctx, struct scratch *scratch, int verdict, enum lb_hook hook,
					  int family)
{
	struct lb_clock *clock = clock_words();
	const __u16 mtu = (__u16)scratch->hop.mtu;

	if (!clock)
		return LB_VERDICT_BROKEN_REFERENCE;
	if (family == LB_AF_INET)
		return answer(ctx, &scratch->p, verdict, mtu, &scratch->answer, clock, hook, LB_AF_INET);
	return answer(ctx, &scratch->p, verdict, mtu, &scratch->answer, clock, hook, LB_AF_INET6);
}

/* Does what an arriving packet's family function left to be done. Returns the verdict. */
static __always_inline enum lb_verdict resume_arrival(void *ctx, struct scratch *scratch, int what,
						      const enum lb_hook hook, int family)
{
	enum lb_verdict verdict;

	switch (what) {
	case DEFER_BEGIN_ANEW:
		flow_end(&scratch->p.tuple, &scratch->view, 0, family);
		verdict = begin_out_of_line(ctx, scratch, hook, family);
		break;
	case DEFER_BEGIN:
		verdict = begin_out_of_line(ctx, scratch, hook, family);
		break;
	case DEFER_ICMP:
		return icmp_arrives_out_of_line(ctx, scratch, hook, family);
	case DEFER_REFUSE:
		return refuse(&scratch->p, scratch->verdict, family);
	default:
		verdict = scratch->verdict;
		break;
	}
	return is_answer(verdict) ? answer_out_of_line(ctx, scratch, verdict, hook, family) : verdict;
}

static __always_inline int finish(enum lb_verdict verdict, int action, const enum lb_hook hook)
{
	count_verdict(hook, verdict);
	if (verdict < LB_VERDICT_FIRST_SEND)
		return hook == LB_HOOK_XDP ? (int)XDP_PASS : TC_ACT_UNSPEC;
	if (verdict < LB_VERDICT_FIRST_DROP)
		return action;
	return hook == LB_HOOK_XDP ? (int)XDP_DROP : TC_ACT_SHOT;
}

/* Whether the packet can be ours at all: one read of the filter. Most packets end here. */
static __always_inline void look_at(struct glance *glance, void *ctx, const __u8 wanted, const enum lb_hook hook)
{
	__be32 addr[4];

	parse_ethernet(glance, ctx, hook);
	if (glance->family == LB_AF_INET && parse_owner(addr, ctx, glance, hook, LB_AF_INET))
		glance->classes = address_classes(addr, LB_AF_INET) & wanted;
	else if (glance->family == LB_AF_INET6 && parse_owner(addr, ctx, glance, hook, LB_AF_INET6))
		glance->classes = address_classes(addr, LB_AF_INET6) & wanted;
}

static __always_inline int arrive(void *ctx, const enum lb_hook hook)
{
	struct glance glance = {};
	struct scratch *scratch;
	int result, verdict;

	look_at(&glance, ctx, LB_CLASS_VIP | LB_CLASS_NODE, hook);
	if (likely(!glance.classes))
		return finish(glance.family ? LB_VERDICT_NOT_OURS : LB_VERDICT_NOT_IP, 0, hook);
	result = glance.family == LB_AF_INET ? arrive4(ctx, &glance, hook) : arrive6(ctx, &glance, hook);
	verdict = result & RESULT_VERDICT;
	if (likely(verdict < LB_CONTINUE && !(result & RESULT_REFRESH)))
		return finish(verdict, result >> RESULT_ACTION_SHIFT, hook);
	scratch = scratch_memory();
	if (!scratch)
		return finish(LB_VERDICT_BROKEN_REFERENCE, 0, hook);
	if (result & RESULT_REFRESH) {
		refresh(scratch, glance.family);
		return finish(verdict, result >> RESULT_ACTION_SHIFT & 0xff, hook);
	}
	verdict = resume_arrival(ctx, scratch, verdict, hook, glance.family);
	return finish(verdict, scratch->p.action, hook);
}

static __always_inline int leave(void *ctx)
{
	struct glance glance = {};
	struct scratch *scratch;
	int result, verdict;

	look_at(&glance, ctx, LB_CLASS_BACKEND, LB_HOOK_TC_EGRESS);
	if (likely(!glance.classes))
		return finish(glance.family ? LB_VERDICT_NOT_OURS : LB_VERDICT_NOT_IP, 0, LB_HOOK_TC_EGRESS);
	result = glance.family == LB_AF_INET ? leave4(ctx, &glance) : leave6(ctx, &glance);
	verdict = result & RESULT_VERDICT;
	scratch = scratch_memory();
	if (!scratch)
		return finish(LB_VERDICT_BROKEN_REFERENCE, 0, LB_HOOK_TC_EGRESS);
	if (unlikely(result & RESULT_REFRESH))
		refresh(scratch, glance.family);
	else if (unlikely(verdict == (int)DEFER_ICMP))
		verdict = icmp_leaves_out_of_line(ctx, scratch, glance.family);
	return finish(verdict, 0, LB_HOOK_TC_EGRESS);
}

#endif
