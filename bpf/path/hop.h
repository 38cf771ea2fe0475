/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_HOP_H
#define LB_BPF_PATH_HOP_H

#include "path/rare.h"
#include "path/scratch.h"

/* Which way a packet leaves: path->hop, from where it is kept or else from the FIB. */

/* The verdict for a hop that cannot be used now; LB_CONTINUE for one that can. */
static __always_inline enum lb_verdict hop_verdict(const struct run run, const struct path *path, enum hop_state state)
{
	if (unlikely(state == HOP_NO_ROUTE))
		return LB_VERDICT_NO_ROUTE;
	if (unlikely(state == HOP_UNMANAGED))
		return LB_VERDICT_EGRESS_UNMANAGED;
	if (unlikely(state == HOP_UNRESOLVED || (is_xdp(run) && !xdp_can_send(&path->p, path->hop.to.ifindex))))
		return LB_VERDICT_UNRESOLVED;
	return LB_CONTINUE;
}

/* Asks the kernel: scratch.fib says what, scratch.found becomes the hop. */
static __always_inline enum hop_state hop_by_fib(const struct run run)
{
	struct scratch *scratch = scratch_memory();
	struct lb_clock *clock = clock_words();

	if (!scratch || !clock)
		return HOP_NO_ROUTE;
	return hop_look_up(run, &scratch->found, &scratch->fib, clock);
}

/* src is NULL where the source is still to be chosen. */
static __always_inline enum hop_state hop_from_fib(const struct run run, struct path *path, const __be32 *src,
						   const __be32 *dst)
{
	struct scratch *scratch = scratch_memory();
	enum hop_state state;

	if (!scratch)
		return HOP_NO_ROUTE;
	hop_ask(&scratch->fib, &path->p, src, dst, run.family);
	state = hop_out_of_line(run);
	if (state == HOP_READY)
		path->hop = scratch->found;
	return state;
}

/* To a backend on another node: all its flows have the same way, so it is kept with the backend. */
static __always_inline enum lb_verdict hop_to_backend(const struct run run, struct path *path,
						      struct lb_backend *backend, const struct lb_clock *clock)
{
	enum hop_state state = HOP_READY;

	if (unlikely(!backend_hop_read(&path->hop, backend, current_hop_stamp(clock)))) {
		state = hop_from_fib(run, path, NULL, backend->addr.word);
		if (state == HOP_READY)
			backend_hop_write(backend, &path->hop);
	}
	return hop_verdict(run, path, state);
}

/* To a flow's client; kept with its reply entry, out of which it was read. */
static __always_inline enum lb_verdict hop_to_client(const struct run run, struct path *path,
						     const struct lb_clock *clock)
{
	enum hop_state state = HOP_READY;

	path->hop.mtu = 0;
	if (unlikely(path->hop.to.stamp != current_hop_stamp(clock))) {
		state = hop_from_fib(run, path, path->view.to.src, path->view.to.dst);
		if (state == HOP_READY && path->hop.to.stamp != LB_HOP_NONE)
			table_store_hop(&path->at, &path->hop.to, run.family);
	}
	return hop_verdict(run, path, state);
}

static __always_inline int exceeds_mtu(const struct run run, const struct path *path)
{
	if (likely(!path->hop.mtu || path->p.l3_length <= path->hop.mtu))
		return 0;
	/* Segmentation offload: what is one packet here leaves as several that fit. */
	return is_xdp(run) || ((struct __sk_buff *)run.ctx)->gso_segs <= 1;
}

#endif
