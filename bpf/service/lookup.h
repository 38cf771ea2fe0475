/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_SERVICE_LOOKUP_H
#define LB_BPF_SERVICE_LOOKUP_H

#include "packet/packet.h"

/* LB_ADDRESS_* of the packet's destination, 0 when the filter was wrong about it. */
static __always_inline __u32 lookup_address(const struct packet *p, const int family)
{
	struct lb_address_key key = {.family = family};
	__u32 *flags;

	copy_words(key.addr.word, p->tuple.dst, words_of(family));
	flags = bpf_map_lookup_elem(&lb_addresses, &key);
	return flags ? *flags : 0;
}

static __always_inline struct lb_service *lookup_frontend(const struct packet *p, const int family)
{
	struct lb_service_key key = {.port = p->tuple.dport, .proto = p->tuple.proto, .family = family};

	copy_words(key.addr.word, p->tuple.dst, words_of(family));
	return bpf_map_lookup_elem(&lb_services, &key);
}

static __always_inline struct lb_service *lookup_nodeport(const struct packet *p, const int family)
{
	struct lb_service_key key = {.port = p->tuple.dport, .proto = p->tuple.proto, .family = family};

	return bpf_map_lookup_elem(&lb_services, &key);
}

#endif
