// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "path/answer.h"
#include "path/icmp.h"
#include "path/new_flow.h"
#include "path/rare.h"

int lb_tc_new_flow(struct __sk_buff *ctx, int family)
{
	if (family == LB_AF_INET)
		return begin(ctx, LB_HOOK_TC_INGRESS, LB_AF_INET);
	return begin(ctx, LB_HOOK_TC_INGRESS, LB_AF_INET6);
}

int lb_tc_icmp(struct __sk_buff *ctx, int family)
{
	if (family == LB_AF_INET)
		return icmp_arrives(ctx, LB_HOOK_TC_INGRESS, LB_AF_INET);
	return icmp_arrives(ctx, LB_HOOK_TC_INGRESS, LB_AF_INET6);
}

int lb_tc_answer(struct __sk_buff *ctx, int verdict, int family)
{
	if (family == LB_AF_INET)
		return answer_packet(ctx, verdict, LB_HOOK_TC_INGRESS, LB_AF_INET);
	return answer_packet(ctx, verdict, LB_HOOK_TC_INGRESS, LB_AF_INET6);
}

int lb_tc_egress_icmp(struct __sk_buff *ctx, int family)
{
	if (family == LB_AF_INET)
		return icmp_leaves(ctx, LB_AF_INET);
	return icmp_leaves(ctx, LB_AF_INET6);
}
