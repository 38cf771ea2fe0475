/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_FLOW_PORTS_H
#define LB_BPF_FLOW_PORTS_H

#include "tuple.h"

/*
 * Source ports for SNAT: a bit a port in the backend's pool, which may be NULL here. The bit belongs to the reply entry
 * that has the port in its key, and whoever removes that entry, after the forward entry is gone, gives it back.
 */

#define PORT_WORDS_TRIED 16
#define PORT_NONE 0

static __always_inline struct lb_snat_pool *port_pool(const __be32 *addr, __be16 port, __u32 proto, const int family)
{
	const __u32 index = lb_snat_pool_of(addr, words_of(family), port, (__u8)proto);

	return bpf_map_lookup_elem(&lb_snat_pools, &index);
}

static __always_inline __u32 preferred_port_bit(__u64 hash)
{
	return (__u32)(((hash & 0xffffffff) * (lb_config.snat_port_words * 64u)) >> 32);
}

/* Of any number: they go round. */
static __always_inline __be16 port_of_bit(__u32 bit)
{
	const __u32 ports = lb_config.snat_port_words * 64u;

	return bpf_htons((__u16)(lb_config.snat_port_base + (ports ? bit % ports : 0)));
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

/*
 * Takes the preferred port, or one near it. PORT_NONE where PORT_WORDS_TRIED words of the pool have none free. In
 * ports.bpf.c, a global function: the verifier walks its loop once and not for every way that leads to it.
 */
int lb_port_take(struct lb_snat_pool *pool, __u64 hash);

static __always_inline void port_release(struct lb_snat_pool *pool, __be16 port)
{
	const __u32 bit = (__u16)(bpf_ntohs(port) - lb_config.snat_port_base);

	if (pool)
		__sync_fetch_and_and(&pool->used[bit / 64 % LB_SNAT_POOL_WORDS], ~(1ull << (bit % 64)));
}

#endif
