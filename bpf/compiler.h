/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LB_BPF_COMPILER_H
#define LB_BPF_COMPILER_H

/* What the compilers and the verifier have to be told. */

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define READ_ONCE(x) (*(volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile typeof(x) *)&(x) = (value))
/* The programs are supported on x86-64, where loads and stores keep their order: only the compiler must be held. */
#define smp_barrier() asm volatile("" ::: "memory")

#define OUT_OF_LINE __attribute__((noinline, unused))

/* Before a loop that retries: it is rare, and not worth a copy of its body for each try. */
#define ROLLED _Pragma("clang loop unroll(disable)")

/*
 * For a local struct: keeps the compiler from making each of its fields a variable of its own, which it would then
 * spill in 8 bytes each, however small. The stack is what limits these programs, and a load from it costs next to
 * nothing.
 */
static __always_inline void keep_in_memory(void *local)
{
	asm volatile("" : : "r"(local) : "memory");
}

#endif
