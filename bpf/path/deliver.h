/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_DELIVER_H
#define LB_BPF_PATH_DELIVER_H

#include "packet/fragment.h"
#include "packet/rewrite.h"
#include "path/count.h"
#include "path/scratch.h"

/* Rewriting a packet and sending it on its way, to this node's stack or to another node. */

static OUT_OF_LINE void remember_fragment(struct scratch *scratch, int family)
{
	fragment_remember(&scratch->fragment, &scratch->datagram, &scratch->path.p, family);
}

static OUT_OF_LINE int recall_fragment(struct scratch *scratch, int family)
{
	return fragment_recall(&scratch->fragment, &scratch->datagram, &scratch->path.p, family);
}

static __always_inline int apply(const struct run run, const struct path *path, const __u8 hops)
{
	if (unlikely(path->p.fragment == FRAGMENT_FIRST)) {
		struct scratch *scratch = scratch_memory();

		if (!scratch)
			return 0;
		scratch->path.p = path->p;
		remember_fragment(scratch, run.family);
	}
	return rewrite(run, &path->p, &path->view.to, hops);
}

/* The same, for what goes on under an address that others share. */
static __always_inline int apply_shared(const struct run run, const struct path *path, const __u8 hops)
{
	const struct scratch *scratch;

	if (!apply(run, path, hops))
		return 0;
	if (likely(path->p.fragment == FRAGMENT_NONE))
		return 1;
	scratch = scratch_memory();
	return scratch && fragment_renumber(run, &path->p, &scratch->datagram.id);
}

/* Client to a backend on this node: the stack delivers, and takes the hop off the TTL if it forwards. */
static __always_inline enum lb_verdict to_local(const struct run run, const struct path *path, enum lb_verdict verdict)
{
	if (!apply(run, path, 0))
		return LB_VERDICT_MALFORMED;
	count_backend(path->view.backend, 0, path->p.l3_length);
	return verdict;
}

/* To another node: a packet for a backend, or a reply for a client. */
static __always_inline enum lb_verdict to_remote(const struct run run, struct path *path, enum lb_verdict verdict)
{
	if (!apply_shared(run, path, 1) || !send(run, &path->p, &path->hop.to))
		return LB_VERDICT_MALFORMED;
	count_backend(path->view.backend, !!(path->view.flags & LB_FLOW_REPLY), path->p.l3_length);
	return verdict;
}

#endif
