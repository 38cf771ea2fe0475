// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "path/answer.h"
#include "path/icmp.h"
#include "path/new_flow.h"
#include "path/rare.h"

int lb_xdp_new_flow(struct xdp_md *ctx, int family)
{
	if (family == LB_AF_INET)
		return begin(ctx, LB_HOOK_XDP, LB_AF_INET);
	return begin(ctx, LB_HOOK_XDP, LB_AF_INET6);
}

int lb_xdp_icmp(struct xdp_md *ctx, int family)
{
	if (family == LB_AF_INET)
		return icmp_arrives(ctx, LB_HOOK_XDP, LB_AF_INET);
	return icmp_arrives(ctx, LB_HOOK_XDP, LB_AF_INET6);
}

int lb_xdp_answer(struct xdp_md *ctx, int verdict, int family)
{
	if (family == LB_AF_INET)
		return answer_packet(ctx, verdict, LB_HOOK_XDP, LB_AF_INET);
	return answer_packet(ctx, verdict, LB_HOOK_XDP, LB_AF_INET6);
}
