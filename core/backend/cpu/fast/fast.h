/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ops in loops of our own that are compiled for several generations of processors, and what a
 * device keeps for them. They compute in float32 like the plain ops; the results differ by the
 * order of sums and by the polynomials that stand for exponentials.
 */
#ifndef FVSR_CPU_FAST_H
#define FVSR_CPU_FAST_H

#include <pthread.h>

#include "backend/cpu/fast/loops.h"
#include "backend/cpu/host.h"

struct fvsr_winograd_weight;

struct fvsr_fast_device {
	struct fvsr_cpu_device cpu;
	const struct fvsr_loops *loops;
	pthread_mutex_t winograd_lock;
	struct fvsr_winograd_weight *winograd; /* transformed weights, see winograd.c */
};

static inline struct fvsr_fast_device *fvsr_fast_device(const struct fvsr_queue *queue)
{
	return (struct fvsr_fast_device *)queue->device;
}

static inline const struct fvsr_loops *fvsr_fast_loops(const struct fvsr_queue *queue)
{
	return fvsr_fast_device(queue)->loops;
}

/* Fills what is the same for all devices with these ops; false when that fails. */
bool fvsr_fast_device_init(struct fvsr_fast_device *device, const struct fvsr_backend *backend,
			   const struct fvsr_model_options *options);
/* Empties it; all weights are forgotten before. */
void fvsr_fast_device_clear(struct fvsr_fast_device *device);

/* Declares all ops of the list, which says which of them this folder has. */
#define FVSR_FAST_OP(name, cpu) fvsr_op_##name fvsr_fast_##name;
FVSR_OPS(FVSR_FAST_OP)
#undef FVSR_FAST_OP

#endif
