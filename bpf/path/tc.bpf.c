// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "path/answer.h"
#include "path/icmp.h"
#include "path/new_flow.h"
#include "path/rare.h"

int lb_tc_new_flow(struct __sk_buff *ctx, int family)
{
	if (family == LB_AF_INET)
		return new_flow((struct run){ctx, TC_INGRESS, LB_AF_INET});
	return new_flow((struct run){ctx, TC_INGRESS, LB_AF_INET6});
}

int lb_tc_icmp(struct __sk_buff *ctx, int family)
{
	if (family == LB_AF_INET)
		return icmp_ingress((struct run){ctx, TC_INGRESS, LB_AF_INET});
	return icmp_ingress((struct run){ctx, TC_INGRESS, LB_AF_INET6});
}

int lb_tc_answer(struct __sk_buff *ctx, int verdict, int family)
{
	if (family == LB_AF_INET)
		return answer_packet((struct run){ctx, TC_INGRESS, LB_AF_INET}, verdict);
	return answer_packet((struct run){ctx, TC_INGRESS, LB_AF_INET6}, verdict);
}

int lb_tc_hop(struct __sk_buff *ctx)
{
	return hop_by_fib((struct run){ctx, TC_INGRESS, 0});
}

int lb_tc_egress_icmp(struct __sk_buff *ctx, int family)
{
	if (family == LB_AF_INET)
		return icmp_egress((struct run){ctx, TC_EGRESS, LB_AF_INET});
	return icmp_egress((struct run){ctx, TC_EGRESS, LB_AF_INET6});
}
