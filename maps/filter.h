/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_FILTER_H
#define LB_MAPS_FILTER_H

#include "base.h"
#include "limits.h"

/*
 * lb_filter answers "can this be ours?" before any hash lookup: one byte for each bucket of lb_address_hash(). A set
 * bit may be another address's (then the lookups that follow miss); a clear bit is certain. Written by userspace
 * through its mapping; a bit is set after everything that it leads to, and cleared only when neither a service nor a
 * live flow needs it.
 */
#define LB_CLASS_VIP (1u << 0)	   /* arriving: a destination owned by services, every port counts */
#define LB_CLASS_NODE (1u << 1)	   /* arriving: an address of this node, only NodePorts and SNAT ports count */
#define LB_CLASS_BACKEND (1u << 2) /* leaving: the source is a backend on this node */

#define LB_FILTER_LAYOUT 1
struct lb_filter {
	__u8 classes[LB_FILTER_BUCKETS];
};
LB_ASSERT_SIZE(struct lb_filter, 131072);

#endif
