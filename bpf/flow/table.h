/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_FLOW_TABLE_H
#define LB_BPF_FLOW_TABLE_H

#include "tuple.h"

/*
 * The set-associative table that flows are kept in: find, touch, insert, remove. maps/flow.h describes the layout and
 * the rules of concurrency that this file keeps. It knows entries, not flows: that two entries belong together is
 * flow.h's business.
 */

#define TABLE_REMOVE_TRIES 4
/* A newcomer goes to its first set while that has this many ways free, so that nearly every lookup ends there. */
#define TABLE_SPARE_WAYS 2

/* An entry's content apart from its key. */
struct flow_view {
	struct tuple to;
	__u32 backend;
	__u32 generation;
	__u32 expires;
	__u8 flags;
	__u8 state;
	__u8 touched;
	__u8 pad;
};

/* Where a view was read, for writing back: a write lands only while the entry is still at that seq. */
struct flow_at {
	__u32 set;
	__u32 way;
	__u32 seq;
};

/* A whole entry that has been taken out of the table. */
struct flow_copy {
	struct tuple key;
	struct flow_view view;
};

static __always_inline __u64 flow_hash(const struct tuple *key, const int family)
{
	const __u64 seed[2] = {lb_config.flow_seed[0], lb_config.flow_seed[1]};

	return lb_flow_hash(seed, key->src, key->dst, words_of(family), key->sport, key->dport, (__u8)key->proto);
}

static __always_inline struct lb_flow_place flow_place(__u64 hash, const int family)
{
	return lb_flow_place(hash, family == LB_AF_INET ? lb_config.flow4_set_mask : lb_config.flow6_set_mask);
}

static __always_inline void *table_set(__u32 index, const int family)
{
	if (family == LB_AF_INET)
		return bpf_map_lookup_elem(&lb_flow4, &index);
	return bpf_map_lookup_elem(&lb_flow6, &index);
}

static __always_inline struct lb_flow *set_way(void *set, __u32 way, const int family)
{
	return set +
	       (way & (LB_FLOW_WAYS - 1)) * (family == LB_AF_INET ? sizeof(struct lb_flow4) : sizeof(struct lb_flow6));
}

/* which is LB_FLOW_SRC, _DST, _NEW_SRC or _NEW_DST. */
static __always_inline __be32 *entry_addr(struct lb_flow *entry, const int which, const int family)
{
	return (__be32 *)(entry + 1) + which * words_of(family);
}

static __always_inline int entry_has_key(struct lb_flow *entry, const struct tuple *key, const int family)
{
	return entry->sport == key->sport && entry->dport == key->dport && entry->proto == (__u8)key->proto &&
	       equal_words(entry_addr(entry, LB_FLOW_SRC, family), key->src, words_of(family)) &&
	       equal_words(entry_addr(entry, LB_FLOW_DST, family), key->dst, words_of(family));
}

static __always_inline void entry_key(struct tuple *key, struct lb_flow *entry, const int family)
{
	copy_words(key->src, entry_addr(entry, LB_FLOW_SRC, family), words_of(family));
	copy_words(key->dst, entry_addr(entry, LB_FLOW_DST, family), words_of(family));
	key->sport = entry->sport;
	key->dport = entry->dport;
	key->proto = entry->proto;
}

static __always_inline void entry_read(struct flow_view *view, struct lb_flow *entry, __u32 proto, const int family)
{
	copy_words(view->to.src, entry_addr(entry, LB_FLOW_NEW_SRC, family), words_of(family));
	copy_words(view->to.dst, entry_addr(entry, LB_FLOW_NEW_DST, family), words_of(family));
	view->to.sport = entry->new_sport;
	view->to.dport = entry->new_dport;
	view->to.proto = proto;
	view->backend = entry->backend;
	view->generation = entry->generation;
	view->expires = entry->expires;
	view->flags = entry->flags;
	view->state = entry->state;
	view->touched = entry->touched;
	view->pad = 0;
}

/* Writes are bracketed by these two; entry_claim fails when the entry is not at that seq any more. */
static __always_inline int entry_claim(struct lb_flow *entry, __u32 seq)
{
	return !(seq & 1) && __sync_val_compare_and_swap(&entry->seq, seq, seq + 1) == seq;
}

static __always_inline void entry_publish(struct lb_flow *entry, __u32 seq)
{
	smp_barrier();
	WRITE_ONCE(entry->seq, seq + 2);
}

enum table_found {
	TABLE_MISSING,
	TABLE_FOUND,
	TABLE_BUSY, /* it may be there, but somebody is writing */
};

/* The entry with this key, NULL where there is none; *busy is set where there may be one that somebody is writing. */
static __always_inline struct lb_flow *table_match(struct flow_at *at, int *busy, const struct tuple *key,
						   const int family)
{
	const struct lb_flow_place place = flow_place(flow_hash(key, family), family);

#pragma unroll
	for (int choice = 0; choice < 2; choice++) {
		void *set = table_set(place.set[choice], family);

		if (!set)
			return NULL;
		at->set = place.set[choice];
#pragma unroll
		for (int way = 0; way < (int)LB_FLOW_WAYS; way++) {
			struct lb_flow *entry = set_way(set, way, family);

			at->way = way;
			at->seq = READ_ONCE(entry->seq);
			smp_barrier();
			if (entry_has_key(entry, key, family))
				return entry;
			*busy |= at->seq & 1;
		}
	}
	return NULL;
}

static __always_inline int table_holds(const struct tuple *key, const int family)
{
	struct flow_at at;
	int busy = 0;

	return table_match(&at, &busy, key, family) || busy;
}

/*
 * The one lookup that an established packet pays. The entry is copied into *view (and *hop, where that is wanted), and
 * the copy is believed only if the entry's seq was even before and unchanged after it.
 */
static __always_inline enum table_found table_find(struct flow_view *view, struct lb_hop *hop, struct flow_at *at,
						   const struct tuple *key, const int family)
{
	int busy = 0;
	struct lb_flow *entry = table_match(at, &busy, key, family);

	if (!entry)
		return busy ? TABLE_BUSY : TABLE_MISSING;
	entry_read(view, entry, key->proto, family);
	if (hop)
		*hop = entry->hop;
	smp_barrier();
	return likely(!(at->seq & 1) && READ_ONCE(entry->seq) == at->seq) ? TABLE_FOUND : TABLE_BUSY;
}

/* Sets how long the entry lives from now on, for its state. */
static __always_inline void view_touch(struct flow_view *view, __u8 proto, const struct lb_clock *clock)
{
	view->expires = clock->now + clock->timeout[lb_flow_timeout(proto, view->state) & (LB_TIMEOUT_COUNT - 1)];
	view->touched = (__u8)clock->now;
}

/* Writes expires and state back. *at keeps up with the entry. Returns 0 where it is not the same entry any more. */
static __always_inline int table_touch(struct flow_at *at, const struct flow_view *view, const int family)
{
	void *set = table_set(at->set, family);
	struct lb_flow *entry;

	if (!set)
		return 0;
	entry = set_way(set, at->way, family);
	if (!entry_claim(entry, at->seq))
		return 0;
	entry->expires = view->expires;
	entry->touched = view->touched;
	entry->state |= view->state;
	entry_publish(entry, at->seq);
	at->seq += 2;
	return 1;
}

static __always_inline void table_store_hop(struct flow_at *at, const struct lb_hop *hop, const int family)
{
	void *set = table_set(at->set, family);
	struct lb_flow *entry;

	if (!set)
		return;
	entry = set_way(set, at->way, family);
	if (!entry_claim(entry, at->seq))
		return;
	entry->hop = *hop;
	entry_publish(entry, at->seq);
	at->seq += 2;
}

/* Frees the entry if it is still at this seq. Of all who try at once, exactly one is told 1. */
static __always_inline int entry_free(struct lb_flow *entry, __u32 seq)
{
	if (!entry_claim(entry, seq))
		return 0;
	entry->proto = 0;
	entry_publish(entry, seq);
	return 1;
}

static __always_inline int table_free(const struct flow_at *at, const int family)
{
	void *set = table_set(at->set, family);

	return set && entry_free(set_way(set, at->way, family), at->seq);
}

enum table_removed {
	TABLE_ABSENT,
	TABLE_REMOVED, /* by this call and no other */
	TABLE_STAYS,   /* others write it faster than this call can claim it */
};

/* What an entry must be, besides having the key, to be the one that is to go: of this flow, and of this use of the
 * slot. */
struct flow_end {
	const struct tuple *undone; /* key of the flow's other entry */
	__u32 backend;
	__u32 generation;
};

/* What an entry rewrites to, the other way round: the key of the one that undoes it. */
static __always_inline int entry_undoes(struct lb_flow *entry, const struct tuple *key, const int family)
{
	return entry->new_sport == key->dport && entry->new_dport == key->sport &&
	       equal_words(entry_addr(entry, LB_FLOW_NEW_SRC, family), key->dst, words_of(family)) &&
	       equal_words(entry_addr(entry, LB_FLOW_NEW_DST, family), key->src, words_of(family));
}

/* A touch changes seq without changing whose entry it is: look again. */
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

/* Seconds until it counts as free; negative when it does already. */
static __always_inline __s32 entry_remaining(const struct lb_clock *clock, __u32 expires)
{
	return (__s32)(expires - clock->now);
}

/* Answered and not closing: such a flow yields only to one that cannot be put anywhere else. */
static __always_inline int is_established(__u8 state)
{
	return (state & (LB_FLOW_ANSWERED | LB_FLOW_CLOSING)) == LB_FLOW_ANSWERED;
}

#define ESTABLISHED_BIAS (1ll << 32)

struct victim {
	__s64 worth;
	struct flow_at at;
};

/*
 * The entry that is worth least: expired, closed, never answered, and last the established, each by what is left of its
 * life. So those who never complete a handshake evict each other, and no flow that is in use.
 */
static __always_inline int find_victim(struct victim *victim, const struct lb_clock *clock,
				       const struct lb_flow_place *place, const int family)
{
	victim->worth = 2 * ESTABLISHED_BIAS;
	ROLLED
	for (__u32 i = 0; i < 2 * LB_FLOW_WAYS; i++) {
		const __u32 index = place->set[i / LB_FLOW_WAYS & 1];
		void *set = table_set(index, family);
		struct lb_flow *entry;
		__s64 worth;
		__u32 seq;

		if (!set)
			return 0;
		entry = set_way(set, i, family);
		seq = READ_ONCE(entry->seq);
		smp_barrier();
		worth = entry_remaining(clock, READ_ONCE(entry->expires));
		if (worth >= 0 && is_established(READ_ONCE(entry->state)))
			worth += ESTABLISHED_BIAS;
		if (worth >= victim->worth)
			continue;
		victim->worth = worth;
		victim->at.set = index;
		victim->at.way = i % LB_FLOW_WAYS;
		victim->at.seq = seq;
	}
	return 1;
}

/* Whether the entry may go: everything but an established flow that was active just now. */
static __always_inline int may_evict(const struct lb_clock *clock, const struct lb_flow *entry)
{
	return !is_established(entry->state) || (__u8)((__u8)clock->now - entry->touched) >= lb_config.fresh_seconds;
}

/* Of an entry that the caller has claimed. */
static __always_inline void entry_write(struct lb_flow *entry, const struct tuple *key, const struct flow_view *view,
					const int family)
{
	copy_words(entry_addr(entry, LB_FLOW_SRC, family), key->src, words_of(family));
	copy_words(entry_addr(entry, LB_FLOW_DST, family), key->dst, words_of(family));
	copy_words(entry_addr(entry, LB_FLOW_NEW_SRC, family), view->to.src, words_of(family));
	copy_words(entry_addr(entry, LB_FLOW_NEW_DST, family), view->to.dst, words_of(family));
	entry->sport = key->sport;
	entry->dport = key->dport;
	entry->proto = (__u8)key->proto;
	entry->flags = view->flags;
	entry->state = view->state;
	entry->new_sport = view->to.sport;
	entry->new_dport = view->to.dport;
	entry->backend = view->backend;
	entry->generation = view->generation;
	entry->expires = view->expires;
	entry->touched = view->touched;
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

enum table_inserted {
	TABLE_INSERTED,
	TABLE_EVICTED, /* inserted in place of another, which is now in *evicted: its flow has to be ended */
	TABLE_INSERT_BUSY,
	TABLE_INSERT_FULL,
};

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
	set = table_set(victim.at.set, family);
	if (!set)
		return TABLE_INSERT_BUSY;
	entry = set_way(set, victim.at.way, family);
	if (!may_evict(clock, entry))
		return TABLE_INSERT_FULL;
	if (!entry_claim(entry, victim.at.seq))
		return TABLE_INSERT_BUSY;
	entry_key(&evicted->key, entry, family);
	entry_read(&evicted->view, entry, entry->proto, family);
	entry_write(entry, key, view, family);
	entry_publish(entry, victim.at.seq);
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

/*
 * The same, out of line, in table.bpf.c: global functions, so that the verifier walks each once and not for every
 * way that leads to it. For the rare paths; the hit path has table_find() inline.
 */
int lb_table_find(struct flow_view *view, struct flow_at *at, const struct tuple *key, int family);
/* Whether there is an entry with this key, or may be. */
int lb_table_holds(const struct tuple *key, int family);
int lb_table_insert(struct flow_copy *evicted, const struct tuple *key, const struct flow_view *view, int family);
int lb_table_remove(const struct tuple *key, const struct tuple *undone, __u32 backend, __u32 generation, int family);

#endif
