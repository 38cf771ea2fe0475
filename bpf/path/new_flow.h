/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_NEW_FLOW_H
#define LB_BPF_PATH_NEW_FLOW_H

#include "path/count.h"
#include "path/scratch.h"
#include "path/deliver.h"
#include "flow/flow.h"
#include "packet/forward.h"
#include "service/lookup.h"
#include "service/filter.h"
#include "packet/packet.h"
#include "service/select.h"

/* What becomes of the first packet of a flow. */

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
	verdict = lb_flow_make(view, &p->tuple, family);
	if (verdict != LB_CONTINUE)
		return verdict;
	count_flow(view->backend);
	return to_remote(ctx, p, view, &hop->to, LB_VERDICT_REMOTE_NEW, hook, family);
}

static __always_inline enum lb_verdict begin_local(void *ctx, struct scratch *scratch, const struct lb_clock *clock,
						   const enum lb_hook hook, const int family)
{
	const enum lb_verdict verdict = lb_flow_make(&scratch->view, &scratch->p.tuple, family);

	if (verdict != LB_CONTINUE)
		return verdict;
	count_flow(scratch->view.backend);
	return to_local(ctx, &scratch->p, &scratch->view, LB_VERDICT_LOCAL_NEW, hook, family);
}

/* First packet of a flow: service, policy, selection, both entries, off it goes. */
static __always_inline enum lb_verdict begin(void *ctx, const enum lb_hook hook, const int family)
{
	enum lb_verdict verdict = LB_VERDICT_BROKEN_REFERENCE;
	struct scratch *scratch = scratch_memory();
	struct lb_clock *clock = clock_words();
	struct lb_service *service;
	struct lb_backend *backend;
	struct flow_view *view;
	struct packet *p;

	if (!scratch || !clock)
		return verdict;
	view = &scratch->view;
	p = &scratch->p;
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

#endif
