/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_FLOW_LOCK_H
#define LB_BPF_FLOW_LOCK_H

#include "tuple.h"

/*
 * A lock is a word that is 1 while held. Holders run with softirqs off and for well under a microsecond, so a bounded
 * number of tries fails only when the holder's virtual CPU was taken away; whoever fails gives up its packet rather
 * than the machine's time. bpf_spin_lock would cost more and forbid mapping the table.
 */

#define LOCK_TRIES 1024

int lb_lock_contended(__u32 *word);

static __always_inline int try_lock(__u32 *word)
{
	return __sync_val_compare_and_swap(word, 0, 1) == 0;
}

static __always_inline int lock(__u32 *word)
{
	return likely(try_lock(word)) || lb_lock_contended(word);
}

static __always_inline void unlock(__u32 *word)
{
	smp_barrier();
	WRITE_ONCE(*word, 0);
}

#endif
