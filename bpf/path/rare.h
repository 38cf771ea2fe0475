/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_RARE_H
#define LB_BPF_PATH_RARE_H

#include "packet/packet.h"

/*
 * What is rare, in global functions, so that the verifier walks each once and not for every way that leads to it:
 * xdp.bpf.c and tc.bpf.c of this folder, because it wants to know the type of a global function's context. They find
 * the packet in struct scratch and leave there what they send it by; they return the verdict.
 */

/* Scratch: p. */
int lb_xdp_new_flow(struct xdp_md *ctx, int family);
int lb_tc_new_flow(struct __sk_buff *ctx, int family);

/* Scratch: p. */
int lb_xdp_icmp(struct xdp_md *ctx, int family);
int lb_tc_icmp(struct __sk_buff *ctx, int family);
int lb_tc_egress_icmp(struct __sk_buff *ctx, int family);

/* Scratch: p, hop.mtu. */
int lb_xdp_answer(struct xdp_md *ctx, int verdict, int family);
int lb_tc_answer(struct __sk_buff *ctx, int verdict, int family);

static __always_inline enum lb_verdict new_flow_out_of_line(void *ctx, const enum lb_hook hook, int family)
{
	return hook == LB_HOOK_XDP ? lb_xdp_new_flow(ctx, family) : lb_tc_new_flow(ctx, family);
}

static __always_inline enum lb_verdict icmp_out_of_line(void *ctx, const enum lb_hook hook, int family)
{
	if (hook == LB_HOOK_TC_EGRESS)
		return lb_tc_egress_icmp(ctx, family);
	return hook == LB_HOOK_XDP ? lb_xdp_icmp(ctx, family) : lb_tc_icmp(ctx, family);
}

static __always_inline enum lb_verdict answer_out_of_line(void *ctx, int verdict, const enum lb_hook hook, int family)
{
	return hook == LB_HOOK_XDP ? lb_xdp_answer(ctx, verdict, family) : lb_tc_answer(ctx, verdict, family);
}

#endif
