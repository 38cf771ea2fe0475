// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "flow/ports.h"

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

int lb_port_take(struct lb_snat_pool *pool, __u64 hash)
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
