// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "path/pipeline.h"

SEC("tc")
int lb_tc_ingress(struct __sk_buff *ctx)
{
	pull_headers(ctx);
	return arrive(ctx, LB_HOOK_TC_INGRESS);
}

SEC("tc")
int lb_tc_egress(struct __sk_buff *ctx)
{
	pull_headers(ctx);
	return leave(ctx);
}
