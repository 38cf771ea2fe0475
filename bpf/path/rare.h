/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_RARE_H
#define LB_BPF_PATH_RARE_H

#include "packet/forward.h"
#include "packet/packet.h"

/*
 * What is rare, in global functions, so that the verifier walks each once and not for every way that leads to it. It
 * wants to know the type of a global function's context, so xdp.bpf.c and tc.bpf.c of this folder each have their own.
 * They find the packet in struct scratch, leave there what it is sent by, and return the verdict.
 */

/* Scratch: p. */
int lb_xdp_new_flow(struct xdp_md *ctx, int family);
int lb_tc_new_flow(struct __sk_buff *ctx, int family);

static __always_inline enum lb_verdict new_flow_out_of_line(const struct run run)
{
	return is_xdp(run) ? lb_xdp_new_flow(run.ctx, run.family) : lb_tc_new_flow(run.ctx, run.family);
}

/* Scratch: p. */
int lb_xdp_icmp(struct xdp_md *ctx, int family);
int lb_tc_icmp(struct __sk_buff *ctx, int family);
int lb_tc_egress_icmp(struct __sk_buff *ctx, int family);

static __always_inline enum lb_verdict icmp_out_of_line(const struct run run)
{
	if (is_egress(run))
		return lb_tc_egress_icmp(run.ctx, run.family);
	return is_xdp(run) ? lb_xdp_icmp(run.ctx, run.family) : lb_tc_icmp(run.ctx, run.family);
}

/* Scratch: p, hop.mtu. */
int lb_xdp_answer(struct xdp_md *ctx, int verdict, int family);
int lb_tc_answer(struct __sk_buff *ctx, int verdict, int family);

static __always_inline enum lb_verdict answer_out_of_line(const struct run run, enum lb_verdict verdict)
{
	return is_xdp(run) ? lb_xdp_answer(run.ctx, verdict, run.family) : lb_tc_answer(run.ctx, verdict, run.family);
}

/* Scratch: fib. Leaves the hop in found, and returns its state. */
int lb_xdp_hop(struct xdp_md *ctx);
int lb_tc_hop(struct __sk_buff *ctx);

static __always_inline enum hop_state hop_out_of_line(const struct run run)
{
	return is_xdp(run) ? lb_xdp_hop(run.ctx) : lb_tc_hop(run.ctx);
}

/* Scratch: p. The verdict if the packet's address is owned; NOT_OURS for one that only shares a filter bucket. */
int lb_refuse(int verdict, int family);

/* Scratch: p, to a NodePort. Whether it is this node's own, and begins no flow. */
int lb_xdp_is_hosts(struct xdp_md *ctx, int family);
int lb_tc_is_hosts(struct __sk_buff *ctx, int family);

static __always_inline int is_hosts_out_of_line(const struct run run)
{
	return is_xdp(run) ? lb_xdp_is_hosts(run.ctx, run.family) : lb_tc_is_hosts(run.ctx, run.family);
}

/* Scratch: view.to. Whether the kernel tracks another connection with that tuple. */
int lb_xdp_is_tracked(struct xdp_md *ctx, int family);
int lb_tc_is_tracked(struct __sk_buff *ctx, int family);

static __always_inline int is_tracked_out_of_line(const struct run run)
{
	return is_xdp(run) ? lb_xdp_is_tracked(run.ctx, run.family) : lb_tc_is_tracked(run.ctx, run.family);
}

/* Scratch: p. LB_CONTINUE if a client can have its source, else the verdict. */
int lb_source(int family);

#endif
