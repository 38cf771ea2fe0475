/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_HOST_H
#define LB_BPF_PATH_HOST_H

#include "path/conntrack.h"
#include "path/scratch.h"

/*
 * Connections that are not ours, and have tuples that a flow would take: those of this node and, masqueraded, of its
 * pods may have a NodePort as their source port, and clients may talk to a pod without the balancer. Asked when a flow
 * is about to begin.
 */

/* The answer to a connection that was opened from here. A socket that only listens is nobody's connection: a NodePort
 * comes before it, as with kube-proxy. */
static __always_inline int answers_socket(const struct run run, struct kernel_tuple *kernel)
{
	struct bpf_sock *socket =
		bpf_sk_lookup_udp(run.ctx, &kernel->tuple, kernel_tuple_size(run.family), BPF_F_CURRENT_NETNS, 0);
	int connected;

	if (!socket)
		return 0;
	connected = socket->state == BPF_TCP_ESTABLISHED;
	bpf_sk_release(socket);
	return connected;
}

static __always_inline int answers_tracked(const struct run run, struct kernel_tuple *kernel)
{
	struct nf_conn *connection;

	if (!has_conntrack())
		return 0;
	connection = conntrack_find(run, kernel);
	if (!connection)
		return 0;
	bpf_ct_release(connection);
	return kernel->opts.dir == CONNTRACK_REPLY;
}

/* tc: XDP has rewritten this packet already, for a backend in this node's own network. */
static __always_inline int is_rewritten(struct scratch *scratch, const int family)
{
	tuple_reverse(&scratch->opposite, &scratch->path.p.tuple, family);
	return lb_table_find(&scratch->work.other, &scratch->work.pair_at, &scratch->opposite, family) == TABLE_FOUND &&
	       flow_is_local_reply(&scratch->work.other);
}

/* Whether the packet in scratch, to a NodePort, is somebody's on this node, and begins no flow. TCP says so itself: a
 * flow to a NodePort never comes here from another node, so there is none to go on with, but during a handover. */
static __always_inline int is_hosts(const struct run run)
{
	struct scratch *scratch = scratch_memory();
	struct packet *p;

	if (!scratch)
		return 0;
	p = &scratch->path.p;
	if (!is_xdp(run) && is_rewritten(scratch, run.family))
		return 1;
	if (p->tuple.proto == LB_IPPROTO_TCP)
		return (p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN;
	kernel_tuple_of(&scratch->kernel, &p->tuple, run.family);
	return answers_socket(run, &scratch->kernel) || answers_tracked(run, &scratch->kernel);
}

/* Whether the tuple that a new connection would have at its backend on this node is another's: its client talks to that
 * pod without us. */
static __always_inline int is_tracked(const struct run run)
{
	struct scratch *scratch = scratch_memory();
	struct nf_conn *connection;
	int established;

	if (!has_conntrack() || !scratch)
		return 0;
	kernel_tuple_of(&scratch->kernel, &scratch->path.view.to, run.family);
	connection = conntrack_find(run, &scratch->kernel);
	if (!connection)
		return 0;
	established = connection->proto.tcp.state == CONNTRACK_TCP_ESTABLISHED;
	bpf_ct_release(connection);
	return established;
}

#endif
