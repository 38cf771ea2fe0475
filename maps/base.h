/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_MAPS_BASE_H
#define LB_MAPS_BASE_H

#include <linux/types.h>

/*
 * The ABI between the BPF programs and everything outside the kernel. Every header in this folder compiles as C (BPF)
 * and as C++20, so there is one definition and the compilers, not comments, keep the two sides equal.
 *
 * Byte order: __be16 and __be32 hold network order; every other integer is in the order of the host.
 * Padding is always explicit and always zero, because keys are compared byte by byte.
 */

#ifdef __cplusplus
#include <type_traits>
#define LB_ASSERT_SIZE(type, size)                                                                                \
	static_assert(sizeof(type) == (size), #type " changed size: raise the layouts of the maps that have it"); \
	static_assert(std::has_unique_object_representations_v<type>, #type " has hidden padding")
#else
#define LB_ASSERT_SIZE(type, size) \
	_Static_assert(sizeof(type) == (size), #type " changed size: raise the layouts of the maps that have it")
#endif

/* The address families' numbers are those of the kernel's AF_INET and AF_INET6; BPF code has no header that names them.
 */
#define LB_AF_INET 2
#define LB_AF_INET6 10

#define LB_IPPROTO_ICMP 1
#define LB_IPPROTO_TCP 6
#define LB_IPPROTO_UDP 17
#define LB_IPPROTO_ICMPV6 58

/* An address of either family, network order. IPv4 stands in word[0], the others are zero; the family is said beside
 * it. */
struct lb_addr {
	__be32 word[4];
};
LB_ASSERT_SIZE(struct lb_addr, 16);

#endif
