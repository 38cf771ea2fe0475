/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <linux/types.h>

/*
 * What storm.bpf.c and its test agree on. Addresses and ports are IPv4 and in network order; backend i has the address
 * backend + i (of the last byte) and the port 8080 + i, so a packet that mixes two backends shows.
 */
#define STORM_STEADY 24u  /* TCP flows that never rest */
#define STORM_PASSING 32u /* UDP flows that come, go unanswered, and come again */
#define STORM_FLOWS (STORM_STEADY + STORM_PASSING)
#define STORM_BACKENDS 3u
#define STORM_CLIENT_PORT 40000u
#define STORM_BACKEND_PORT 8080u
#define STORM_FRAME 80u
#define STORM_NOTE 64u /* where in the frame the driver keeps its note: behind what programs change */

/* Travels in the frame: what the driver sent last. */
struct storm_note {
	__u32 flow; /* + 1; 0 before the first */
	__u32 reply;
	__u32 seed;
	__u32 pad;
};

struct storm_plan {
	__u8 frame[STORM_FRAME]; /* a segment and a datagram alike: only the protocol differs */
	__be32 client, vip, node, backend;
	__be16 tcp_port, udp_port; /* of the VIP */
	__u32 pad;
	__u64 rewritten, kept; /* kept: given up, because another CPU was at the flow */
	__u64 astray;	       /* became something that no flow says */
	__u64 moved;	       /* went another way than its flow's packets before */
	__u64 example[4];      /* of astray or moved: flow and direction, source, destination, ports */
};

/* How a flow's requests look behind us, once one was seen: backend's address, its port, source port. 0: not yet. */
struct storm_known {
	__u64 way;
};
