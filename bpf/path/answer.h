/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_PATH_ANSWER_H
#define LB_BPF_PATH_ANSWER_H

#include "packet/answer.h"
#include "path/rare.h"
#include "path/scratch.h"

static __always_inline int is_answer(enum lb_verdict verdict)
{
	return verdict >= LB_VERDICT_ANSWER_NO_BACKEND && verdict <= LB_VERDICT_ANSWER_TOO_BIG &&
	       verdict != LB_VERDICT_ANSWER_ECHO;
}

/* Answers the packet in scratch as the verdict says. */
static __always_inline enum lb_verdict answer_packet(const struct run run, enum lb_verdict verdict)
{
	struct scratch *scratch = scratch_memory();
	const enum lb_verdict source = lb_source(run.family);

	if (!scratch)
		return LB_VERDICT_BROKEN_REFERENCE;
	if (source != LB_CONTINUE)
		return source;
	return answer(run, &scratch->path.p, verdict, (__u16)scratch->path.hop.mtu, &scratch->answer);
}

#endif
