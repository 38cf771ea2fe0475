/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PACKET_FRAME_H
#define LB_BPF_PACKET_FRAME_H

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "packet/packet.h"

/*
 * Whether a frame is for this node: by its destination's MAC address, and by its VLAN. A switch that floods, a bridge
 * in between or a mirror port deliver frames that are for others, and who serves those answers what another host
 * answers too. They go on untouched, and the stack drops what is not for it.
 *
 * A tagged frame is the VLAN device's above. XDP, which sees the tag first, serves it if lbd is attached to that
 * device. tc leaves it alone: the device's own program sees it next, without the tag.
 */

#define VLAN_ID_MASK 0x0fff

/* A MAC address in the low 48 bits, as a frame has it: 6 bytes in the order of memory. */
static __always_inline __u64 mac_word(const __u8 *mac)
{
	return *(const __u32 *)mac | (__u64) * (const __u16 *)(mac + 4) << 32;
}

/* Among all slots, where the first one is another's. LB_CONTINUE for a frame of ours, else the verdict. */
int lb_frame_search(__u64 mac, __u32 ifindex, __u32 vlan);

/* 1 or 0, without a branch: two of those in each slot would be as many ways for the verifier to walk. */
static __always_inline __u64 is_zero(__u64 below_2_to_the_63)
{
	return (below_2_to_the_63 - 1) >> 63;
}

static __always_inline enum lb_verdict frame_search(const struct lb_frames *frames, __u64 mac, __u32 ifindex,
						    __u32 vlan)
{
	__u64 known = 0, ours = 0;

	ROLLED
	for (__u32 i = 0; i < LB_FRAME_SLOTS; i++) {
		const struct lb_frame *slot = &frames->slot[i];
		const __u64 same = is_zero((slot->ifindex ^ ifindex) | (slot->vlan ^ vlan));

		known |= same;
		ours |= same & is_zero(mac_word(slot->mac) ^ mac);
	}
	if (ours)
		return LB_CONTINUE;
	if (known)
		return LB_VERDICT_OTHER_HOST;
	return vlan ? LB_VERDICT_OTHER_VLAN : LB_CONTINUE;
}

static __always_inline enum lb_verdict frame_verdict_xdp(const struct run run, const struct packet *p)
{
	const __u32 zero = 0, vlan = p->vlan & VLAN_ID_MASK;
	const struct lb_frames *frames = bpf_map_lookup_elem(&lb_frames, &zero);
	const struct ethhdr *eth = packet_data(run);
	const struct lb_frame *slot;

	if (!frames || (void *)(eth + 1) > packet_end(run))
		return LB_VERDICT_NOT_IP;
	slot = &frames->slot[lb_frame_slot(p->ifindex, vlan)];
	if (likely(slot->ifindex == p->ifindex && slot->vlan == vlan && mac_word(slot->mac) == mac_word(eth->h_dest)))
		return LB_CONTINUE;
	return lb_frame_search(mac_word(eth->h_dest), p->ifindex, vlan);
}

/*
 * The kernel has compared the MAC address already. A tag that says only a priority is none: the stack takes it off a
 * little later, and what is sent from here must not have it.
 */
static __always_inline enum lb_verdict frame_verdict_tc(struct __sk_buff *skb)
{
	if (unlikely(skb->pkt_type != PACKET_HOST))
		return LB_VERDICT_OTHER_HOST;
	if (unlikely(skb->vlan_present)) {
		if (skb->vlan_tci & VLAN_ID_MASK)
			return LB_VERDICT_OTHER_VLAN;
		bpf_skb_vlan_pop(skb);
	}
	return LB_CONTINUE;
}

/* LB_CONTINUE for a frame of ours, else the verdict. */
static __always_inline enum lb_verdict frame_verdict(const struct run run, const struct packet *p)
{
	return is_xdp(run) ? frame_verdict_xdp(run, p) : frame_verdict_tc(run.ctx);
}

#endif
