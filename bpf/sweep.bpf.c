// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "flow/sweep.h"

int lb_sweep_set(__u32 index, int family)
{
	return family == LB_AF_INET ? sweep_set(index, LB_AF_INET) : sweep_set(index, LB_AF_INET6);
}

SEC("tc")
int lb_sweep(struct __sk_buff *ctx)
{
	return sweep(ctx);
}
