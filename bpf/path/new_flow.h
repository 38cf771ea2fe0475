/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_NEW_FLOW_H
#define LB_BPF_PATH_NEW_FLOW_H

#include "path/count.h"
#include "path/deliver.h"
#include "path/handover.h"
#include "path/hop.h"
#include "path/scratch.h"
#include "service/filter.h"
#include "service/lookup.h"
#include "service/select.h"

/* What becomes of the first packet of a flow. */

/* The service that this packet asks for; where there is none, *verdict says what becomes of the packet. */
static __always_inline struct lb_service *service_of(const struct run run, enum lb_verdict *verdict,
						     const struct packet *p)
{
	const int family = run.family;
	struct lb_service *service = NULL;
	__u32 address;

	if (p->classes & LB_CLASS_VIP)
		service = lookup_frontend(&p->tuple, family);
	if (service)
		return service;
	address = lookup_address(p->tuple.dst, family);
	if (address & LB_ADDRESS_NODEPORT && is_nodeport(p->tuple.dport))
		service = lookup_nodeport(&p->tuple, family);
	if (service && is_hosts_out_of_line(run)) {
		*verdict = may_be_carried_yet(p) ? LB_VERDICT_FLOW_BUSY : LB_VERDICT_OWN_CONNECTION;
		return NULL;
	}
	if (!service && address && is_snat_port(p->tuple.dport) && may_be_carried_yet(p))
		*verdict = LB_VERDICT_FLOW_BUSY;
	else if (address & LB_ADDRESS_VIP)
		*verdict = LB_VERDICT_ANSWER_CLOSED_PORT;
	else
		*verdict = address ? LB_VERDICT_NO_SERVICE : LB_VERDICT_NOT_OURS;
	return service;
}

static __always_inline void describe_flow(struct path *path, const struct lb_backend *backend,
					  const struct lb_clock *clock, const int family)
{
	const struct packet *p = &path->p;
	struct flow_view *view = &path->view;

	copy_words(view->to.src, p->tuple.src, words_of(family));
	copy_words(view->to.dst, backend->addr.word, words_of(family));
	view->to.sport = p->tuple.sport;
	view->to.dport = backend->port;
	view->to.proto = p->tuple.proto;
	view->generation = backend->generation;
	view->flags = backend->flags & LB_BACKEND_LOCAL ? LB_FLOW_LOCAL : LB_FLOW_SNAT;
	view->state = 0;
	view_live(view, (__u8)p->tuple.proto, clock);
}

static __always_inline enum lb_verdict new_remote(const struct run run, struct path *path, struct lb_backend *backend,
						  const struct lb_clock *clock)
{
	enum lb_verdict verdict = hop_to_backend(run, path, backend, clock);

	if (verdict != LB_CONTINUE)
		return verdict;
	if (path->p.ttl <= 1)
		return LB_VERDICT_ANSWER_TIME_EXCEEDED;
	if (exceeds_mtu(run, path))
		return LB_VERDICT_ANSWER_TOO_BIG;
	if (!source_address(path->view.to.src, backend, path->hop.to.ifindex, run.family))
		return LB_VERDICT_NO_ROUTE;
	verdict = lb_flow_make(&path->view, &path->p.tuple, run.family);
	if (verdict != LB_CONTINUE)
		return verdict;
	count_flow(path->view.backend);
	return to_remote(run, path, LB_VERDICT_REMOTE_NEW);
}

/* Answers of a backend on this node that leave by a device without our programs would have the backend's own address.
 */
static __always_inline int is_way_back_managed(const struct run run, struct path *path,
					       const struct lb_backend *backend)
{
	return hop_from_fib(run, path, backend->addr.word, path->p.tuple.src) != HOP_UNMANAGED;
}

static __always_inline enum lb_verdict new_local(const struct run run, struct path *path,
						 const struct lb_backend *backend)
{
	enum lb_verdict verdict;

	if (!is_way_back_managed(run, path, backend))
		return LB_VERDICT_EGRESS_UNMANAGED;
	if ((path->p.tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && is_tracked_out_of_line(run))
		path->view.to.sport = preferred_port(flow_hash(&path->p.tuple, run.family));
	verdict = lb_flow_make(&path->view, &path->p.tuple, run.family);
	if (verdict != LB_CONTINUE)
		return verdict;
	count_flow(path->view.backend);
	return to_local(run, path, LB_VERDICT_LOCAL_NEW);
}

/* Service, policy, selection: the backend that path->view then leads to. NULL where *verdict is the packet's. */
static __always_inline struct lb_backend *choose_backend(const struct run run, enum lb_verdict *verdict,
							 struct path *path)
{
	const struct packet *p = &path->p;
	struct lb_service *service = service_of(run, verdict, p);
	struct lb_backend *backend;

	if (!service)
		return NULL;
	if (may_be_carried_yet(p)) {
		*verdict = LB_VERDICT_FLOW_BUSY;
		return NULL;
	}
	*verdict = lb_source(run.family);
	if (*verdict != LB_CONTINUE)
		return NULL;
	if (service->flags & LB_SERVICE_DROP) {
		*verdict = LB_VERDICT_POLICY;
		return NULL;
	}
	if (service->flags & LB_SERVICE_REJECT) {
		*verdict = LB_VERDICT_ANSWER_NO_BACKEND;
		return NULL;
	}
	if (!lb_flow_may_begin((__u8)p->tuple.proto, p->tcp_flags) || p->fragment == FRAGMENT_LATER) {
		*verdict = LB_VERDICT_NO_FLOW;
		return NULL;
	}
	backend = select_backend(&path->view.backend, service, select_hash(&p->tuple, run.family));
	if (!backend)
		*verdict = LB_VERDICT_BROKEN_REFERENCE;
	return backend;
}

/* First packet of a flow: a backend, both entries, off it goes. */
static __always_inline enum lb_verdict new_flow(const struct run run)
{
	enum lb_verdict verdict = LB_VERDICT_BROKEN_REFERENCE;
	struct scratch *scratch = scratch_memory();
	struct lb_clock *clock = clock_words();
	struct lb_backend *backend;

	if (!scratch || !clock)
		return verdict;
	backend = choose_backend(run, &verdict, &scratch->path);
	if (!backend)
		return verdict;
	describe_flow(&scratch->path, backend, clock, run.family);
	if (scratch->path.view.flags & LB_FLOW_LOCAL)
		return new_local(run, &scratch->path, backend);
	return new_remote(run, &scratch->path, backend, clock);
}

#endif
