/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_KNOWN_FLOW_H
#define LB_BPF_PATH_KNOWN_FLOW_H

#include "path/deliver.h"
#include "path/handover.h"
#include "path/hop.h"
#include "path/scratch.h"

/* What becomes of a packet whose flow is known. */

/*
 * A client's SYN on a flow that is over begins another, and on one that is not yet confirmed where the backend is
 * leaving. Otherwise it is a retransmission, or anybody's.
 */
static __always_inline int begins_anew(const struct path *path, const struct lb_backend *backend,
				       const struct lb_clock *clock)
{
	if (likely((path->p.tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN))
		return 0;
	return lb_flow_is_closed(path->view.state) || entry_remaining(clock, path->view.expires) < 0 ||
	       (backend->flags & LB_BACKEND_DRAINING && !lb_flow_is_confirmed(path->view.state));
}

/*
 * The slot has another occupant, or none. What can start over does; the rest of TCP is told, whichever side speaks. A
 * last UDP reply still reaches the client: LB_CONTINUE.
 */
static __always_inline struct outcome backend_gone(const struct path *path)
{
	const int reply = path->view.flags & LB_FLOW_REPLY;

	if (path->p.tuple.proto == LB_IPPROTO_TCP && (reply || (path->p.tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN))
		return defer_answer(&path->p, LB_VERDICT_ANSWER_BACKEND_GONE, 0);
	return reply ? done(LB_CONTINUE) : defer_anew(path);
}

/* path->hop is the entry's own, good for replies; for the other direction it becomes the backend's. */
static __always_inline struct outcome known_remote(const struct run run, struct path *path, struct lb_backend *backend,
						   const struct lb_clock *clock)
{
	const int reply = path->view.flags & LB_FLOW_REPLY;
	enum lb_verdict verdict;
	enum deferred deferred;

	if (reply && may_be_anothers(&path->p, &path->view))
		return done(LB_VERDICT_FLOW_BUSY);
	if (reply)
		verdict = hop_to_client(run, path, clock);
	else
		verdict = hop_to_backend(run, path, backend, clock);
	if (unlikely(verdict != LB_CONTINUE))
		return done(verdict);
	if (unlikely(path->p.ttl <= 1))
		return defer_answer(&path->p, LB_VERDICT_ANSWER_TIME_EXCEEDED, 0);
	if (unlikely(exceeds_mtu(run, path)))
		return defer_answer(&path->p, LB_VERDICT_ANSWER_TOO_BIG, path->hop.mtu);
	deferred = observe(path, clock);
	verdict = to_remote(run, path, reply ? LB_VERDICT_REMOTE_REPLY : LB_VERDICT_REMOTE_HIT);
	return (struct outcome){.verdict = verdict, .deferred = deferred};
}

static __always_inline struct outcome known_flow(const struct run run, struct path *path)
{
	struct lb_backend *backend = bpf_map_lookup_elem(&lb_backends, &path->view.backend);
	struct lb_clock *clock = clock_words();
	enum lb_verdict verdict;
	enum deferred deferred;

	if (!backend || !clock)
		return done(LB_VERDICT_BROKEN_REFERENCE);
	if (unlikely(READ_ONCE(backend->generation) != path->view.generation)) {
		const struct outcome gone = backend_gone(path);

		if (gone.verdict != LB_CONTINUE)
			return gone;
	}
	if (!(path->view.flags & LB_FLOW_REPLY) && unlikely(begins_anew(path, backend, clock)))
		return defer_anew(path);
	if (!(path->view.flags & LB_FLOW_LOCAL))
		return known_remote(run, path, backend, clock);
	deferred = observe(path, clock);
	verdict = to_local(run, path, LB_VERDICT_LOCAL_HIT);
	return (struct outcome){.verdict = verdict, .deferred = deferred};
}

/* A reply of a backend on this node, which leaves by tc egress and nowhere else. */
static __always_inline struct outcome known_reply(const struct run run, struct path *path)
{
	struct lb_clock *clock = clock_words();
	enum deferred deferred;

	if (!clock)
		return done(LB_VERDICT_BROKEN_REFERENCE);
	deferred = observe(path, clock);
	if (!apply_shared(run, path, 0))
		return (struct outcome){.verdict = LB_VERDICT_MALFORMED, .deferred = deferred};
	count_backend(path->view.backend, 1, path->p.l3_length);
	return (struct outcome){.verdict = LB_VERDICT_LOCAL_REPLY, .deferred = deferred};
}

#endif
