/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of onednn/ share: the device with its cache of reordered weights, and the queue
 * with the primitives that planning made. Only files of this folder include oneDNN's header.
 */
#ifndef FVSR_CPU_ONEDNN_H
#define FVSR_CPU_ONEDNN_H

#include "backend/cpu/fast/fast.h"
#include "backend/cpu/onednn/library.h"
#include "backend/cpu/onednn/version.h"

struct fvsr_onednn_weight;
struct fvsr_onednn_plan;

struct fvsr_onednn_device {
	struct fvsr_fast_device fast;
	struct fvsr_onednn_library library;
	dnnl_engine_t engine;
	pthread_mutex_t weights_lock;
	struct fvsr_onednn_weight *weights; /* copies in the layouts that primitives want */
};

struct fvsr_onednn_queue {
	struct fvsr_cpu_queue cpu;
	dnnl_stream_t stream;
	struct fvsr_onednn_plan *plans;
	int count, capacity;
};

static inline struct fvsr_onednn_device *fvsr_onednn_device(const struct fvsr_queue *queue)
{
	return (struct fvsr_onednn_device *)queue->device;
}

static inline struct fvsr_onednn_queue *fvsr_onednn_queue(struct fvsr_queue *queue)
{
	return (struct fvsr_onednn_queue *)queue;
}

/* Tells whether a status is a failure, which then sticks to the queue; 'what' says what failed. */
bool fvsr_onednn_failed(struct fvsr_queue *queue, dnnl_status_t status, const char *what);

/* Declares all ops of the list, which says which of them this folder has. */
#define FVSR_ONEDNN_OP(name, cpu) fvsr_op_##name fvsr_onednn_##name;
FVSR_OPS(FVSR_ONEDNN_OP)
#undef FVSR_ONEDNN_OP

#endif
