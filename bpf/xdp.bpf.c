// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "path/pipeline.h"

__weak int lb_xdp_ingress4(struct xdp_md *ctx, const struct glance *glance, struct outcome *outcome)
{
	if (glance && outcome)
		process_family((struct run){ctx, XDP_INGRESS, LB_AF_INET}, glance, outcome);
	return 0;
}

__weak int lb_xdp_ingress6(struct xdp_md *ctx, const struct glance *glance, struct outcome *outcome)
{
	if (glance && outcome)
		process_family((struct run){ctx, XDP_INGRESS, LB_AF_INET6}, glance, outcome);
	return 0;
}

SEC("xdp")
int lb_xdp(struct xdp_md *ctx)
{
	struct outcome outcome = {};
	struct glance glance = {};

	look_at((struct run){ctx, XDP_INGRESS, 0}, &glance);
	if (likely(!glance.classes))
		return conclude_not_ours(XDP_INGRESS, &glance);
	ROLLED
	for (int i = 0; i < LOOKS && (!i || look_again(&outcome)); i++)
		if (glance.family == LB_AF_INET)
			lb_xdp_ingress4(ctx, &glance, &outcome);
		else
			lb_xdp_ingress6(ctx, &glance, &outcome);
	return conclude((struct run){ctx, XDP_INGRESS, glance.family}, &outcome);
}
