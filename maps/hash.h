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
 * Hash of a flow key. Keyed, because whoever can choose addresses and ports must not be able to fill one set. The last
 * word has constant upper bits, so a difference made in the addresses cannot be cancelled there without knowing the
 * seed.
 */
static inline __attribute__((always_inline)) __u64 lb_flow_hash(const __u64 seed[2], const __be32 *src,
								const __be32 *dst, int words, __be16 sport,
								__be16 dport, __u8 proto)
{
	__u64 hash = seed[0];

	if (words == 4) {
		hash = lb_mix(hash, src[0] | (__u64)src[1] << 32);
		hash = lb_mix(hash, src[2] | (__u64)src[3] << 32);
		hash = lb_mix(hash, dst[0] | (__u64)dst[1] << 32);
		hash = lb_mix(hash, dst[2] | (__u64)dst[3] << 32);
	} else {
		hash = lb_mix(hash, src[0] | (__u64)dst[0] << 32);
	}
	hash = lb_mix(hash ^ seed[1], sport | (__u32)dport << 16 | (__u64)proto << 32);
	return lb_mix(hash, seed[1]);
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

/* Which ring slot a new flow takes: not secret, the same on every node for the same seed. */
static inline __attribute__((always_inline)) __u32 lb_select_hash(__u32 seed, const __be32 *src, const __be32 *dst,
								  int words, __be16 sport, __be16 dport, __u8 proto)
{
	const __u64 seeds[2] = {seed, LB_HASH_MULTIPLIER};

	return (__u32)(lb_flow_hash(seeds, src, dst, words, sport, dport, proto) >> 32);
}

#endif
