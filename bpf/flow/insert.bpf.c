// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "flow/table.h"

/* A newcomer goes to its first set while that has this many ways free, so that nearly every lookup ends there. */
#define TABLE_SPARE_WAYS 2

struct victim {
	__s64 worth;
	__u32 way; /* of both sets, one after the other */
	__u32 seq;
};

#define WORTH_SHIFT 32

/*
 * Expired before all else, then by what the state is worth, and of equals the one first that was written first. No
 * branches: with them the loop over all ways is most of what the verifier walks.
 */
static __always_inline __s64 entry_worth(const struct lb_clock *clock, const struct lb_flow *entry)
{
	const __s64 remaining = entry_remaining(clock, READ_ONCE(entry->expires));
	const __u8 timeout = READ_ONCE(entry->timeout) & (LB_TIMEOUT_COUNT - 1);
	const __s64 worth = lb_flow_worth(READ_ONCE(entry->state));
	/* All ones where it has expired. */
	const __s64 expired = remaining >> 63;

	return ((worth | expired) << WORTH_SHIFT) + remaining - clock->timeout[timeout];
}

/* The least that a confirmed flow can be worth: it has lived for as long as anything may. */
#define NOT_FOR_TAKING (((__s64)LB_WORTH_CONFIRMED << WORTH_SHIFT) - LB_TICKS_MAX)

/*
 * The entry that is worth least. So those who never complete a handshake evict each other, the eldest first, and
 * nobody's connection.
 */
static __always_inline int find_victim(struct victim *victim, const struct lb_clock *clock,
				       const struct lb_flow_place *place, const int family)
{
	victim->worth = NOT_FOR_TAKING;
	ROLLED
	for (__u32 i = 0; i < 2 * LB_FLOW_WAYS; i++) {
		void *set = table_set(place->set[i / LB_FLOW_WAYS & 1], family);
		struct lb_flow *entry;
		__s64 worth;
		__u32 seq;

		if (!set)
			return 0;
		entry = set_way(set, i, family);
		seq = READ_ONCE(entry->seq);
		smp_barrier();
		worth = entry_worth(clock, entry);
		if (worth >= victim->worth)
			continue;
		victim->worth = worth;
		victim->way = i;
		victim->seq = seq;
	}
	return 1;
}

/* Of an entry that the caller has claimed. */
static __always_inline void entry_write(struct lb_flow *entry, const struct tuple *key, const struct flow_view *view,
					const int family)
{
	copy_words(entry_addr(entry, LB_FLOW_SRC, family), key->src, words_of(family));
	copy_words(entry_addr(entry, LB_FLOW_DST, family), key->dst, words_of(family));
	copy_words(entry_addr(entry, LB_FLOW_NEW_SRC, family), view->to.src, words_of(family));
	copy_words(entry_addr(entry, LB_FLOW_NEW_DST, family), view->to.dst, words_of(family));
	*entry_ports(entry) = key->ports;
	entry->proto = (__u8)key->proto;
	entry->flags = view->flags;
	entry->state = view->state;
	*entry_new_ports(entry) = view->to.ports;
	entry->backend = view->backend;
	entry->generation = view->generation;
	entry->expires = view->expires;
	entry->timeout = view->timeout;
	entry->hop.stamp = LB_HOP_NONE;
}

/* 1 for a way that is free, without a branch: four of those would be sixteen paths for the verifier. */
static __always_inline __u32 is_free(void *set, __u32 way, const int family)
{
	return (READ_ONCE(set_way(set, way, family)->proto) - 1u) >> 31;
}

static __always_inline __u32 free_ways(void *set, const int family)
{
	return is_free(set, 0, family) + is_free(set, 1, family) + is_free(set, 2, family) + is_free(set, 3, family);
}

/* Into the set's first free way. TABLE_INSERT_FULL where another CPU took the last. */
static __always_inline enum table_inserted insert_into(void *set, const struct tuple *key, const struct flow_view *view,
						       const int family)
{
	ROLLED
	for (__u32 way = 0; way < LB_FLOW_WAYS; way++) {
		struct lb_flow *entry = set_way(set, way, family);
		const __u32 seq = READ_ONCE(entry->seq);

		smp_barrier();
		if (READ_ONCE(entry->proto) || !entry_claim(entry, seq))
			continue;
		entry_write(entry, key, view, family);
		entry_publish(entry, seq);
		return TABLE_INSERTED;
	}
	return TABLE_INSERT_FULL;
}

static __always_inline enum table_inserted insert_free(const struct tuple *key, const struct flow_view *view,
						       const struct lb_flow_place *place, const int family)
{
	void *set = table_set(place->set[0], family), *second;
	__u32 free;

	if (!set)
		return TABLE_INSERT_BUSY;
	free = free_ways(set, family);
	if (unlikely(free < TABLE_SPARE_WAYS)) {
		second = table_set(place->set[1], family);
		if (second && free_ways(second, family) > free)
			set = second;
	}
	return insert_into(set, key, view, family);
}

/* In place of the least valuable entry of both sets. */
static __always_inline enum table_inserted insert_evicting(struct flow_copy *evicted, const struct tuple *key,
							   const struct flow_view *view,
							   const struct lb_flow_place *place, const int family)
{
	struct lb_clock *clock = clock_words();
	struct victim victim = {};
	struct lb_flow *entry;
	void *set;

	if (!clock || !find_victim(&victim, clock, place, family))
		return TABLE_INSERT_BUSY;
	if (victim.worth >= NOT_FOR_TAKING)
		return TABLE_INSERT_FULL;
	set = table_set(victim.way < LB_FLOW_WAYS ? place->set[0] : place->set[1], family);
	if (!set)
		return TABLE_INSERT_BUSY;
	entry = set_way(set, victim.way, family);
	if (!entry_claim(entry, victim.seq))
		return TABLE_INSERT_BUSY;
	entry_key(&evicted->key, entry, family);
	entry_read(&evicted->view, entry, entry->proto, family);
	entry_write(entry, key, view, family);
	entry_publish(entry, victim.seq);
	/* It may have been freed since the sets were found full. */
	return evicted->key.proto ? TABLE_EVICTED : TABLE_INSERTED;
}

static __always_inline enum table_inserted table_insert(struct flow_copy *evicted, const struct tuple *key,
							const struct flow_view *view, const int family)
{
	const struct lb_flow_place place = flow_place(flow_hash(key, family), family);
	enum table_inserted inserted = insert_free(key, view, &place, family);

	if (likely(inserted != TABLE_INSERT_FULL))
		return inserted;
	return insert_evicting(evicted, key, view, &place, family);
}

int lb_table_insert(struct flow_copy *evicted, const struct tuple *key, const struct flow_view *view, int family)
{
	if (!evicted || !key || !view)
		return TABLE_INSERT_BUSY;
	if (family == LB_AF_INET)
		return table_insert(evicted, key, view, LB_AF_INET);
	return table_insert(evicted, key, view, LB_AF_INET6);
}
