// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "path/pipeline.h"

static OUT_OF_LINE void ingress4(void *ctx, const struct glance *glance, struct outcome *outcome)
{
	process_family((struct run){ctx, XDP_INGRESS, LB_AF_INET}, glance, outcome);
}

static OUT_OF_LINE void ingress6(void *ctx, const struct glance *glance, struct outcome *outcome)
{
	process_family((struct run){ctx, XDP_INGRESS, LB_AF_INET6}, glance, outcome);
}

SEC("xdp")
int lb_xdp(struct xdp_md *ctx)
{
	struct outcome outcome = {};
	struct glance glance = {};

	look_at((struct run){ctx, XDP_INGRESS, 0}, &glance);
	if (likely(!glance.classes))
		return conclude_not_ours(XDP_INGRESS, &glance);
	if (glance.family == LB_AF_INET)
		ingress4(ctx, &glance, &outcome);
	else
		ingress6(ctx, &glance, &outcome);
	return conclude((struct run){ctx, XDP_INGRESS, glance.family}, &outcome);
}
