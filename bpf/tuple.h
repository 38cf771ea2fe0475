/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_TUPLE_H
#define LB_BPF_TUPLE_H

#include "tables.h"

/* A five-tuple. IPv4 uses word 0 of the addresses and leaves the others undefined. */
struct tuple {
	__be32 src[4];
	__be32 dst[4];
	union {
		struct {
			__be16 sport;
			__be16 dport;
		};
		__u32 ports; /* both, as they stand in a header and in an entry */
	};
	__u32 proto;
};
_Static_assert(__builtin_offsetof(struct tuple, dst) == 16, "rewriting stores both addresses at once");

#define TCP_SYN LB_TCP_SYN
#define TCP_RST LB_TCP_RST
#define TCP_ACK LB_TCP_ACK

static __always_inline int words_of(const int family)
{
	return family == LB_AF_INET ? 1 : 4;
}

static __always_inline void copy_words(__be32 *to, const __be32 *from, const int words)
{
	to[0] = from[0];
	if (words == 4) {
		to[1] = from[1];
		to[2] = from[2];
		to[3] = from[3];
	}
}

static __always_inline int equal_words(const __be32 *a, const __be32 *b, const int words)
{
	if (words == 1)
		return a[0] == b[0];
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]));
}

static __always_inline int tuple_equals(const struct tuple *a, const struct tuple *b, const int family)
{
	return a->ports == b->ports && equal_words(a->src, b->src, words_of(family)) &&
	       equal_words(a->dst, b->dst, words_of(family));
}

static __always_inline __u32 swapped(__u32 ports)
{
	return ports << 16 | ports >> 16;
}

/* The tuple of the packets that go the other way. */
static __always_inline void tuple_reverse(struct tuple *to, const struct tuple *from, const int family)
{
	copy_words(to->src, from->dst, words_of(family));
	copy_words(to->dst, from->src, words_of(family));
	to->ports = swapped(from->ports);
	to->proto = from->proto;
}

#endif
