/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the backend "cpu" share: the device with its cache of reordered weights, the
 * queue with the primitives that planning made, and the calls to use them.
 */
#ifndef FVSR_CPU_ONEDNN_H
#define FVSR_CPU_ONEDNN_H

#include <pthread.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "backend/cpu/openmp_passive.h"
#include "backend/cpu/onednn/library.h"
#include "backend/cpu/fast/loops.h"
#include "backend/cpu/onednn/version.h"
#include "backend/cpu/plain/plain.h"

struct fvsr_dnnl_weight;
struct fvsr_dnnl_plan;

struct fvsr_dnnl_device {
	struct fvsr_device base;
	struct fvsr_dnnl_library library;
	dnnl_engine_t engine;
	const struct fvsr_loops *loops;
	struct fvsr_openmp_passive *passive;
	pthread_mutex_t lock;             /* of what follows */
	struct fvsr_dnnl_weight *weights; /* copies in the layouts that primitives want */
	struct fvsr_winograd_weight *winograd;
};

struct fvsr_dnnl_queue {
	struct fvsr_cpu_queue base;
	dnnl_stream_t stream;
	struct fvsr_dnnl_plan *plans;
	int count, capacity;
};

/* A square convolution, stride 1, NHWC, of one weight tensor of the network. */
struct fvsr_dnnl_conv {
	const float *weight; /* (cout, size, size, cin) with the strides below, in elements */
	const float *bias;   /* NULL: none */
	int frames, h, w;    /* of the source */
	int cin, cout, size;
	int top, left, bottom, right; /* zeros around the source */
	int64_t stride_cout, stride_row, stride_column;
	bool sum, relu; /* dst = relu(dst + conv) */
	bool dry;       /* addresses are not known yet: only the scratch size matters */
};

static inline struct fvsr_dnnl_device *fvsr_dnnl_device(const struct fvsr_queue *queue)
{
	return (struct fvsr_dnnl_device *)queue->device;
}

/* Number of the calling thread in a parallel loop. */
static inline int fvsr_dnnl_thread(void)
{
#ifdef _OPENMP
	return omp_get_thread_num();
#else
	return 0;
#endif
}

/*
 * Each of these prepares while the queue is planning, and computes otherwise. 'offset': bytes of
 * the queue's scratch that the caller uses itself.
 */
void fvsr_dnnl_run_conv(struct fvsr_queue *queue, const struct fvsr_dnnl_conv *conv, float *dst,
			const float *src, size_t offset);
void fvsr_dnnl_run_linear(struct fvsr_queue *queue, const struct fvsr_linear *linear);

void fvsr_dnnl_forget(struct fvsr_device *device, const void *memory, size_t bytes);
void fvsr_dnnl_plans_free(struct fvsr_dnnl_queue *queue);

/* memcpy() by all threads of the queue. */
void fvsr_dnnl_copy(struct fvsr_queue *queue, void *dst, const void *src, size_t bytes);
/* Bytes rounded so that what follows is aligned. */
static inline size_t fvsr_dnnl_aligned(size_t bytes)
{
	return (bytes + 255) / 256 * 256;
}

void fvsr_onednn_linear(struct fvsr_queue *queue, const struct fvsr_linear *a);
void fvsr_onednn_conv_frames(struct fvsr_queue *queue, const struct fvsr_conv_frames *a);
void fvsr_onednn_conv3x3(struct fvsr_queue *queue, const struct fvsr_conv3x3 *a);
void fvsr_onednn_upsample_conv(struct fvsr_queue *queue, const struct fvsr_upsample_conv *a);
void fvsr_onednn_conv_rgb(struct fvsr_queue *queue, const struct fvsr_conv_rgb *a);
void fvsr_onednn_block_attention(struct fvsr_queue *queue, const struct fvsr_block_attention *a);
void fvsr_onednn_cross_attention(struct fvsr_queue *queue, const struct fvsr_cross_attention *a);
void fvsr_onednn_ingest(struct fvsr_queue *queue, const struct fvsr_ingest *a);
void fvsr_onednn_decoder_input(struct fvsr_queue *queue, const struct fvsr_decoder_input *a);
void fvsr_onednn_color_finish(struct fvsr_queue *queue, const struct fvsr_color_finish *a);

#endif
