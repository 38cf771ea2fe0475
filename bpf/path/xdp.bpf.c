// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "path/answer.h"
#include "path/icmp.h"
#include "path/new_flow.h"
#include "path/rare.h"

int lb_xdp_new_flow(struct xdp_md *ctx, int family)
{
	if (family == LB_AF_INET)
		return new_flow((struct run){ctx, XDP_INGRESS, LB_AF_INET});
	return new_flow((struct run){ctx, XDP_INGRESS, LB_AF_INET6});
}

int lb_xdp_icmp(struct xdp_md *ctx, int family)
{
	if (family == LB_AF_INET)
		return icmp_ingress((struct run){ctx, XDP_INGRESS, LB_AF_INET});
	return icmp_ingress((struct run){ctx, XDP_INGRESS, LB_AF_INET6});
}

int lb_xdp_answer(struct xdp_md *ctx, int verdict, int family)
{
	if (family == LB_AF_INET)
		return answer_packet((struct run){ctx, XDP_INGRESS, LB_AF_INET}, verdict);
	return answer_packet((struct run){ctx, XDP_INGRESS, LB_AF_INET6}, verdict);
}

int lb_xdp_hop(struct xdp_md *ctx)
{
	return hop_by_fib((struct run){ctx, XDP_INGRESS, 0});
}
