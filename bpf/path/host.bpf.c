// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "path/host.h"
#include "path/rare.h"

/* For both types of context in one file: libbpf links no two objects that refer to one kernel function. */

int lb_xdp_is_hosts(struct xdp_md *ctx, int family)
{
	if (family == LB_AF_INET)
		return is_hosts((struct run){ctx, XDP_INGRESS, LB_AF_INET});
	return is_hosts((struct run){ctx, XDP_INGRESS, LB_AF_INET6});
}

int lb_xdp_is_tracked(struct xdp_md *ctx, int family)
{
	if (family == LB_AF_INET)
		return is_tracked((struct run){ctx, XDP_INGRESS, LB_AF_INET});
	return is_tracked((struct run){ctx, XDP_INGRESS, LB_AF_INET6});
}

int lb_tc_is_hosts(struct __sk_buff *ctx, int family)
{
	if (family == LB_AF_INET)
		return is_hosts((struct run){ctx, TC_INGRESS, LB_AF_INET});
	return is_hosts((struct run){ctx, TC_INGRESS, LB_AF_INET6});
}

int lb_tc_is_tracked(struct __sk_buff *ctx, int family)
{
	if (family == LB_AF_INET)
		return is_tracked((struct run){ctx, TC_INGRESS, LB_AF_INET});
	return is_tracked((struct run){ctx, TC_INGRESS, LB_AF_INET6});
}
