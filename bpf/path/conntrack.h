/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_CONNTRACK_H
#define LB_BPF_PATH_CONNTRACK_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>

#include "hook.h"
#include "tuple.h"

/*
 * What the kernel knows of connections that are not ours: its connection tracking, where it has that and lets programs
 * ask (5.18). libbpf finds out while it loads; without it the calls are in code that is never reached, and everything
 * counts as unknown.
 */

/* The kernel's, as far as it is needed. */
struct bpf_ct_opts {
	__s32 netns_id;
	__s32 error;
	__u8 l4proto;
	__u8 dir;
	__u8 reserved[2];
};

struct ip_ct_tcp {
	__u8 state;
} __attribute__((preserve_access_index));

union nf_conntrack_proto {
	struct ip_ct_tcp tcp;
} __attribute__((preserve_access_index));

struct nf_conn {
	union nf_conntrack_proto proto;
} __attribute__((preserve_access_index));

#define CONNTRACK_TCP_ESTABLISHED 3
#define CONNTRACK_REPLY 1 /* dir: the packet comes from whom the connection was opened to */

extern struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *ctx, struct bpf_sock_tuple *tuple, __u32 tuple_size,
					 struct bpf_ct_opts *opts, __u32 opts_size) __ksym __weak;
extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *ctx, struct bpf_sock_tuple *tuple, __u32 tuple_size,
					 struct bpf_ct_opts *opts, __u32 opts_size) __ksym __weak;
extern void bpf_ct_release(struct nf_conn *connection) __ksym __weak;

static __always_inline int has_conntrack(void)
{
	return bpf_core_type_exists(struct bpf_ct_opts);
}

/* A tuple as the kernel's lookups take it, and what they say beside it. */
struct kernel_tuple {
	struct bpf_sock_tuple tuple;
	struct bpf_ct_opts opts;
};

static __always_inline __u32 kernel_tuple_size(const int family)
{
	return family == LB_AF_INET ? sizeof(((struct bpf_sock_tuple *)0)->ipv4)
				    : sizeof(((struct bpf_sock_tuple *)0)->ipv6);
}

static __always_inline void kernel_tuple_of(struct kernel_tuple *kernel, const struct tuple *tuple, const int family)
{
	__builtin_memset(kernel, 0, sizeof(*kernel));
	kernel->opts.netns_id = BPF_F_CURRENT_NETNS;
	kernel->opts.l4proto = tuple->proto;
	if (family == LB_AF_INET) {
		kernel->tuple.ipv4.saddr = tuple->src[0];
		kernel->tuple.ipv4.daddr = tuple->dst[0];
		kernel->tuple.ipv4.sport = tuple->sport;
		kernel->tuple.ipv4.dport = tuple->dport;
	} else {
		copy_words(kernel->tuple.ipv6.saddr, tuple->src, 4);
		copy_words(kernel->tuple.ipv6.daddr, tuple->dst, 4);
		kernel->tuple.ipv6.sport = tuple->sport;
		kernel->tuple.ipv6.dport = tuple->dport;
	}
}

/* NULL where none is tracked; otherwise to be released, and kernel->opts.dir says whose packet has this tuple. */
static __always_inline struct nf_conn *conntrack_find(const struct run run, struct kernel_tuple *kernel)
{
	const __u32 size = kernel_tuple_size(run.family);

	if (is_xdp(run))
		return bpf_xdp_ct_lookup(run.ctx, &kernel->tuple, size, &kernel->opts, sizeof(kernel->opts));
	return bpf_skb_ct_lookup(run.ctx, &kernel->tuple, size, &kernel->opts, sizeof(kernel->opts));
}

#endif
