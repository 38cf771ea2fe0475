// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "path/pipeline.h"

__weak int lb_tc_ingress4(struct __sk_buff *ctx, const struct glance *glance, struct outcome *outcome)
{
	if (glance && outcome)
		process_family((struct run){ctx, TC_INGRESS, LB_AF_INET}, glance, outcome);
	return 0;
}

__weak int lb_tc_ingress6(struct __sk_buff *ctx, const struct glance *glance, struct outcome *outcome)
{
	if (glance && outcome)
		process_family((struct run){ctx, TC_INGRESS, LB_AF_INET6}, glance, outcome);
	return 0;
}

__weak int lb_tc_egress4(struct __sk_buff *ctx, const struct glance *glance, struct outcome *outcome)
{
	if (glance && outcome)
		process_family((struct run){ctx, TC_EGRESS, LB_AF_INET}, glance, outcome);
	return 0;
}

__weak int lb_tc_egress6(struct __sk_buff *ctx, const struct glance *glance, struct outcome *outcome)
{
	if (glance && outcome)
		process_family((struct run){ctx, TC_EGRESS, LB_AF_INET6}, glance, outcome);
	return 0;
}

SEC("tc")
int lb_tc_ingress(struct __sk_buff *ctx)
{
	struct outcome outcome = {};
	struct glance glance = {};

	pull_headers(ctx, GLANCE_LENGTH);
	look_at((struct run){ctx, TC_INGRESS, 0}, &glance);
	if (likely(!glance.classes))
		return conclude_not_ours(TC_INGRESS, &glance);
	ROLLED
	for (int i = 0; i < LOOKS && (!i || look_again(&outcome)); i++)
		if (glance.family == LB_AF_INET)
			lb_tc_ingress4(ctx, &glance, &outcome);
		else
			lb_tc_ingress6(ctx, &glance, &outcome);
	return conclude((struct run){ctx, TC_INGRESS, glance.family}, &outcome);
}

SEC("tc")
int lb_tc_egress(struct __sk_buff *ctx)
{
	struct outcome outcome = {};
	struct glance glance = {};

	pull_headers(ctx, GLANCE_LENGTH);
	look_at((struct run){ctx, TC_EGRESS, 0}, &glance);
	if (likely(!glance.classes))
		return conclude_not_ours(TC_EGRESS, &glance);
	ROLLED
	for (int i = 0; i < LOOKS && (!i || look_again(&outcome)); i++)
		if (glance.family == LB_AF_INET)
			lb_tc_egress4(ctx, &glance, &outcome);
		else
			lb_tc_egress6(ctx, &glance, &outcome);
	return conclude((struct run){ctx, TC_EGRESS, glance.family}, &outcome);
}
