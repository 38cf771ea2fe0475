/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_REFUSE_H
#define LB_BPF_PATH_REFUSE_H

#include "packet/packet.h"
#include "service/lookup.h"

/* An owned address may be refused or dropped; one that only shares a filter bucket with an owned one goes on untouched.
 */
static __always_inline enum lb_verdict refuse(const struct packet *p, enum lb_verdict verdict, const int family)
{
	if (!(p->classes & LB_CLASS_VIP) || !(lookup_address(p->tuple.dst, family) & LB_ADDRESS_VIP))
		return LB_VERDICT_NOT_OURS;
	return verdict;
}

#endif
