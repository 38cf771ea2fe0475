// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "flow/lock.h"

/* A global function, so that the verifier walks the loop once and not for every way that leads to it. */
__weak int lb_lock_contended(__u32 *word)
{
	if (!word)
		return 0;
	ROLLED
	for (int i = 0; i < LOCK_TRIES; i++)
		if (__sync_val_compare_and_swap(word, 0, 1) == 0)
			return 1;
	return 0;
}
