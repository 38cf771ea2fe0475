/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PACKET_FRAGMENT_H
#define LB_BPF_PACKET_FRAGMENT_H

#include "packet/packet.h"

/* Fragments behind the first carry no ports: they are found by what all fragments of a datagram share. */

/* The key is the caller's, because it is large for the stack. */
static __always_inline void fragment_key_of(struct lb_fragment_key *key, const struct packet *p, const int family)
{
	__builtin_memset(key, 0, sizeof(*key));
	copy_words(key->src.word, p->tuple.src, words_of(family));
	copy_words(key->dst.word, p->tuple.dst, words_of(family));
	key->id = p->fragment_id;
	key->proto = p->tuple.proto;
	key->family = family;
}

static __always_inline void fragment_remember(struct lb_fragment_key *key, const struct packet *p, const int family)
{
	const struct lb_fragment ports = {.sport = p->tuple.sport, .dport = p->tuple.dport};

	fragment_key_of(key, p, family);
	bpf_map_update_elem(&lb_fragments, key, &ports, BPF_ANY);
}

static __always_inline enum lb_verdict fragment_recall(struct lb_fragment_key *key, struct packet *p, const int family)
{
	struct lb_fragment *ports;

	fragment_key_of(key, p, family);
	ports = bpf_map_lookup_elem(&lb_fragments, key);
	if (!ports)
		return LB_VERDICT_FRAGMENT_UNKNOWN;
	p->tuple.sport = ports->sport;
	p->tuple.dport = ports->dport;
	return LB_CONTINUE;
}

#endif
