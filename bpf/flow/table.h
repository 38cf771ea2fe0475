/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_FLOW_TABLE_H
#define LB_BPF_FLOW_TABLE_H

#include "tuple.h"

/*
 * The set-associative table that flows are kept in: find, hold, insert, remove. maps/flow.h describes the layout and
 * the rules of concurrency that this file keeps. It knows entries, not flows: that two entries belong together is
 * flow.h's business.
 */

/* An entry's content apart from its key. */
struct flow_view {
	struct tuple to;
	__u32 backend;
	__u32 generation;
	__u32 expires;
	union {
		struct {
			__u8 unused; /* to.proto says it */
			__u8 flags;
			__u8 state;
			__u8 timeout;
		};
		__u32 kind; /* all four, as they stand in an entry */
	};
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
	return lb_flow_hash(&lb_config.flow_keys, key->src, key->dst, words_of(family), (__be16)key->ports,
			    (__be16)(key->ports >> 16), (__u8)key->proto);
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

/* Words that hold several fields, which are read and compared at once. */
_Static_assert(__builtin_offsetof(struct lb_flow, sport) % 4 == 0, "entry_ports() reads a word");
_Static_assert(__builtin_offsetof(struct lb_flow, proto) % 4 == 0, "entry_kind() reads a word");
_Static_assert(__builtin_offsetof(struct lb_flow, new_sport) % 4 == 0, "entry_new_ports() reads a word");

static __always_inline __u32 *entry_ports(struct lb_flow *entry)
{
	return (__u32 *)&entry->sport;
}

static __always_inline __u32 *entry_kind(struct lb_flow *entry)
{
	return (__u32 *)&entry->proto;
}

static __always_inline __u32 *entry_new_ports(struct lb_flow *entry)
{
	return (__u32 *)&entry->new_sport;
}

static __always_inline int entry_has_key(struct lb_flow *entry, const struct tuple *key, const int family)
{
	return !((*entry_ports(entry) ^ key->ports) | (entry->proto ^ (__u8)key->proto)) &&
	       equal_words(entry_addr(entry, LB_FLOW_SRC, family), key->src, words_of(family)) &&
	       equal_words(entry_addr(entry, LB_FLOW_DST, family), key->dst, words_of(family));
}

static __always_inline void entry_key(struct tuple *key, struct lb_flow *entry, const int family)
{
	copy_words(key->src, entry_addr(entry, LB_FLOW_SRC, family), words_of(family));
	copy_words(key->dst, entry_addr(entry, LB_FLOW_DST, family), words_of(family));
	key->ports = *entry_ports(entry);
	key->proto = entry->proto;
}

static __always_inline void entry_read(struct flow_view *view, struct lb_flow *entry, __u32 proto, const int family)
{
	copy_words(view->to.src, entry_addr(entry, LB_FLOW_NEW_SRC, family), words_of(family));
	copy_words(view->to.dst, entry_addr(entry, LB_FLOW_NEW_DST, family), words_of(family));
	view->to.ports = *entry_new_ports(entry);
	view->to.proto = proto;
	view->backend = entry->backend;
	view->generation = entry->generation;
	view->expires = entry->expires;
	view->kind = *entry_kind(entry);
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
static __always_inline void view_live(struct flow_view *view, __u8 proto, const struct lb_clock *clock)
{
	view->timeout = lb_flow_timeout(proto, view->state);
	view->expires = clock_ticks(clock) + clock->timeout[view->timeout & (LB_TIMEOUT_COUNT - 1)];
}

/* What an entry rewrites to, the other way round: the key of the one that undoes it. */
static __always_inline int entry_undoes(struct lb_flow *entry, const struct tuple *key, const int family)
{
	return *entry_new_ports(entry) == swapped(key->ports) &&
	       equal_words(entry_addr(entry, LB_FLOW_NEW_SRC, family), key->dst, words_of(family)) &&
	       equal_words(entry_addr(entry, LB_FLOW_NEW_DST, family), key->src, words_of(family));
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

/* Ticks until it counts as free; negative when it does already. */
static __always_inline __s32 entry_remaining(const struct lb_clock *clock, __u32 expires)
{
	return (__s32)(expires - clock_ticks(clock));
}

enum table_removed {
	TABLE_ABSENT,
	TABLE_REMOVED, /* by this call and no other */
	TABLE_STAYS,   /* others write it faster than this call can claim it */
};

enum table_inserted {
	TABLE_INSERTED,
	TABLE_EVICTED, /* inserted in place of another, which is now in *evicted: its flow has to be ended */
	TABLE_INSERT_BUSY,
	TABLE_INSERT_FULL,
};

/*
 * What is rare, in files of its own: global functions, so that the verifier walks each once and not for every way that
 * leads to it. Only the path of known flows has table_find() inline.
 */
int lb_table_find(struct flow_view *view, struct flow_at *at, const struct tuple *key, int family);
/* Whether there is an entry with this key, or may be. */
int lb_table_holds(const struct tuple *key, int family);
int lb_table_insert(struct flow_copy *evicted, const struct tuple *key, const struct flow_view *view, int family);
int lb_table_remove(const struct tuple *key, const struct tuple *undone, __u32 backend, __u32 generation, int family);

#define TABLE_FIND_TRIES 8

/* Waits for who is writing: for those who have something to say to the entry. */
static __always_inline enum table_found table_find_patiently(struct flow_view *view, struct flow_at *at,
							     const struct tuple *key, const int family)
{
	enum table_found found = TABLE_BUSY;

	ROLLED
	for (int i = 0; i < TABLE_FIND_TRIES && found == TABLE_BUSY; i++)
		found = lb_table_find(view, at, key, family);
	return found;
}

/* See table_hold(). */
int lb_table_hold(struct flow_at *at, const struct tuple *key, const struct tuple *undone, int family);

/*
 * Claims the entry of a flow: the one at that place with that key, while it undoes the other key. Others that write it
 * are waited for, because what they write does not make it another flow's. The caller publishes it with at->seq.
 */
static __always_inline struct lb_flow *table_hold(struct flow_at *at, const struct tuple *key,
						  const struct tuple *undone, const int family)
{
	void *set = table_set(at->set, family);

	return set && lb_table_hold(at, key, undone, family) ? set_way(set, at->way, family) : NULL;
}

#endif
