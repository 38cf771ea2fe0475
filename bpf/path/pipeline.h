/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_PIPELINE_H
#define LB_BPF_PATH_PIPELINE_H

#include "packet/frame.h"
#include "packet/parse.h"
#include "packet/segment.h"
#include "path/answer.h"
#include "path/count.h"
#include "path/handover.h"
#include "path/known_flow.h"
#include "path/rare.h"
#include "path/scratch.h"
#include "service/filter.h"

/*
 * The story. A packet that comes in at an uplink (XDP or tc ingress) becomes ours when its destination is an address
 * that services own, or one of this node's addresses with a NodePort or a SNAT port. From then on it may be dropped,
 * and every verdict is counted.
 *
 *   ingress -> filter -> parse -> known flow ------------------------------> rewrite -> forward
 *                                \-> service -> select -> make both entries --/
 *
 * A packet that goes out (tc egress) is looked at only when its source is a backend on this node, and only to give a
 * reply the service's address again.
 *
 * A program is put together in its entry file, with a function for each family, so that one does not pay with its stack
 * for the other's variables. README.md tells the way by file.
 */

static __always_inline enum lb_verdict parse_headers(const struct run run, struct packet *p)
{
	enum lb_verdict verdict = run.family == LB_AF_INET ? parse_ipv4(run, p) : parse_ipv6(run, p);

	if (verdict != LB_CONTINUE)
		return verdict;
	if (unlikely(p->fragment == FRAGMENT_LATER)) {
		struct scratch *scratch = scratch_memory();

		if (!scratch)
			return LB_VERDICT_BROKEN_REFERENCE;
		scratch->path.p = *p;
		verdict = recall_fragment(scratch, run.family);
		p->tuple.ports = scratch->path.p.tuple.ports;
		return verdict;
	}
	return parse_transport(run, p);
}

static __always_inline struct packet packet_from(const struct run run, const struct glance *glance)
{
	return (struct packet){
		.ifindex = packet_ifindex(run),
		.vlan = glance->vlan,
		.l3_offset = glance->l3_offset,
		.classes = glance->classes,
	};
}

static __always_inline struct outcome flow_ingress(const struct run run, struct path *path)
{
	switch (table_find(&path->view, &path->hop.to, &path->at, &path->p.tuple, run.family)) {
	case TABLE_FOUND:
		/* A reply of a backend on this node leaves by tc egress; coming in it is not what the entry was made
		 * for. */
		if (unlikely(flow_is_local_reply(&path->view)))
			return done(LB_VERDICT_NOT_OURS);
		return known_flow(run, path);
	case TABLE_BUSY:
		return done(LB_VERDICT_FLOW_BUSY);
	default:
		return defer(&path->p, DEFER_NEW_FLOW, LB_CONTINUE);
	}
}

static __always_inline struct outcome packet_ingress(const struct run run, struct path *path)
{
	struct packet *p = &path->p;
	enum lb_verdict verdict = frame_verdict(run, p);

	if (unlikely(verdict != LB_CONTINUE))
		return done(verdict);
	if (!parse_addresses(run, p))
		return done(LB_VERDICT_NOT_IP);
	verdict = parse_headers(run, p);
	if (unlikely(verdict != LB_CONTINUE))
		return defer(p, DEFER_REFUSAL, verdict);
	if (unlikely(is_icmp(p, run.family)))
		return defer(p, DEFER_ICMP, LB_CONTINUE);
	if (!(p->classes & LB_CLASS_VIP) && !is_snat_port(p->tuple.dport) && !is_nodeport(p->tuple.dport))
		return done(LB_VERDICT_NOT_OURS);
	return flow_ingress(run, path);
}

static __always_inline struct outcome flow_egress(const struct run run, struct path *path)
{
	switch (table_find(&path->view, NULL, &path->at, &path->p.tuple, run.family)) {
	case TABLE_FOUND:
		return flow_is_local_reply(&path->view) ? known_reply(run, path) : done(LB_VERDICT_NOT_OURS);
	case TABLE_BUSY:
		/* With its own address a reply would make the client reset the connection; lost, it is sent again. */
		return done(LB_VERDICT_FLOW_BUSY);
	default:
		return done(may_be_carried_yet(&path->p) ? LB_VERDICT_FLOW_BUSY : LB_VERDICT_NOT_OURS);
	}
}

/* Whatever is not the reply of a flow leaves as it is: this node's own traffic is never ours to refuse. */
static __always_inline struct outcome packet_egress(const struct run run, struct path *path)
{
	struct packet *p = &path->p;

	if (!parse_addresses(run, p))
		return done(LB_VERDICT_NOT_IP);
	if (parse_headers(run, p) != LB_CONTINUE)
		return done(LB_VERDICT_NOT_OURS);
	return is_icmp(p, run.family) ? defer(p, DEFER_ICMP, LB_CONTINUE) : flow_egress(run, path);
}

/* A packet that may be ours, as far as it goes without what is rare. */
static __always_inline void process_family(const struct run run, const struct glance *glance, struct outcome *outcome)
{
	struct path path;

	if (!is_xdp(run))
		pull_headers(run.ctx, HEADERS_LENGTH);
	keep_in_memory(&path);
	path.p = packet_from(run, glance);
	*outcome = is_egress(run) ? packet_egress(run, &path) : packet_ingress(run, &path);
	outcome->action = path.p.action;
}

#define LOOKS 8

/*
 * Whether a packet is looked at again: one whose flow's entry, or one beside it, was just being written, because
 * writers are few and soon done; and, during a handover, one whose flow may be carried over any moment.
 */
static __always_inline int look_again(const struct outcome *outcome)
{
	return unlikely(outcome->verdict == LB_VERDICT_FLOW_BUSY);
}

/* From here on, what is rare. */

static __always_inline enum lb_verdict resume_ingress(const struct run run, const struct outcome *outcome)
{
	enum lb_verdict verdict = outcome->verdict;

	switch (outcome->deferred) {
	case DEFER_ICMP:
		return icmp_out_of_line(run);
	case DEFER_REFUSAL:
		return lb_refuse(verdict, run.family);
	case DEFER_ANSWER:
		break;
	default:
		verdict = new_flow_out_of_line(run);
		break;
	}
	return is_answer(verdict) ? answer_out_of_line(run, verdict) : verdict;
}

/* Does what a packet's family function left to be done. */
static __always_inline void resume(const struct run run, struct outcome *outcome)
{
	struct scratch *scratch = scratch_memory();

	if (!scratch) {
		*outcome = done(LB_VERDICT_BROKEN_REFERENCE);
		return;
	}
	if (outcome->deferred == DEFER_REFRESH) {
		segment_read(run, &scratch->work.news.segment, &scratch->path.p);
		lb_flow_refresh(&scratch->path.at, &scratch->path.p.tuple, &scratch->path.view, run.family);
		return;
	}
	if (!is_egress(run) && outcome->deferred == DEFER_FLOW_ANEW)
		lb_flow_end(&scratch->work, &scratch->path.p.tuple, &scratch->path.view, 0, run.family);
	outcome->verdict = is_egress(run) ? icmp_out_of_line(run) : resume_ingress(run, outcome);
	outcome->action = scratch->path.p.action;
}

static __always_inline int finish(const struct hook hook, enum lb_verdict verdict, int action)
{
	count_verdict(hook, verdict);
	if (verdict < LB_VERDICT_FIRST_SEND)
		return hook.type == PROGRAM_XDP ? (int)XDP_PASS : TC_ACT_UNSPEC;
	if (verdict < LB_VERDICT_FIRST_DROP)
		return action;
	return hook.type == PROGRAM_XDP ? (int)XDP_DROP : TC_ACT_SHOT;
}

/* Of what this node sends itself only its ICMP errors matter: some are about packets to its backends. */
static __always_inline __u8 wanted_classes(const struct run run, const struct glance *glance)
{
	if (!is_egress(run))
		return LB_CLASS_VIP | LB_CLASS_NODE;
	return sends_icmp(run, glance) ? LB_CLASS_BACKEND | LB_CLASS_NODE : LB_CLASS_BACKEND;
}

static __always_inline __u8 classes_of(const struct run run, const struct glance *glance)
{
	const __be32 *addr = parse_owner(run, glance);
	const __u8 classes = addr ? address_classes(addr, run.family) : 0;

	return likely(!classes) ? 0 : classes & wanted_classes(run, glance);
}

/* Whether the packet can be ours at all: one read of the filter. Most packets end here. */
static __always_inline void look_at(const struct run run, struct glance *glance)
{
	parse_ethernet(run, glance);
	if (glance->family == LB_AF_INET)
		glance->classes = classes_of((struct run){run.ctx, run.hook, LB_AF_INET}, glance);
	else if (glance->family == LB_AF_INET6)
		glance->classes = classes_of((struct run){run.ctx, run.hook, LB_AF_INET6}, glance);
}

/* The end of every program: what is left to be done, the counter, the action. */
static __always_inline int conclude(const struct run run, struct outcome *outcome)
{
	if (unlikely(outcome->deferred))
		resume(run, outcome);
	return finish(run.hook, outcome->verdict, outcome->action);
}

static __always_inline int conclude_not_ours(const struct hook hook, const struct glance *glance)
{
	return finish(hook, glance->family ? LB_VERDICT_NOT_OURS : LB_VERDICT_NOT_IP, 0);
}

#endif
