// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "path/rare.h"
#include "path/refuse.h"
#include "path/scratch.h"

int lb_refuse(int verdict, int family)
{
	struct scratch *scratch = scratch_memory();

	if (!scratch)
		return LB_VERDICT_BROKEN_REFERENCE;
	return refuse(&scratch->path.p, verdict, family);
}
