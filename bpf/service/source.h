/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_SERVICE_SOURCE_H
#define LB_BPF_SERVICE_SOURCE_H

#include "service/filter.h"
#include "service/lookup.h"

/*
 * Sources that no client has. What is sent back to one comes to us again (a service's or our own address), to everybody
 * (multicast, broadcast), or to nobody. A link-local client is one: its NodePort is on this link.
 */

/* "This" network, loopback, multicast, reserved, limited broadcast (RFC 6890). */
static __always_inline int is_special_ipv4(__be32 src)
{
	const __u32 net = bpf_ntohl(src) >> 24;

	return net == 0 || net == 127 || net >= 224;
}

/* Unspecified, loopback and IPv4-mapped addresses, and multicast (RFC 4291). */
static __always_inline int is_special_ipv6(const __be32 *src)
{
	if ((src[0] & bpf_htonl(0xff000000)) == bpf_htonl(0xff000000))
		return 1;
	return !(src[0] | src[1]) && (src[2] == 0 || src[2] == bpf_htonl(0x0000ffff));
}

static __always_inline int is_martian(const __be32 *src, const int family)
{
	if (family == LB_AF_INET ? is_special_ipv4(src[0]) : is_special_ipv6(src))
		return 1;
	return address_classes(src, family) & (LB_CLASS_VIP | LB_CLASS_NODE) && lookup_address(src, family);
}

#endif
