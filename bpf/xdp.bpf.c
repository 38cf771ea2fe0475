// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "path/pipeline.h"

SEC("xdp")
int lb_xdp(struct xdp_md *ctx)
{
	return arrive(ctx, LB_HOOK_XDP);
}
