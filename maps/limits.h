/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_LIMITS_H
#define LB_MAPS_LIMITS_H

/*
 * Sizes that are part of the layout. Sizes that an operator may choose (how many services, backends, flows) are
 * properties of the created maps and reach the programs as masks in struct lb_config.
 */

/* Ring slots are u16 indices into a member list, so no table and no member list can be longer. */
#define LB_RING_MIN_SLOTS 256u
#define LB_RING_MAX_SLOTS 65536u
/* About this many ring slots for each backend keep the busiest backend within 1 % of the mean. */
#define LB_RING_SLOTS_PER_BACKEND 100u
/* Ring slots in one value of lb_rings (8 KiB): the arena is one array of chunks, contiguous when mapped. */
#define LB_RING_CHUNK_SHIFT 12u
#define LB_RING_CHUNK_SLOTS (1u << LB_RING_CHUNK_SHIFT)
#define LB_MEMBER_CHUNK_SHIFT 10u
#define LB_MEMBER_CHUNK_SLOTS (1u << LB_MEMBER_CHUNK_SHIFT)

/* Flow entries in a set. */
#define LB_FLOW_WAYS 4u
/* A flow has two entries (forward, reply); tables are sized for this many entries a flow, i.e. a load of 1/4. */
#define LB_FLOW_ENTRIES_PER_FLOW 8u

/* SNAT port pools: a backend uses that of lb_snat_pool_of(), 64 ports a word. */
#define LB_SNAT_POOLS 1024u
#define LB_SNAT_POOL_WORDS 512u

/* One byte a bucket, see LB_CLASS_* in filter.h. */
#define LB_FILTER_BUCKETS 131072u

/*
 * Namespace (63), '/', name (63), ':', port name (63), '=' and number (6), '/', protocol (4), '/', family (4), NUL: the
 * longest that Kubernetes allows.
 */
#define LB_SERVICE_NAME_LEN 208u

#endif
