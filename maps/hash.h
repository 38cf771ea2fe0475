/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_HASH_H
#define LB_MAPS_HASH_H

#include "base.h"
#include "limits.h"

/*
 * The hashes that both sides must agree on. They read addresses and ports as the words they are in memory, so a table
 * is only meaningful to machines of one endianness; the programs are built for little endian.
 */

#define LB_HASH_MULTIPLIER 0x9e3779b97f4a7c15ull

static inline __attribute__((always_inline)) __u64 lb_mix(__u64 hash, __u64 value)
{
	hash = (hash ^ value) * LB_HASH_MULTIPLIER;
	return hash ^ (hash >> 32);
}

/* Bucket of lb_filter. words is 1 (IPv4) or 4 (IPv6). */
static inline __attribute__((always_inline)) __u32 lb_address_hash(const __be32 *addr, int words)
{
	__u64 hash = addr[0];

	if (words == 4)
		hash = lb_mix(addr[0] | (__u64)addr[1] << 32, addr[2] | (__u64)addr[3] << 32);
	return (__u32)((hash * LB_HASH_MULTIPLIER) >> 32) % LB_FILTER_BUCKETS;
}

/*
 * Hash of a flow key: NH (Black et al., UMAC, 1999) of its words, made even. Each word is added to a secret one and
 * multiplied by its neighbour's sum, so for any two keys, whatever they have in common, one seed in 2^32 makes the
 * hashes equal, and nobody can choose addresses that fill one set without knowing the seed. A chain of multiplications
 * by a constant has pairs of addresses that are equal for every seed.
 */
#define LB_FLOW_KEY_WORDS 10u
struct lb_flow_keys {
	__u32 word[LB_FLOW_KEY_WORDS];
	__u64 multiplier; /* odd */
};
LB_ASSERT_SIZE(struct lb_flow_keys, 48);

static inline __u64 lb_next_key(__u64 *state)
{
	__u64 key = *state += LB_HASH_MULTIPLIER;

	key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9ull;
	key = (key ^ (key >> 27)) * 0x94d049bb133111ebull;
	return key ^ (key >> 31);
}

/* From the seed that is kept with the pinned maps: each half makes half of each key. */
static inline struct lb_flow_keys lb_flow_keys(const __u64 seed[2])
{
	struct lb_flow_keys keys;
	__u64 first = seed[0], second = seed[1];

	for (__u32 i = 0; i < LB_FLOW_KEY_WORDS; i++)
		keys.word[i] = (__u32)((lb_next_key(&first) ^ lb_next_key(&second)) >> 32);
	keys.multiplier = (lb_next_key(&first) ^ lb_next_key(&second)) | 1;
	return keys;
}

static inline __attribute__((always_inline)) __u64 lb_nh(__u32 a, __u32 key_a, __u32 b, __u32 key_b)
{
	return (__u64)(a + key_a) * (b + key_b);
}

/* The keys are volatile because the programs' are, whose constants come after compiling. */
static inline __attribute__((always_inline)) __u64 lb_flow_hash(const volatile struct lb_flow_keys *keys,
								const __be32 *src, const __be32 *dst, int words,
								__be16 sport, __be16 dport, __u8 proto)
{
	const volatile __u32 *key = keys->word;
	__u64 hash = lb_nh(sport | (__u32)dport << 16, key[0], proto, key[1]) + lb_nh(src[0], key[2], dst[0], key[3]);

	if (words == 4) {
		hash += lb_nh(src[1], key[4], dst[1], key[5]);
		hash += lb_nh(src[2], key[6], dst[2], key[7]);
		hash += lb_nh(src[3], key[8], dst[3], key[9]);
	}
	/* Its lowest and highest bits are worse than the others, and all are used. */
	hash = (hash ^ (hash >> 32)) * keys->multiplier;
	return lb_mix(0, hash ^ (hash >> 29));
}

/* The two sets that a key may stand in, from disjoint bits of one hash. */
struct lb_flow_place {
	__u32 set[2];
};

static inline __attribute__((always_inline)) struct lb_flow_place lb_flow_place(__u64 hash, __u32 set_mask)
{
	struct lb_flow_place place = {{(__u32)hash & set_mask, (__u32)(hash >> 32) & set_mask}};
	return place;
}

/*
 * The pool of source ports for SNAT towards a backend. It goes by the backend's address, not by its slot: several
 * services can have the same endpoint, and what they send to it must differ in its ports.
 */
static inline __attribute__((always_inline)) __u32 lb_snat_pool_of(const __be32 *addr, int words, __be16 port,
								   __u8 proto)
{
	__u64 hash = lb_mix(LB_HASH_MULTIPLIER, addr[0] | (__u64)port << 32 | (__u64)proto << 48);

	if (words == 4) {
		hash = lb_mix(hash, addr[1] | (__u64)addr[2] << 32);
		hash = lb_mix(hash, addr[3]);
	}
	return (__u32)(hash >> 32) % LB_SNAT_POOLS;
}

/* Which ring slot a new flow takes: not secret, the same on every node and in every build for the same seed. */
static inline __attribute__((always_inline)) __u32 lb_select_hash(__u32 seed, const __be32 *src, const __be32 *dst,
								  int words, __be16 sport, __be16 dport, __u8 proto)
{
	__u64 hash = seed;

	if (words == 4) {
		hash = lb_mix(hash, src[0] | (__u64)src[1] << 32);
		hash = lb_mix(hash, src[2] | (__u64)src[3] << 32);
		hash = lb_mix(hash, dst[0] | (__u64)dst[1] << 32);
		hash = lb_mix(hash, dst[2] | (__u64)dst[3] << 32);
	} else {
		hash = lb_mix(hash, src[0] | (__u64)dst[0] << 32);
	}
	hash = lb_mix(hash ^ LB_HASH_MULTIPLIER, sport | (__u32)dport << 16 | (__u64)proto << 32);
	return (__u32)(lb_mix(hash, LB_HASH_MULTIPLIER) >> 32);
}

#endif
