/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_VERDICT_H
#define LB_MAPS_VERDICT_H

#include "base.h"

/*
 * Every way out of the programs, each with one counter in lb_verdicts: index lb_verdict_index(hook, verdict). The
 * lower-case name is the same in metrics and in lbctl.
 *
 * Counters are pinned, and programs of one build count in what another build's daemon reads. So numbers are never
 * changed, nor given to something else after theirs has gone: lists are only appended to, within the room that each
 * hook and each kind has. Readers go through the lists, never through the room.
 *
 * The kind of a verdict is the range that its number is in:
 *   PASS  goes on to the stack, rewritten where the meaning says so
 *   SEND  leaves by the program itself
 *   DROP  ends here
 */
#define LB_VERDICT_FIRST_PASS 0u
#define LB_VERDICT_FIRST_SEND 32u
#define LB_VERDICT_FIRST_DROP 64u
#define LB_VERDICT_KIND_ROOM 32u
#define LB_VERDICT_ROOM 128u /* for each hook; from 96 on for kinds to come */

#define LB_VERDICTS_LAYOUT 2

/* X(name, kind, number, meaning) */
#define LB_VERDICTS(X)                                                                                                \
	X(NOT_IP, PASS, 0, "neither IPv4 nor IPv6, or stacked VLAN tags")                                             \
	X(NOT_OURS, PASS, 1, "no address of a service, and no port that services use on this node")                   \
	X(NO_SERVICE, PASS, 2, "an address of this node, but no service on that port: the host's own traffic")        \
	X(UNRESOLVED, PASS, 3, "ours, but the way to the next hop is not known to XDP: left to the tc program")       \
	X(LOCAL_HIT, PASS, 4, "packet of a known flow, rewritten for a backend on this node")                         \
	X(LOCAL_NEW, PASS, 5, "first packet of a flow, rewritten for a backend on this node")                         \
	X(LOCAL_REPLY, PASS, 6, "reply of a backend on this node, given the service's address again")                 \
	X(ICMP_LOCAL, PASS, 7,                                                                                        \
	  "ICMP error about a flow, rewritten for the side that must hear it and left to the stack")                  \
	X(OTHER_HOST, PASS, 8, "a frame for another host's MAC address, or for many: broadcast, multicast")           \
	X(OTHER_VLAN, PASS, 9, "a frame of a VLAN whose device lbd is not attached to, or left to that device")       \
	X(OWN_CONNECTION, PASS, 10,                                                                                   \
	  "to a NodePort, but no new flow: a connection of this node or its pods, or rewritten by XDP already")       \
	X(REMOTE_HIT, SEND, 32, "packet of a known flow, sent to a backend on another node")                          \
	X(REMOTE_NEW, SEND, 33, "first packet of a flow, sent to a backend on another node")                          \
	X(REMOTE_REPLY, SEND, 34, "reply of a backend on another node, sent to the client")                           \
	X(ICMP_REMOTE, SEND, 35, "ICMP error about a flow, rewritten for the side that must hear it and sent there")  \
	X(ANSWER_NO_BACKEND, SEND, 36,                                                                                \
	  "refused: the service has no usable backend (TCP RST or ICMP port unreachable)")                            \
	X(ANSWER_BACKEND_GONE, SEND, 37, "refused: the flow's backend has left (TCP RST)")                            \
	X(ANSWER_CLOSED_PORT, SEND, 38, "refused: no service on this port of an address that services own")           \
	X(ANSWER_ECHO, SEND, 39, "ping of an address that services own, answered")                                    \
	X(ANSWER_TIME_EXCEEDED, SEND, 40, "TTL or hop limit ended here: ICMP time exceeded")                          \
	X(ANSWER_TOO_BIG, SEND, 41,                                                                                   \
	  "larger than the route to the backend takes: ICMP fragmentation needed or packet too big")                  \
	X(MALFORMED, DROP, 64, "for an address of a service, but its headers are truncated or contradict each other") \
	X(POLICY, DROP, 65,                                                                                           \
	  "the service is for nobody here: policy Local and no backend on this node, or source ranges")               \
	X(RATE_LIMITED, DROP, 66, "would have been answered, but answers are limited and the limit is reached")       \
	X(SNAT_EXHAUSTED, DROP, 67, "no free source port towards this backend")                                       \
	X(FLOW_TABLE_FULL, DROP, 68, "no room for a new flow without evicting one that is in use")                    \
	X(FLOW_BUSY, DROP, 69, "another CPU held the flow's lock for too long")                                       \
	X(NO_FLOW, DROP, 70, "belongs to no flow and cannot begin one (TCP RST, ICMP)")                               \
	X(FRAGMENT_UNKNOWN, DROP, 71, "fragment whose first fragment was not seen before it")                         \
	X(NO_ROUTE, DROP, 72, "the kernel has no route to the backend or client, or does not forward")                \
	X(EGRESS_UNMANAGED, DROP, 73,                                                                                 \
	  "the route to the backend, or back to the client, leaves through a device that lbd is not attached to")     \
	X(UNSUPPORTED, DROP, 74, "for an address of a service, in a protocol that is not balanced")                   \
	X(BROKEN_REFERENCE, DROP, 75, "a map entry refers to something that is not there: a bug, please report it")   \
	X(MARTIAN_SOURCE, DROP, 76,                                                                                   \
	  "from an address that no client has: a service's or this node's own, loopback, multicast, reserved")

enum lb_verdict {
#define LB_VERDICT_ENUM(name, kind, number, meaning) LB_VERDICT_##name = (number),
	LB_VERDICTS(LB_VERDICT_ENUM)
#undef LB_VERDICT_ENUM
	/* Not an exit: the packet goes on to the next stage. */
	LB_CONTINUE = LB_VERDICT_ROOM,
};

/*
 * Which part of lb_verdicts a program counts in. Programs that are attached alike count alike.
 *
 * X(name, number)
 */
#define LB_HOOKS(X)      \
	X(XDP, 0)        \
	X(TC_INGRESS, 1) \
	X(TC_EGRESS, 2)

#define LB_HOOK_ROOM 16u

enum lb_hook {
#define LB_HOOK_ENUM(name, number) LB_HOOK_##name = (number),
	LB_HOOKS(LB_HOOK_ENUM)
#undef LB_HOOK_ENUM
};

#define LB_VERDICT_COUNTERS (LB_HOOK_ROOM * LB_VERDICT_ROOM)
#define lb_verdict_index(hook, verdict) ((__u32)(hook) * LB_VERDICT_ROOM + (__u32)(verdict))

#endif
