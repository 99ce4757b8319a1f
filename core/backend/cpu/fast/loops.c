/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides which of the tables of loops this processor can run, in code that every processor of the
 * architecture can run.
 */
#include "backend/cpu/fast/loops.h"

#include <stdbool.h>

#ifdef FVSR_X86_64

static bool has_v3(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
	       __builtin_cpu_supports("bmi2");
}

static bool has_v4(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl");
}

#endif

const struct fvsr_loops *fvsr_loops_at(unsigned index)
{
	const struct fvsr_loops *found[3];
	unsigned count = 0;

#ifdef FVSR_X86_64
	if (has_v4())
		found[count++] = &fvsr_loops_v4;
	if (has_v3())
		found[count++] = &fvsr_loops_v3;
#endif
	found[count++] = &fvsr_loops_base;
	return index < count ? found[index] : NULL;
}
