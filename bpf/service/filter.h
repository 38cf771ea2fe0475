/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_SERVICE_FILTER_H
#define LB_BPF_SERVICE_FILTER_H

#include "tuple.h"

/* LB_CLASS_* that this address may have; 0 is certain. */
static __always_inline __u8 address_classes(const __be32 *addr, const int family)
{
	const __u32 zero = 0;
	struct lb_filter *filter = bpf_map_lookup_elem(&lb_filter, &zero);

	if (!filter)
		return 0;
	return filter->classes[lb_address_hash(addr, words_of(family)) & (LB_FILTER_BUCKETS - 1)];
}

static __always_inline int is_snat_port(__be16 port)
{
	return (__u16)(bpf_ntohs(port) - lb_config.snat_port_base) < lb_config.snat_port_words * 64u;
}

static __always_inline int is_nodeport(__be16 port)
{
	const __u16 host = bpf_ntohs(port);

	return host >= lb_config.nodeport_min && host <= lb_config.nodeport_max;
}

#endif
