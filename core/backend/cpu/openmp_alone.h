/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What GNU OpenMP does for a program with a single thread, for the portable build
 * (LateLibrary.cmake) where the machine has no libgomp. Only the entries that gcc uses for this
 * tree's loops are here: whatever else a loop needed would not link.
 */
#ifndef FVSR_CPU_OPENMP_ALONE_H
#define FVSR_CPU_OPENMP_ALONE_H

#include <stdbool.h>

#define FVSR_LATE_WITHOUT(name) (function) without_##name

static void without_GOMP_parallel(void (*body)(void *), void *data, unsigned threads,
				  unsigned flags)
{
	(void)threads, (void)flags;
	body(data);
}

/* All of the loop at once. */
static bool without_GOMP_loop_nonmonotonic_dynamic_start(long start, long end, long step,
							 long chunk, long *first, long *last)
{
	(void)chunk;
	*first = start;
	*last = end;
	return step > 0 ? start < end : start > end;
}

static bool without_GOMP_loop_nonmonotonic_dynamic_next(long *first, long *last)
{
	(void)first, (void)last;
	return false;
}

static void without_GOMP_loop_end_nowait(void)
{
}

static int without_omp_get_max_threads(void)
{
	return 1;
}

static int without_omp_get_num_procs(void)
{
	return 1;
}

static int without_omp_get_num_threads(void)
{
	return 1;
}

static int without_omp_get_thread_num(void)
{
	return 0;
}

static void without_omp_set_num_threads(int threads)
{
	(void)threads;
}

#endif
