/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_SERVICE_LOOKUP_H
#define LB_BPF_SERVICE_LOOKUP_H

#include "tuple.h"

/* LB_ADDRESS_* of an address, 0 when the filter was wrong about it. */
static __always_inline __u32 lookup_address(const __be32 *addr, const int family)
{
	struct lb_address_key key = {.family = family};
	__u32 *flags;

	copy_words(key.addr.word, addr, words_of(family));
	flags = bpf_map_lookup_elem(&lb_addresses, &key);
	return flags ? *flags : 0;
}

static __always_inline struct lb_service *lookup_frontend(const struct tuple *tuple, const int family)
{
	struct lb_service_key key = {.port = tuple->dport, .proto = tuple->proto, .family = family};

	copy_words(key.addr.word, tuple->dst, words_of(family));
	return bpf_map_lookup_elem(&lb_services, &key);
}

static __always_inline struct lb_service *lookup_nodeport(const struct tuple *tuple, const int family)
{
	struct lb_service_key key = {.port = tuple->dport, .proto = tuple->proto, .family = family};

	return bpf_map_lookup_elem(&lb_services, &key);
}

#endif
