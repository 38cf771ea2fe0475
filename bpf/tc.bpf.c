// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "path/pipeline.h"

static OUT_OF_LINE void ingress4(void *ctx, const struct glance *glance, struct outcome *outcome)
{
	process_family((struct run){ctx, TC_INGRESS, LB_AF_INET}, glance, outcome);
}

static OUT_OF_LINE void ingress6(void *ctx, const struct glance *glance, struct outcome *outcome)
{
	process_family((struct run){ctx, TC_INGRESS, LB_AF_INET6}, glance, outcome);
}

static OUT_OF_LINE void egress4(void *ctx, const struct glance *glance, struct outcome *outcome)
{
	process_family((struct run){ctx, TC_EGRESS, LB_AF_INET}, glance, outcome);
}

static OUT_OF_LINE void egress6(void *ctx, const struct glance *glance, struct outcome *outcome)
{
	process_family((struct run){ctx, TC_EGRESS, LB_AF_INET6}, glance, outcome);
}

SEC("tc")
int lb_tc_ingress(struct __sk_buff *ctx)
{
	struct outcome outcome = {};
	struct glance glance = {};

	pull_headers(ctx);
	look_at((struct run){ctx, TC_INGRESS, 0}, &glance);
	if (likely(!glance.classes))
		return conclude_not_ours(TC_INGRESS, &glance);
	if (glance.family == LB_AF_INET)
		ingress4(ctx, &glance, &outcome);
	else
		ingress6(ctx, &glance, &outcome);
	return conclude((struct run){ctx, TC_INGRESS, glance.family}, &outcome);
}

SEC("tc")
int lb_tc_egress(struct __sk_buff *ctx)
{
	struct outcome outcome = {};
	struct glance glance = {};

	pull_headers(ctx);
	look_at((struct run){ctx, TC_EGRESS, 0}, &glance);
	if (likely(!glance.classes))
		return conclude_not_ours(TC_EGRESS, &glance);
	if (glance.family == LB_AF_INET)
		egress4(ctx, &glance, &outcome);
	else
		egress6(ctx, &glance, &outcome);
	return conclude((struct run){ctx, TC_EGRESS, glance.family}, &outcome);
}
