/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the CPU backends share: devices, queues and memory of the host. Their ops are done when they
 * return.
 */
#ifndef FVSR_CPU_HOST_H
#define FVSR_CPU_HOST_H

#ifdef _OPENMP
#include <omp.h>
#endif

#include "backend/backend.h"
#include "base/bicubic.h"

struct fvsr_openmp_passive;

struct fvsr_cpu_device {
	struct fvsr_device base;
	struct fvsr_openmp_passive *passive;
};

struct fvsr_cpu_queue {
	struct fvsr_queue base;
	enum fvsr_stage stage;
	double stage_began_ms;
	struct fvsr_resize_axis horizontal, vertical; /* made while planning */
};

/* Returns the number of threads that an op of this queue may use. */
static inline int fvsr_cpu_threads(const struct fvsr_queue *queue)
{
	return queue->device->threads;
}

/* Returns the number of the calling thread in a parallel loop. */
static inline int fvsr_cpu_thread(void)
{
#ifdef _OPENMP
	return omp_get_thread_num();
#else
	return 0;
#endif
}

/* Rounds bytes up so that what follows them is aligned. */
static inline size_t fvsr_cpu_aligned(size_t bytes)
{
	return (bytes + 255) / 256 * 256;
}

/* Returns 'index' moved into [0, count). */
static inline int fvsr_cpu_clamp_index(int index, int count)
{
	return index < 0 ? 0 : index >= count ? count - 1 : index;
}

/* For the op table: see backend.h. */
void fvsr_cpu_describe(struct fvsr_backend_info *info);
void *fvsr_cpu_alloc(struct fvsr_device *device, size_t bytes);
void fvsr_cpu_free(struct fvsr_device *device, void *memory);
int fvsr_cpu_upload(struct fvsr_device *device, void *dst, enum fvsr_kind kind, const float *src,
		    size_t count, struct fvsr_error *err);
int fvsr_cpu_finish(struct fvsr_queue *queue);
void fvsr_cpu_stage(struct fvsr_queue *queue, enum fvsr_stage stage);
void fvsr_cpu_download(struct fvsr_queue *queue, float *dst, const void *src, enum fvsr_kind kind,
		       size_t count);

/* Fill and empty the part of a device or a queue that is the same for all CPU backends. */
void fvsr_cpu_device_init(struct fvsr_cpu_device *device, const struct fvsr_backend *backend,
			  const struct fvsr_model_options *options);
void fvsr_cpu_device_clear(struct fvsr_cpu_device *device);
void fvsr_cpu_queue_init(struct fvsr_cpu_queue *queue, struct fvsr_device *device);
void fvsr_cpu_queue_clear(struct fvsr_cpu_queue *queue);

/* Copies as memcpy() does, with all threads of the queue. */
void fvsr_cpu_parallel_copy(struct fvsr_queue *queue, void *dst, const void *src, size_t bytes);

#endif
