/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_VERDICT_H
#define LB_MAPS_VERDICT_H

#include "base.h"

/*
 * Every way out of the programs, each with one counter: index hook * LB_VERDICT_COUNT + verdict of lb_verdicts. The
 * lower-case name is the same in metrics and in lbctl.
 *
 * X(name, what happens to the packet, meaning). The order of the kinds is fixed: PASS, SEND, DROP.
 *   PASS  goes on to the stack, rewritten where the meaning says so
 *   SEND  leaves by the program itself
 *   DROP  ends here
 */
#define LB_VERDICTS(X)                                                                                                 \
	X(NOT_IP, PASS, "neither IPv4 nor IPv6, or stacked VLAN tags")                                                 \
	X(NOT_OURS, PASS, "no address of a service, and no port that services use on this node")                       \
	X(NO_SERVICE, PASS, "an address of this node, but no service on that port: the host's own traffic")            \
	X(UNRESOLVED, PASS, "ours, but the way to the next hop is not known to XDP: left to the tc program")           \
	X(LOCAL_HIT, PASS, "packet of a known flow, rewritten for a backend on this node")                             \
	X(LOCAL_NEW, PASS, "first packet of a flow, rewritten for a backend on this node")                             \
	X(LOCAL_REPLY, PASS, "reply of a backend on this node, given the service's address again")                     \
	X(ICMP_LOCAL, PASS, "ICMP error about a flow, rewritten for the side that must hear it and left to the stack") \
	X(REMOTE_HIT, SEND, "packet of a known flow, sent to a backend on another node")                               \
	X(REMOTE_NEW, SEND, "first packet of a flow, sent to a backend on another node")                               \
	X(REMOTE_REPLY, SEND, "reply of a backend on another node, sent to the client")                                \
	X(ICMP_REMOTE, SEND, "ICMP error about a flow, rewritten for the side that must hear it and sent there")       \
	X(ANSWER_NO_BACKEND, SEND, "refused: the service has no usable backend (TCP RST or ICMP port unreachable)")    \
	X(ANSWER_BACKEND_GONE, SEND, "refused: the flow's backend has left (TCP RST)")                                 \
	X(ANSWER_CLOSED_PORT, SEND, "refused: no service on this port of an address that services own")                \
	X(ANSWER_ECHO, SEND, "ping of an address that services own, answered")                                         \
	X(ANSWER_TIME_EXCEEDED, SEND, "TTL or hop limit ended here: ICMP time exceeded")                               \
	X(ANSWER_TOO_BIG, SEND,                                                                                        \
	  "larger than the route to the backend takes: ICMP fragmentation needed or packet too big")                   \
	X(MALFORMED, DROP, "for an address of a service, but its headers are truncated or contradict each other")      \
	X(POLICY, DROP, "the service's traffic policy allows only backends on this node, and there is none")           \
	X(RATE_LIMITED, DROP, "would have been answered, but answers are limited and the limit is reached")            \
	X(SNAT_EXHAUSTED, DROP, "no free source port towards this backend")                                            \
	X(FLOW_TABLE_FULL, DROP, "no room for a new flow without evicting one that is in use")                         \
	X(FLOW_BUSY, DROP, "another CPU held the flow's lock for too long")                                            \
	X(NO_FLOW, DROP, "belongs to no flow and cannot begin one (TCP RST, ICMP)")                                    \
	X(FRAGMENT_UNKNOWN, DROP, "fragment whose first fragment was not seen before it")                              \
	X(NO_ROUTE, DROP, "the kernel has no route to the backend or client, or does not forward")                     \
	X(EGRESS_UNMANAGED, DROP, "the route to the backend leaves through a device that lbd is not attached to")      \
	X(UNSUPPORTED, DROP, "for an address of a service, in a protocol that is not balanced")                        \
	X(BROKEN_REFERENCE, DROP, "a map entry refers to something that is not there: a bug, please report it")

enum lb_verdict {
#define LB_VERDICT_ENUM(name, kind, meaning) LB_VERDICT_##name,
	LB_VERDICTS(LB_VERDICT_ENUM)
#undef LB_VERDICT_ENUM
		LB_VERDICT_COUNT,
	/* Not an exit: the packet goes on to the next stage. */
	LB_CONTINUE = LB_VERDICT_COUNT,
};

#define LB_VERDICT_FIRST_SEND LB_VERDICT_REMOTE_HIT
#define LB_VERDICT_FIRST_DROP LB_VERDICT_MALFORMED

/* Where a program is attached; also which part of lb_verdicts it counts in. */
enum lb_hook {
	LB_HOOK_XDP,
	LB_HOOK_TC_INGRESS,
	LB_HOOK_TC_EGRESS,
	LB_HOOK_COUNT,
};

#endif
