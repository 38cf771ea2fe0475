// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "flow/table.h"

/* Pointers given to a global function may be NULL as far as the verifier knows. */

int lb_table_find(struct flow_view *view, struct flow_at *at, const struct tuple *key, int family)
{
	if (!view || !at || !key)
		return TABLE_BUSY;
	if (family == LB_AF_INET)
		return table_find(view, NULL, at, key, LB_AF_INET);
	return table_find(view, NULL, at, key, LB_AF_INET6);
}

static __always_inline int table_holds(const struct tuple *key, const int family)
{
	struct flow_at at;
	int busy = 0;

	return table_match(&at, &busy, key, family) || busy;
}

int lb_table_holds(const struct tuple *key, int family)
{
	if (!key)
		return 1;
	return family == LB_AF_INET ? table_holds(key, LB_AF_INET) : table_holds(key, LB_AF_INET6);
}
