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

int lb_table_holds(const struct tuple *key, int family)
{
	if (!key)
		return 1;
	return family == LB_AF_INET ? table_holds(key, LB_AF_INET) : table_holds(key, LB_AF_INET6);
}

int lb_table_insert(struct flow_copy *evicted, const struct tuple *key, const struct flow_view *view, int family)
{
	if (!evicted || !key || !view)
		return TABLE_INSERT_BUSY;
	if (family == LB_AF_INET)
		return table_insert(evicted, key, view, LB_AF_INET);
	return table_insert(evicted, key, view, LB_AF_INET6);
}

int lb_table_remove(const struct tuple *key, const struct tuple *undone, __u32 backend, __u32 generation, int family)
{
	const struct flow_end end = {undone, backend, generation};

	if (!key || !undone)
		return TABLE_STAYS;
	if (family == LB_AF_INET)
		return table_remove(key, &end, LB_AF_INET);
	return table_remove(key, &end, LB_AF_INET6);
}
