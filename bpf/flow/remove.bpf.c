// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "flow/table.h"

#define TABLE_REMOVE_TRIES 4

/* What an entry must be, besides having the key, to be the one that is to go: of this flow, and of this use of the
 * slot. */
struct flow_end {
	const struct tuple *undone; /* key of the flow's other entry */
	__u32 backend;
	__u32 generation;
};

/* Others write to it without making it another flow's: look again. */
static __always_inline enum table_removed entry_remove(struct lb_flow *entry, const struct tuple *key,
						       const struct flow_end *end, const int family)
{
	ROLLED
	for (int i = 0; i < TABLE_REMOVE_TRIES; i++) {
		const __u32 seq = READ_ONCE(entry->seq);

		smp_barrier();
		if (!entry_has_key(entry, key, family) || !entry_undoes(entry, end->undone, family) ||
		    entry->backend != end->backend || entry->generation != end->generation)
			return TABLE_ABSENT;
		if (entry_free(entry, seq))
			return TABLE_REMOVED;
	}
	return TABLE_STAYS;
}

/* Removes the entry with this key if it undoes the other one and belongs to this use of the backend slot. */
static __always_inline enum table_removed table_remove(const struct tuple *key, const struct flow_end *end,
						       const int family)
{
	const struct lb_flow_place place = flow_place(flow_hash(key, family), family);
	enum table_removed removed = TABLE_ABSENT;

	ROLLED
	for (__u32 i = 0; i < 2 * LB_FLOW_WAYS && removed == TABLE_ABSENT; i++) {
		void *set = table_set(place.set[i / LB_FLOW_WAYS & 1], family);

		if (set)
			removed = entry_remove(set_way(set, i, family), key, end, family);
	}
	return removed;
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
