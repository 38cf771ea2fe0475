/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PACKET_CSUM_H
#define LB_BPF_PACKET_CSUM_H

#include "packet/packet.h"

/*
 * Internet checksums (RFC 1071), updated by difference (RFC 1624). A difference is a sum of 32-bit words in memory
 * order, kept in 64 bits so that no carry is lost, and folded once at the end.
 */

static __always_inline __u64 csum_replace(__u64 difference, __u32 old, __u32 new)
{
	return difference + (__u32)~old + new;
}

static __always_inline __u64 csum_replace_words(__u64 difference, const __be32 *old, const __be32 *new, const int words)
{
	difference = csum_replace(difference, old[0], new[0]);
	if (words == 4) {
		difference = csum_replace(difference, old[1], new[1]);
		difference = csum_replace(difference, old[2], new[2]);
		difference = csum_replace(difference, old[3], new[3]);
	}
	return difference;
}

/* To 32 bits, the form that the kernel's checksum helpers take. */
static __always_inline __u32 csum_fold32(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (__u32)sum;
}

static __always_inline __u16 csum_fold16(__u64 sum)
{
	__u32 folded = csum_fold32(sum);

	folded = (folded & 0xffff) + (folded >> 16);
	folded = (folded & 0xffff) + (folded >> 16);
	return (__u16)folded;
}

static __always_inline __sum16 csum_apply(__sum16 check, __u64 difference)
{
	return (__sum16)~csum_fold16(difference + (__u16)~check);
}

#endif
