/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices, queues and memory of the CPU backends.
 */
#include "backend/cpu/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cpu/openmp_passive.h"

#define ALIGNMENT 256

static int count_processors(void)
{
#ifdef _OPENMP
	return omp_get_num_procs();
#else
	return 1;
#endif
}

void fvsr_cpu_describe(struct fvsr_backend_info *info)
{
	int threads = count_processors();

	info->available = true;
	snprintf(info->device, sizeof(info->device), "CPU, %d thread%s", threads,
		 threads == 1 ? "" : "s");
}

void fvsr_cpu_device_init(struct fvsr_cpu_device *device, const struct fvsr_backend *backend,
			  const struct fvsr_model_options *options)
{
	memset(device, 0, sizeof(*device));
	device->base.backend = backend;
	device->base.threads = options->threads > 0 ? options->threads : count_processors();
	device->base.log = options->log;
	device->passive = fvsr_openmp_passive_start();
}

void fvsr_cpu_device_clear(struct fvsr_cpu_device *device)
{
	fvsr_openmp_passive_stop(device->passive);
	device->passive = NULL;
}

/* Keeps the start of the block just below the aligned address. */
void *fvsr_cpu_alloc(struct fvsr_device *device, size_t bytes)
{
	char *block, *memory;

	(void)device;
	if (bytes > SIZE_MAX - ALIGNMENT - sizeof(void *))
		return NULL;
	block = malloc(bytes + ALIGNMENT + sizeof(void *));
	if (!block)
		return NULL;
	memory = block + sizeof(void *);
	memory += ALIGNMENT - (uintptr_t)memory % ALIGNMENT;
	memcpy(memory - sizeof(void *), &block, sizeof(void *));
	return memory;
}

void fvsr_cpu_free(struct fvsr_device *device, void *memory)
{
	void *block;

	(void)device;
	if (!memory)
		return;
	memcpy(&block, (char *)memory - sizeof(void *), sizeof(void *));
	free(block);
}

int fvsr_cpu_upload(struct fvsr_device *device, void *dst, enum fvsr_kind kind, const float *src,
		    size_t count, struct fvsr_error *err)
{
	(void)device;
	switch (kind) {
	case FVSR_ACT:
	case FVSR_CANVAS:
	case FVSR_F32:
		memcpy(dst, src, count * sizeof(float));
		return 0;
	case FVSR_I32:
		for (size_t i = 0; i < count; i++)
			((int32_t *)dst)[i] = (int32_t)src[i];
		return 0;
	case FVSR_U8:
		for (size_t i = 0; i < count; i++)
			((uint8_t *)dst)[i] = (uint8_t)src[i];
		return 0;
	}
	return fvsr_fail(err, FVSR_ERR_ARGUMENT, "unknown kind of element");
}

void fvsr_cpu_queue_init(struct fvsr_cpu_queue *queue, struct fvsr_device *device)
{
	memset(queue, 0, sizeof(*queue));
	queue->base.backend = device->backend;
	queue->base.device = device;
	queue->stage = FVSR_STAGE_IDLE;
}

void fvsr_cpu_queue_clear(struct fvsr_cpu_queue *queue)
{
	fvsr_resize_axis_clear(&queue->horizontal);
	fvsr_resize_axis_clear(&queue->vertical);
}

void fvsr_cpu_stage(struct fvsr_queue *queue, enum fvsr_stage stage)
{
	struct fvsr_cpu_queue *cpu = (struct fvsr_cpu_queue *)queue;
	double now = fvsr_now_ms();

	if (fvsr_queue_idle(queue))
		return;
	queue->stage_ms[cpu->stage] += now - cpu->stage_began_ms;
	cpu->stage = stage;
	cpu->stage_began_ms = now;
}

int fvsr_cpu_finish(struct fvsr_queue *queue)
{
	return queue->error;
}

void fvsr_cpu_download(struct fvsr_queue *queue, float *dst, const void *src, enum fvsr_kind kind,
		       size_t count)
{
	if (fvsr_queue_idle(queue))
		return;
	switch (kind) {
	case FVSR_ACT:
	case FVSR_CANVAS:
	case FVSR_F32:
		memcpy(dst, src, count * sizeof(float));
		break;
	case FVSR_I32:
		for (size_t i = 0; i < count; i++)
			dst[i] = (float)((const int32_t *)src)[i];
		break;
	case FVSR_U8:
		for (size_t i = 0; i < count; i++)
			dst[i] = (float)((const uint8_t *)src)[i];
		break;
	}
}

void fvsr_cpu_parallel_copy(struct fvsr_queue *queue, void *dst, const void *src, size_t bytes)
{
	const size_t part = 1 << 16;

	(void)queue; /* without OpenMP */
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (size_t at = 0; at < bytes; at += part)
		memcpy((char *)dst + at, (const char *)src + at,
		       bytes - at < part ? bytes - at : part);
}
