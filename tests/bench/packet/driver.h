/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <linux/types.h>

/* What the bench driver puts on the wire, packet after packet. */
#define BENCH_TEMPLATE 96u /* bytes of the frame that are rewritten before each run */
#define BENCH_TUPLES 131072u

struct bench_tuple {
  __be32 src[4];
  __be32 dst[4];
  __be16 sport;
  __be16 dport;
  __u32 pad;
};

struct bench_plan {
  __u8 frame[BENCH_TEMPLATE];
  __u32 family;
  __u32 tuples; /* used in turn; 0: the frame as it is */
  __u32 next;
  __u32 fresh;   /* 1: give each packet a source of its own instead, so that it begins a flow */
  __u32 sources; /* given so far; never reset */
  __u32 alone;   /* 1: no packet begins before the memory of the one before it has come */
  __u32 pad[2];
};

/* One line of the floor's table: what a NAT cannot do without, in one cache line. */
#define BENCH_LINES (1u << 20)
struct bench_line {
  __be32 src[4];
  __be32 dst[4];
  __be16 sport;
  __be16 dport;
  __be32 to[4];
  __u8 macs[12];
};
