/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_FLOW_PORTS_H
#define LB_BPF_FLOW_PORTS_H

#include "packet/packet.h"

/*
 * Source ports for SNAT: a bit a port in the backend's pool, which may be NULL here. The bit belongs to the reply entry
 * that has the port in its key, and whoever removes that entry, after the forward entry is gone, gives it back.
 */

#define PORT_WORDS_TRIED 24
#define PORT_NONE 0

/*
 * Index of the lowest set bit of a word that has one. The multiplier is a de Bruijn sequence: its 64 windows of 6 bits
 * are all different, so the window that a single bit shifts to the top names the bit. No branches, which the verifier
 * would multiply.
 */
#define DE_BRUIJN 0x03f79d71b4cb0a89ull

static const __u8 de_bruijn_bit[64] = {
	0,  1,	48, 2,	57, 49, 28, 3,	61, 58, 50, 42, 38, 29, 17, 4,	62, 55, 59, 36, 53, 51,
	43, 22, 45, 39, 33, 30, 24, 18, 12, 5,	63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21,
	44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,	13, 8,	7,  6,
};

static __always_inline __u32 lowest_bit(__u64 word)
{
	return de_bruijn_bit[((word & -word) * DE_BRUIJN) >> 58] & 63;
}

static __always_inline struct lb_snat_pool *port_pool(const __be32 *addr, __be16 port, __u32 proto, const int family)
{
	const __u32 index = lb_snat_pool_of(addr, words_of(family), port, (__u8)proto);

	return bpf_map_lookup_elem(&lb_snat_pools, &index);
}

static __always_inline __u32 preferred_port_bit(__u64 hash)
{
	return (__u32)(((hash & 0xffffffff) * (lb_config.snat_port_words * 64u)) >> 32);
}

/* The port that this flow gets when nobody else has it: the same after its entries were lost. */
static __always_inline __be16 preferred_port(__u64 hash)
{
	return bpf_htons((__u16)(lb_config.snat_port_base + preferred_port_bit(hash)));
}

static __always_inline int port_is_taken(const struct lb_snat_pool *pool, __be16 port)
{
	const __u32 bit = (__u16)(bpf_ntohs(port) - lb_config.snat_port_base);

	return pool && READ_ONCE(pool->used[bit / 64 % LB_SNAT_POOL_WORDS]) & (1ull << (bit % 64));
}

/* Returns 1 where nobody had the port, which is the caller's from then on. */
static __always_inline int port_retake(struct lb_snat_pool *pool, __be16 port)
{
	const __u32 bit = (__u16)(bpf_ntohs(port) - lb_config.snat_port_base);

	return pool && !(__sync_fetch_and_or(&pool->used[bit / 64 % LB_SNAT_POOL_WORDS], 1ull << (bit % 64)) &
			 (1ull << (bit % 64)));
}

/* Takes the preferred port, or one near it. PORT_NONE where PORT_WORDS_TRIED words of the pool have none free. */
static __always_inline __be16 port_take(struct lb_snat_pool *pool, __u64 hash)
{
	__u32 preferred = preferred_port_bit(hash), word = preferred / 64, words = lb_config.snat_port_words;

	if (!pool)
		return PORT_NONE;
	preferred %= 64;
	ROLLED
	for (int i = 0; i < PORT_WORDS_TRIED; i++) {
		__u64 *used = &pool->used[word % LB_SNAT_POOL_WORDS], free = ~READ_ONCE(*used);
		const __u32 bit = free >> preferred & 1 ? preferred : lowest_bit(free);

		if (free && !(__sync_fetch_and_or(used, 1ull << bit) & (1ull << bit)))
			return bpf_htons((__u16)(lb_config.snat_port_base + word * 64 + bit));
		word = word + 1 >= words ? 0 : word + 1;
	}
	return PORT_NONE;
}

static __always_inline void port_release(struct lb_snat_pool *pool, __be16 port)
{
	const __u32 bit = (__u16)(bpf_ntohs(port) - lb_config.snat_port_base);

	if (pool)
		__sync_fetch_and_and(&pool->used[bit / 64 % LB_SNAT_POOL_WORDS], ~(1ull << (bit % 64)));
}

#endif
