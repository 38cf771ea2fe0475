/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_CONFIG_H
#define LB_MAPS_CONFIG_H

#include "base.h"
#include "hash.h"

/*
 * `const volatile struct lb_config lb_config` of the programs: set between open and load, constant afterwards, so the
 * verifier removes what is off. Ports are in host order, ranges are inclusive.
 */
struct lb_config {
	struct lb_flow_keys flow_keys; /* lb_flow_keys() of lb_constants.flow_seed */
	__u32 flow4_set_mask;	       /* sets - 1 */
	__u32 flow6_set_mask;
	__u32 select_seed; /* equal on all nodes that should choose alike */
	__u16 nodeport_min;
	__u16 nodeport_max;
	__u16 snat_port_base;  /* bit 0 of every pool */
	__u16 snat_port_words; /* pool words in use, 64 ports each */
	__u32 unused;
};
LB_ASSERT_SIZE(struct lb_config, 72);

/*
 * Value of lb_constants (one element): what lasts as long as the pinned maps, because flows are found by the seed, and
 * bits of lb_snat_pools mean ports by the range. A later daemon sets lb_config by it.
 */
#define LB_CONSTANTS_LAYOUT 1
struct lb_constants {
	__u64 flow_seed[2]; /* secret of this node's flow hash; [0] is 0 while nothing has been written */
	__u16 snat_port_base;
	__u16 snat_port_words;
	__u32 unused;
};
LB_ASSERT_SIZE(struct lb_constants, 24);

/* Value of lb_scratch, one copy a CPU: work space of the programs, which has no meaning between two packets. */
#define LB_SCRATCH_WORDS 128u
struct lb_scratch {
	__u64 words[LB_SCRATCH_WORDS];
};
LB_ASSERT_SIZE(struct lb_scratch, 1024);

/* Key of lb_devices: ifindex. The devices that lbd is attached to, and what it takes to send through them. */
#define LB_DEVICE_XDP_REDIRECT (1u << 0) /* XDP may redirect to it; without the bit packets for it leave by tc */
#define LB_DEVICES_LAYOUT 1
struct lb_device {
	struct lb_addr
		addr4; /* source of what is sent through this device after SNAT, where the backend has none; or zero */
	struct lb_addr addr6;
	__u32 flags;   /* LB_DEVICE_* */
	__u32 parent;  /* VLAN devices: ifindex of the device below, else 0 */
	__u32 vlan_id; /* VLAN devices: the tag of what they send, else 0 */
};
LB_ASSERT_SIZE(struct lb_device, 44);

#endif
