/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_SERVICE_H
#define LB_MAPS_SERVICE_H

#include "backend.h"
#include "base.h"
#include "limits.h"

/*
 * Key of lb_services: one frontend. An all-zero addr is the wildcard that NodePorts are stored under: it is looked up
 * only for destinations that lb_addresses calls LB_ADDRESS_NODEPORT, and only after the exact address missed.
 */
#define LB_SERVICES_LAYOUT 1
struct lb_service_key {
	struct lb_addr addr;
	__be16 port;
	__u8 proto;
	__u8 family;
};
LB_ASSERT_SIZE(struct lb_service_key, 20);

/* What becomes of a new flow when a frontend has no member. Exactly one of the two is set then, and none otherwise. */
#define LB_SERVICE_REJECT (1u << 0) /* no usable endpoint anywhere: answer at once */
#define LB_SERVICE_DROP                                                                                \
	(1u << 1) /* the traffic policy keeps this node from using what endpoints there are, or source \
		   * ranges, which are not enforced yet, every client: silence */

/*
 * Value of lb_services. Ring and members are written before the entry that names them; replacing the entry publishes
 * both at once. ring_slots is a power of two between LB_RING_MIN_SLOTS and LB_RING_MAX_SLOTS, or 0 when there is no
 * member.
 */
struct lb_service {
	__u32 id;	   /* index of the service port, key of lb_service_names */
	__u32 flags;	   /* LB_SERVICE_* */
	__u32 ring_offset; /* first slot in the arena, a multiple of ring_slots */
	__u32 ring_slots;
	__u32 member_offset; /* first member in lb_members */
	__u32 member_count;
};
LB_ASSERT_SIZE(struct lb_service, 24);

/* Key of lb_addresses: an address that this node answers for, whatever the port. */
#define LB_ADDRESSES_LAYOUT 1
struct lb_address_key {
	struct lb_addr addr;
	__u32 family;
};
LB_ASSERT_SIZE(struct lb_address_key, 20);

#define LB_ADDRESS_VIP (1u << 0)      /* owned by services: ports without a service are refused, echo is answered */
#define LB_ADDRESS_NODEPORT (1u << 1) /* an address of this node on which NodePorts are served */
#define LB_ADDRESS_NODE (1u << 2)     /* an address of this node */

/*
 * Value of lb_service_names, keyed by lb_service.id. text is "namespace/name:port/PROTO/family", NUL padded, for people
 * and for adoption. left is what backends had counted that are not the service port's any more, so that its counters
 * never fall.
 */
#define LB_SERVICE_NAMES_LAYOUT 3
struct lb_service_name {
	char text[LB_SERVICE_NAME_LEN];
	struct lb_backend_stats left;
};
LB_ASSERT_SIZE(struct lb_service_name, 248);

#endif
