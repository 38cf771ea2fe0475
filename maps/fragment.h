/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_FRAGMENT_H
#define LB_MAPS_FRAGMENT_H

#include "base.h"

/*
 * lb_fragments remembers the ports of first fragments, so that the others, which have none, find their flow. The
 * identification is 16 bits for IPv4 (RFC 791) and 32 for IPv6 (RFC 8200), as in the packet. Least recently used
 * entries make room.
 *
 * Two hosts may number their datagrams alike. Behind one address, this node's or a service's, a receiver would put
 * pieces of both together, so what leaves under such an address has a number of this node's choice (id).
 */
#define LB_FRAGMENTS_LAYOUT 2
struct lb_fragment_key {
	struct lb_addr src;
	struct lb_addr dst;
	__be32 id;
	__u8 proto;
	__u8 family;
	__u16 pad;
};
LB_ASSERT_SIZE(struct lb_fragment_key, 40);

struct lb_fragment {
	__be16 sport;
	__be16 dport;
	__be32 id; /* for the whole datagram from here on, as in the packet; 0: it keeps its own */
};
LB_ASSERT_SIZE(struct lb_fragment, 8);

#endif
