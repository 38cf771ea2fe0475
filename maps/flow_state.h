/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_FLOW_STATE_H
#define LB_MAPS_FLOW_STATE_H

#include "base.h"

/*
 * The life of a flow, as functions of nothing but their arguments: what a packet shows (lb_segment_seen(),
 * lb_datagram_seen()), what that makes of the flow's state (lb_flow_next()), and what the state means for its life
 * (lb_flow_timeout() and those below it). The programs, lbd and lbctl all go by them.
 *
 * Anybody can send a packet with a client's address. So a flow counts only when its client has shown that it gets the
 * answers, a reset only where the other side waits for it, and a FIN only until its sender goes on.
 */

/* A flow's state: what has been seen so far. No bit: new and unanswered. */
#define LB_FLOW_ANSWERED (1u << 0)
#define LB_FLOW_FIN_CLIENT (1u << 1)
#define LB_FLOW_FIN_BACKEND (1u << 2)
#define LB_FLOW_RST (1u << 3)
#define LB_FLOW_CONFIRMED (1u << 4)    /* the client has the backend's answer */
#define LB_FLOW_CLIENT_FIRST (1u << 5) /* the client closed first: the backend keeps no TIME_WAIT */
#define LB_FLOW_LAST_ACK (1u << 6)     /* the client has spoken after both FINs */
#define LB_FLOW_FINS (LB_FLOW_FIN_CLIENT | LB_FLOW_FIN_BACKEND)
#define LB_FLOW_CLOSING (LB_FLOW_FINS | LB_FLOW_RST)

#define LB_TCP_FIN 0x01u
#define LB_TCP_SYN 0x02u
#define LB_TCP_RST 0x04u
#define LB_TCP_ACK 0x10u

/* How long an entry lives after its last packet: indices of lb_clock.timeout. */
enum lb_timeout {
	LB_TIMEOUT_TCP_NEW, /* until the client has the answer */
	LB_TIMEOUT_TCP_ESTABLISHED,
	LB_TIMEOUT_TCP_HALF_CLOSED,
	LB_TIMEOUT_TCP_CLOSED,
	LB_TIMEOUT_UDP_NEW,    /* a question, or a question and its answer */
	LB_TIMEOUT_UDP_STREAM, /* the client has spoken again after an answer */
	LB_TIMEOUT_COUNT = 8,  /* a power of two, so that an index can be masked */
};

/* What a packet shows. */
#define LB_SEEN_REPLY (1u << 0) /* it is the backend's */
#define LB_SEEN_FIN (1u << 1)
#define LB_SEEN_RST (1u << 2)
#define LB_SEEN_CONFIRMS (1u << 3) /* the client has the answer */
#define LB_SEEN_SPEAKS (1u << 4)   /* the client is there, and not to begin anew */
#define LB_SEEN_GOES_ON (1u << 5)  /* the client sends what its FIN would have come after */

/* A TCP header's numbers, in host order, and how much data is behind it. */
struct lb_segment {
	__u32 seq;
	__u32 ack;
	__u16 length;
	__u8 flags; /* LB_TCP_*; 0 where there is no header, as in a later fragment */
	__u8 pad;
};
LB_ASSERT_SIZE(struct lb_segment, 12);

/*
 * Numbers of a TCP connection by which what anybody could send is told from what its ends say; in host order. All but
 * fin are the backend's words, because the client's can be forged. They are noted when a flow's entries are written in
 * any case, so they may be old.
 */
#define LB_PROGRESS_ANSWER (1u << 0)
#define LB_PROGRESS_REPLY (1u << 1)
#define LB_PROGRESS_FIN (1u << 2)
struct lb_progress {
	__u32 known;  /* LB_PROGRESS_* */
	__u32 answer; /* the client has the answer when it acknowledges the number after this one, or a later one */
	__u32 acked;  /* what the backend waits for */
	__u32 sent;   /* what the client waits for */
	__u32 fin;    /* where the client's FIN ended */
};
LB_ASSERT_SIZE(struct lb_progress, 20);

#define LB_CONFIRM_WINDOW 65536u      /* what a backend may have sent before the client's first acknowledgement comes */
#define LB_PROGRESS_WINDOW (1u << 20) /* how far a connection may have come since its numbers were noted */

/* Which protocols' flows have an end that packets show; the others' only cease. */
static inline __attribute__((always_inline)) int lb_flow_has_end(__u8 proto)
{
	return proto == LB_IPPROTO_TCP;
}

/*
 * Whether a packet may begin a flow. TCP flows begin by a SYN, or with an acknowledgement: then another node, or this
 * one's table, has had the connection so far.
 */
static inline __attribute__((always_inline)) int lb_flow_may_begin(__u8 proto, __u8 tcp_flags)
{
	const __u8 flags = tcp_flags & (LB_TCP_FIN | LB_TCP_SYN | LB_TCP_RST | LB_TCP_ACK);

	return !lb_flow_has_end(proto) || flags == LB_TCP_SYN || flags == LB_TCP_ACK;
}

static inline __attribute__((always_inline)) __u32 lb_segment_end(const struct lb_segment *segment)
{
	return segment->seq + segment->length + !!(segment->flags & LB_TCP_SYN) + !!(segment->flags & LB_TCP_FIN);
}

static inline __attribute__((always_inline)) int lb_progress_near(__u32 number, __u32 noted)
{
	return number - noted + LB_PROGRESS_WINDOW < 2 * LB_PROGRESS_WINDOW;
}

/*
 * A reset where it is not expected, of a flow that is worth something, is taken for a FIN, which what follows takes
 * back. Where one side has sent much since its numbers were noted, the other has not as a rule: who gives up a
 * connection acknowledges what that one has sent.
 */
static inline __attribute__((always_inline)) __u8 lb_reset_seen(const struct lb_progress *progress,
								const struct lb_segment *segment, __u8 state, int reply)
{
	const int near = lb_progress_near(segment->seq, reply ? progress->sent : progress->acked) ||
			 (segment->flags & LB_TCP_ACK &&
			  lb_progress_near(segment->ack, reply ? progress->acked : progress->sent));

	return (progress->known & LB_PROGRESS_REPLY && near) || !(state & LB_FLOW_CONFIRMED) ? LB_SEEN_RST
											     : LB_SEEN_FIN;
}

static inline __attribute__((always_inline)) __u8 lb_client_seen(const struct lb_progress *progress,
								 const struct lb_segment *segment)
{
	__u8 seen = segment->flags & LB_TCP_SYN ? 0 : LB_SEEN_SPEAKS;

	if (segment->flags & LB_TCP_ACK && progress->known & LB_PROGRESS_ANSWER &&
	    segment->ack - progress->answer - 1 < LB_CONFIRM_WINDOW)
		seen |= LB_SEEN_CONFIRMS;
	/* What was sent before the FIN, and is sent again, ends where the FIN begins or a little before. */
	if (segment->length && !(segment->flags & LB_TCP_FIN) && progress->known & LB_PROGRESS_FIN &&
	    progress->fin - lb_segment_end(segment) >= LB_PROGRESS_WINDOW)
		seen |= LB_SEEN_GOES_ON;
	return seen;
}

/* What a segment shows of a flow in this state. */
static inline __attribute__((always_inline)) __u8 lb_segment_seen(const struct lb_progress *progress,
								  const struct lb_segment *segment, __u8 state,
								  int reply)
{
	__u8 seen = reply ? LB_SEEN_REPLY : 0;

	if (segment->flags & LB_TCP_RST)
		return seen | lb_reset_seen(progress, segment, state, reply);
	if (segment->flags & LB_TCP_FIN)
		seen |= LB_SEEN_FIN;
	return reply ? seen : seen | lb_client_seen(progress, segment);
}

static inline __attribute__((always_inline)) __u8 lb_datagram_seen(int reply)
{
	return reply ? LB_SEEN_REPLY : LB_SEEN_SPEAKS | LB_SEEN_CONFIRMS;
}

/* Notes a segment's numbers, for those that come after it. */
static inline __attribute__((always_inline)) void lb_progress_note(struct lb_progress *progress,
								   const struct lb_segment *segment, int reply)
{
	if (segment->flags & LB_TCP_RST || !(segment->flags & (LB_TCP_ACK | LB_TCP_FIN)))
		return;
	if (!reply) {
		if (segment->flags & LB_TCP_FIN) {
			progress->fin = lb_segment_end(segment);
			progress->known |= LB_PROGRESS_FIN;
		}
		return;
	}
	/* A backend that answers another SYN does it with another number. In the middle of a connection an empty
	 * segment is an answer, too. */
	if (segment->flags & LB_TCP_SYN || !(progress->known & LB_PROGRESS_ANSWER)) {
		progress->answer = segment->seq - !(segment->flags & LB_TCP_SYN);
		progress->known |= LB_PROGRESS_ANSWER;
	}
	progress->acked = segment->ack;
	progress->sent = lb_segment_end(segment);
	progress->known |= LB_PROGRESS_REPLY;
}

static inline __attribute__((always_inline)) __u8 lb_flow_next_closing(__u8 state, __u8 seen)
{
	const __u8 fin = seen & LB_SEEN_REPLY ? LB_FLOW_FIN_BACKEND : LB_FLOW_FIN_CLIENT;

	if (seen & LB_SEEN_RST)
		return state | LB_FLOW_RST;
	/* A client that has reset its connection is silent. If it was the backend, it says so again. */
	if (seen & LB_SEEN_SPEAKS)
		state &= ~LB_FLOW_RST;
	if (seen & LB_SEEN_GOES_ON)
		state &= ~(LB_FLOW_FIN_CLIENT | LB_FLOW_CLIENT_FIRST | LB_FLOW_LAST_ACK);
	if (seen & LB_SEEN_FIN) {
		if (!(state & LB_FLOW_FINS) && fin == LB_FLOW_FIN_CLIENT)
			state |= LB_FLOW_CLIENT_FIRST;
		return state | fin;
	}
	if (seen & LB_SEEN_SPEAKS && (state & LB_FLOW_FINS) == LB_FLOW_FINS)
		state |= LB_FLOW_LAST_ACK;
	return state;
}

/* A flow's state after a packet. */
static inline __attribute__((always_inline)) __u8 lb_flow_next(__u8 proto, __u8 state, __u8 seen)
{
	if (seen & LB_SEEN_REPLY)
		state |= LB_FLOW_ANSWERED;
	else if (state & LB_FLOW_ANSWERED && seen & LB_SEEN_CONFIRMS)
		state |= LB_FLOW_CONFIRMED;
	return lb_flow_has_end(proto) ? lb_flow_next_closing(state, seen) : state;
}

/* Whether a packet with these TCP flags leaves the state as it is, whatever its numbers are: nearly all do. */
static inline __attribute__((always_inline)) int lb_flow_is_settled(__u8 state, int reply, __u8 tcp_flags)
{
	if (tcp_flags & (LB_TCP_SYN | LB_TCP_FIN | LB_TCP_RST))
		return 0;
	if (reply)
		return state & LB_FLOW_ANSWERED;
	return (state & (LB_FLOW_ANSWERED | LB_FLOW_CONFIRMED)) != LB_FLOW_ANSWERED &&
	       !(state & (LB_FLOW_FIN_CLIENT | LB_FLOW_RST));
}

/* By shifts: branches are what the verifier multiplies where many flows are compared. */
static inline __attribute__((always_inline)) __u32 lb_flow_is_closed(__u8 state)
{
	return (state / LB_FLOW_RST | (state / LB_FLOW_FIN_CLIENT & state / LB_FLOW_FIN_BACKEND)) & 1;
}

static inline __attribute__((always_inline)) __u32 lb_flow_is_confirmed(__u8 state)
{
	return state / LB_FLOW_CONFIRMED & 1;
}

/* Nobody waits for anything of it any more: not the client for its end, nor the backend in TIME_WAIT. */
static inline __attribute__((always_inline)) int lb_flow_is_finished(__u8 state)
{
	const __u8 finished = LB_FLOW_FINS | LB_FLOW_CLIENT_FIRST | LB_FLOW_LAST_ACK;

	return state & LB_FLOW_RST || (state & finished) == finished;
}

/* enum lb_timeout */
static inline __attribute__((always_inline)) __u8 lb_flow_timeout(__u8 proto, __u8 state)
{
	if (!lb_flow_has_end(proto))
		return lb_flow_is_confirmed(state) ? LB_TIMEOUT_UDP_STREAM : LB_TIMEOUT_UDP_NEW;
	if (lb_flow_is_closed(state))
		return LB_TIMEOUT_TCP_CLOSED;
	if (!lb_flow_is_confirmed(state))
		return LB_TIMEOUT_TCP_NEW;
	return state & LB_FLOW_FINS ? LB_TIMEOUT_TCP_HALF_CLOSED : LB_TIMEOUT_TCP_ESTABLISHED;
}

/* What a flow is worth when another wants its place or its port: the lower goes first, and the confirmed are never
 * taken. */
enum lb_worth {
	LB_WORTH_CLOSED,
	LB_WORTH_UNCONFIRMED,
	LB_WORTH_CONFIRMED,
};

/* enum lb_worth */
static inline __attribute__((always_inline)) __u32 lb_flow_worth(__u8 state)
{
	return (1 - lb_flow_is_closed(state)) * (LB_WORTH_UNCONFIRMED + lb_flow_is_confirmed(state));
}

#endif
