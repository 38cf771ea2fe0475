/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PACKET_FORWARD_H
#define LB_BPF_PACKET_FORWARD_H

#include <linux/if_ether.h>

#include "packet/packet.h"

/*
 * The way out: next hop, device, Ethernet header. XDP sends only what it can finish: with a known neighbour, through
 * the device that the packet came in by or one that takes redirected frames. Everything else it leaves to the tc
 * program of the same device, which hands the packet to the kernel's neighbour code.
 */

#ifndef AF_INET
#define AF_INET LB_AF_INET
#define AF_INET6 LB_AF_INET6
#endif

enum hop_state {
	HOP_READY,	/* XDP: MAC addresses and device are known; tc: the device is */
	HOP_UNRESOLVED, /* routed, but not for XDP to send */
	HOP_NO_ROUTE,
	HOP_UNMANAGED, /* routed through a device that lbd is not attached to */
};

struct hop {
	struct lb_hop to;
	__u32 mtu; /* 0 unknown */
};

static __always_inline __u32 current_hop_stamp(const struct lb_clock *clock)
{
	return lb_hop_stamp(READ_ONCE(clock->route_epoch), bpf_jiffies64());
}

/* Whether XDP can put this packet on that device. Tags are kept or exchanged, never added or taken off. */
static __always_inline int xdp_can_send(const struct packet *p, __u32 ifindex)
{
	struct lb_device *device;

	if (likely(ifindex == p->ifindex && !p->vlan))
		return 1;
	device = bpf_map_lookup_elem(&lb_devices, &ifindex);
	if (!device)
		return 0;
	if (device->vlan_id)
		return p->vlan && device->parent == p->ifindex;
	return !p->vlan && device->flags & LB_DEVICE_XDP_REDIRECT;
}

/* src is NULL where the source is still to be chosen. */
static __always_inline void hop_ask(struct bpf_fib_lookup *fib, const struct packet *p, const __be32 *src,
				    const __be32 *dst, const int family)
{
	__builtin_memset(fib, 0, sizeof(*fib));
	fib->family = family;
	fib->ifindex = p->ifindex;
	fib->l4_protocol = p->tuple.proto;
	/* Small enough to pass any check, and not 0, which would make tc leave out the route's MTU. */
	fib->tot_len = 1;
	if (family == LB_AF_INET) {
		fib->ipv4_src = src ? src[0] : 0;
		fib->ipv4_dst = dst[0];
	} else {
		if (src)
			copy_words(fib->ipv6_src, src, 4);
		copy_words(fib->ipv6_dst, dst, 4);
	}
}

/* Asks the kernel what hop_ask() prepared. */
static __always_inline enum hop_state hop_look_up(const struct run run, struct hop *hop, struct bpf_fib_lookup *fib,
						  const struct lb_clock *clock)
{
	/* Read before the lookup: a change that happens meanwhile makes the stamp an old one. */
	const __u32 stamp = current_hop_stamp(clock);
	const long result = bpf_fib_lookup(run.ctx, fib, sizeof(*fib), 0);

	if (result != BPF_FIB_LKUP_RET_SUCCESS && result != BPF_FIB_LKUP_RET_NO_NEIGH)
		return HOP_NO_ROUTE;
	if (!bpf_map_lookup_elem(&lb_devices, &fib->ifindex)) {
		WRITE_ONCE(lb_unmanaged_device, fib->ifindex);
		return HOP_UNMANAGED;
	}
	hop->to.ifindex = fib->ifindex;
	/* Without a neighbour the kernel leaves this field, which it shares with tot_len, as it was. */
	hop->mtu = result == BPF_FIB_LKUP_RET_SUCCESS ? fib->mtu_result : 0;
	__builtin_memcpy(hop->to.dmac, fib->dmac, sizeof(fib->dmac));
	__builtin_memcpy(hop->to.smac, fib->smac, sizeof(fib->smac));
	hop->to.stamp = stamp;
	if (result == BPF_FIB_LKUP_RET_SUCCESS)
		return HOP_READY;
	/* Not worth keeping: the neighbour is known a moment later. */
	hop->to.stamp = LB_HOP_NONE;
	return is_xdp(run) ? HOP_UNRESOLVED : HOP_READY;
}

/* The backend's hop, if it is still good. */
static __always_inline int backend_hop_read(struct hop *hop, struct lb_backend *backend, __u32 stamp)
{
	if (READ_ONCE(backend->hop.stamp) != stamp)
		return 0;
	smp_barrier();
	hop->to = backend->hop;
	hop->mtu = backend->mtu;
	smp_barrier();
	return READ_ONCE(backend->hop.stamp) == stamp;
}

static __always_inline void backend_hop_write(struct lb_backend *backend, const struct hop *hop)
{
	const __u32 old = READ_ONCE(backend->hop.stamp);

	if (hop->to.stamp == LB_HOP_NONE || old == LB_HOP_BUSY ||
	    __sync_val_compare_and_swap(&backend->hop.stamp, old, LB_HOP_BUSY) != old)
		return;
	backend->hop.ifindex = hop->to.ifindex;
	copy_block(backend->hop.dmac, hop->to.dmac, ETHERNET_ADDRESSES);
	backend->mtu = hop->mtu;
	smp_barrier();
	WRITE_ONCE(backend->hop.stamp, hop->to.stamp);
}

/* 0 where that is no address of the family. */
static __always_inline int take_source(__be32 *source, const __be32 *addr, const int family)
{
	copy_words(source, addr, words_of(family));
	return family == LB_AF_INET ? addr[0] != 0 : (addr[0] | addr[1] | addr[2] | addr[3]) != 0;
}

/* The address of this node that a backend is to see: the one that lbd has found for it, or that of the device on the
 * way. 0 where there is none of the family. */
static __always_inline int source_address(__be32 *source, const struct lb_backend *backend, __u32 ifindex,
					  const int family)
{
	const __u32 index = READ_ONCE(backend->source);
	struct lb_source *known = index ? bpf_map_lookup_elem(&lb_sources, &index) : NULL;
	struct lb_device *device;

	if (known && take_source(source, known->addr.word, family))
		return 1;
	device = bpf_map_lookup_elem(&lb_devices, &ifindex);
	if (!device)
		return 0;
	return take_source(source, family == LB_AF_INET ? device->addr4.word : device->addr6.word, family);
}

/* XDP: new Ethernet addresses (and tag), and off. Returns 0 where the packet could not be written. */
static __always_inline int send_xdp(const struct run run, struct packet *p, const struct lb_hop *hop)
{
	struct ethhdr *eth = packet_data(run);

	if ((void *)(eth + 1) > packet_end(run))
		return 0;
	copy_block(eth, hop->dmac, ETHERNET_ADDRESSES);
	if (likely(hop->ifindex == p->ifindex && !p->vlan)) {
		p->action = XDP_TX;
		return 1;
	}
	if (p->vlan) {
		struct lb_device *device = bpf_map_lookup_elem(&lb_devices, &hop->ifindex);
		__be16 *tag = (__be16 *)(eth + 1);

		if (!device || (void *)(tag + 1) > packet_end(run))
			return 0;
		*tag = bpf_htons((p->vlan & 0xf000) | (device->vlan_id & 0x0fff));
		p->action = XDP_TX;
		return 1;
	}
	p->action = bpf_redirect(hop->ifindex, 0);
	return 1;
}

static __always_inline int send(const struct run run, struct packet *p, const struct lb_hop *hop)
{
	if (is_xdp(run))
		return send_xdp(run, p, hop);
	p->action = bpf_redirect_neigh(hop->ifindex, NULL, 0, 0);
	return 1;
}

#endif
