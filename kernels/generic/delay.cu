/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel that keeps a stream for a while, so that the host can put work behind it which then runs
 * without waiting for the host (core/backend/cuda/runtime/profile.c). The clock bounds it.
 */
#include "generic.cuh"

DEVICE uint64_t card_time_ns(void)
{
	uint64_t ns;

	asm volatile("mov.u64 %0, %globaltimer;" : "=l"(ns));
	return ns;
}

/* Returns when the time is over; grid: 1, one thread */
KERNEL delay(const __grid_constant__ struct fvsr_delay_params p)
{
	const uint64_t end = card_time_ns() + p.ns;

	while (card_time_ns() < end)
		continue;
}
