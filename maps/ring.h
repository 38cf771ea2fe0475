/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_RING_H
#define LB_MAPS_RING_H

#include "base.h"
#include "limits.h"

/*
 * lb_rings is one arena of u16 slots, cut into chunks only because a map value has a size limit; slot s stands in chunk
 * s >> LB_RING_CHUNK_SHIFT. A ring is ring_slots consecutive slots, aligned to its size. Each slot holds an index into
 * the service's members. lb_members is one arena of backend slots; member m of a service is lb_members[member_offset +
 * m]. Both are written by userspace through its mapping, always into space that no published service refers to.
 */
#define LB_RINGS_LAYOUT 1
struct lb_ring_chunk {
	__u16 member[LB_RING_CHUNK_SLOTS];
};
LB_ASSERT_SIZE(struct lb_ring_chunk, 8192);

#define LB_MEMBERS_LAYOUT 1
struct lb_member_chunk {
	__u32 slot[LB_MEMBER_CHUNK_SLOTS];
};
LB_ASSERT_SIZE(struct lb_member_chunk, 4096);

#endif
