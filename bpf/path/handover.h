/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_HANDOVER_H
#define LB_BPF_PATH_HANDOVER_H

#include "flow/handover.h"
#include "flow/table.h"
#include "packet/packet.h"

/*
 * A segment of a flow that is still to come would leave with the backend's own address, or come to this node's own
 * stack, and either side would be reset.
 */
static __always_inline int may_be_carried_yet(const struct packet *p)
{
	return (p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN && is_handing_over(p->tuple.proto);
}

/*
 * The other's programs may have taken over the port of a flow that is closed, and what the backend sends to it now is
 * another connection's. The client that we know would reset that.
 */
static __always_inline int may_be_anothers(const struct packet *p, const struct flow_view *view)
{
	return unlikely(view->state & LB_FLOW_CLOSING) && lb_flow_is_closed(view->state) &&
	       is_handing_over(p->tuple.proto);
}

#endif
