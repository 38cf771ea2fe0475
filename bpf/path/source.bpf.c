// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "path/rare.h"
#include "path/scratch.h"
#include "service/source.h"

int lb_source(int family)
{
	struct scratch *scratch = scratch_memory();
	const __be32 *src;

	if (!scratch)
		return LB_VERDICT_BROKEN_REFERENCE;
	src = scratch->path.p.tuple.src;
	if (family == LB_AF_INET ? is_martian(src, LB_AF_INET) : is_martian(src, LB_AF_INET6))
		return LB_VERDICT_MARTIAN_SOURCE;
	return LB_CONTINUE;
}
