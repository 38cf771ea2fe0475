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

#define TABLE_HOLD_TRIES 32

static __always_inline int hold(struct flow_at *at, const struct tuple *key, const struct tuple *undone,
				const int family)
{
	void *set = table_set(at->set, family);
	struct lb_flow *entry;

	if (!set)
		return 0;
	entry = set_way(set, at->way, family);
	ROLLED
	for (int i = 0; i < TABLE_HOLD_TRIES; i++) {
		at->seq = READ_ONCE(entry->seq);
		smp_barrier();
		if (!entry_has_key(entry, key, family) || !entry_undoes(entry, undone, family))
			return 0;
		if (entry_claim(entry, at->seq))
			return 1;
	}
	return 0;
}

int lb_table_hold(struct flow_at *at, const struct tuple *key, const struct tuple *undone, int family)
{
	if (!at || !key || !undone)
		return 0;
	return family == LB_AF_INET ? hold(at, key, undone, LB_AF_INET) : hold(at, key, undone, LB_AF_INET6);
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
