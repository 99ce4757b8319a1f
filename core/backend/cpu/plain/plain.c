/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend "cpu-plain": host memory, ops that are done when they return.
 */
#include "backend/cpu/plain/plain.h"

#include "backend/cpu/openmp_passive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#define ALIGNMENT 256

int fvsr_cpu_count(void)
{
#ifdef _OPENMP
	return omp_get_num_procs();
#else
	return 1;
#endif
}

void fvsr_cpu_describe(struct fvsr_backend_info *info)
{
	int threads = fvsr_cpu_count();

	info->available = true;
	snprintf(info->device, sizeof(info->device), "CPU, %d thread%s", threads,
		 threads == 1 ? "" : "s");
}

struct plain_device {
	struct fvsr_device base;
	struct fvsr_openmp_passive *passive;
};

static int device_open(struct fvsr_device **out, const struct fvsr_model_options *options,
		       struct fvsr_error *err)
{
	struct plain_device *device = calloc(1, sizeof(*device));

	if (!device)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	device->base.backend = &fvsr_backend_cpu_plain;
	device->base.threads = options->threads > 0 ? options->threads : fvsr_cpu_count();
	device->base.log = options->log;
	device->passive = fvsr_openmp_passive_start();
	*out = &device->base;
	return 0;
}

static void device_close(struct fvsr_device *base)
{
	struct plain_device *device = (struct plain_device *)base;

	if (!device)
		return;
	fvsr_openmp_passive_stop(device->passive);
	free(device);
}

/* The start of the block is kept just below the aligned address. */
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

static void forget(struct fvsr_device *device, const void *memory, size_t bytes)
{
	(void)device, (void)memory, (void)bytes;
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

static int queue_open(struct fvsr_queue **out, struct fvsr_device *device, struct fvsr_error *err)
{
	struct fvsr_cpu_queue *queue = malloc(sizeof(*queue));

	if (!queue)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	fvsr_cpu_queue_init(queue, device);
	*out = &queue->base;
	return 0;
}

static void queue_close(struct fvsr_queue *queue)
{
	if (!queue)
		return;
	fvsr_cpu_queue_clear((struct fvsr_cpu_queue *)queue);
	free(queue);
}

void fvsr_plain_stage(struct fvsr_queue *queue, enum fvsr_stage stage)
{
	struct fvsr_cpu_queue *cpu = (struct fvsr_cpu_queue *)queue;
	double now = fvsr_now_ms();

	if (fvsr_queue_idle(queue))
		return;
	queue->stage_ms[cpu->stage] += now - cpu->stage_began_ms;
	cpu->stage = stage;
	cpu->stage_began_ms = now;
}

int fvsr_plain_finish(struct fvsr_queue *queue)
{
	return queue->error;
}

void fvsr_plain_download(struct fvsr_queue *queue, float *dst, const void *src, enum fvsr_kind kind,
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

void fvsr_plain_copy(struct fvsr_queue *queue, void *dst, const void *src, size_t bytes)
{
	if (!fvsr_queue_idle(queue))
		memcpy(dst, src, bytes);
}

void fvsr_plain_zero(struct fvsr_queue *queue, void *dst, size_t bytes)
{
	if (!fvsr_queue_idle(queue))
		memset(dst, 0, bytes);
}

/* Copies are done when they return. */
void fvsr_plain_join(struct fvsr_queue *queue)
{
	(void)queue;
}

void fvsr_plain_emit(struct fvsr_queue *queue, const struct fvsr_picture *dst, const void *src)
{
	bool planar = dst->format == FVSR_FORMAT_RGBF32P;
	size_t row = (size_t)dst->width * 4;
	size_t rows = (size_t)dst->height * (planar ? 3 : 1);

	if (fvsr_queue_idle(queue))
		return;
	if (dst->memory != FVSR_MEMORY_HOST) {
		fvsr_queue_fail(queue, FVSR_ERR_UNSUPPORTED,
				"the CPU backends take frames in host memory only");
		return;
	}
	for (size_t y = 0; y < rows; y++)
		memcpy((char *)dst->data + y * dst->stride, (const char *)src + y * row, row);
}

const struct fvsr_backend fvsr_backend_cpu_plain = {
	.name = "cpu-plain",
	.act_bytes = sizeof(float),
	.canvas_bytes = sizeof(float),
	.host_memory = true,
	.describe = fvsr_cpu_describe,
	.device_open = device_open,
	.device_close = device_close,
	.alloc = fvsr_cpu_alloc,
	.free = fvsr_cpu_free,
	.host_alloc = fvsr_cpu_alloc,
	.host_free = fvsr_cpu_free,
	.upload = fvsr_cpu_upload,
	.forget = forget,
	.queue_open = queue_open,
	.queue_close = queue_close,
	.finish = fvsr_plain_finish,
	.stage = fvsr_plain_stage,
	.download = fvsr_plain_download,
	.copy = fvsr_plain_copy,
	.zero = fvsr_plain_zero,
	.offload = fvsr_plain_copy,
	.reload = fvsr_plain_copy,
	.join = fvsr_plain_join,
	.emit = fvsr_plain_emit,
	.ingest = fvsr_plain_ingest,
	.unshuffle = fvsr_plain_unshuffle,
	.conv_frames = fvsr_plain_conv_frames,
	.rms_silu = fvsr_plain_rms_silu,
	.linear = fvsr_plain_linear,
	.layer_norm = fvsr_plain_layer_norm,
	.rms_norm = fvsr_plain_rms_norm,
	.add = fvsr_plain_add,
	.rope_table = fvsr_plain_rope_table,
	.qk_rope = fvsr_plain_qk_rope,
	.block_select = fvsr_plain_block_select,
	.block_attention = fvsr_plain_block_attention,
	.cross_attention = fvsr_plain_cross_attention,
	.noise_slice = fvsr_plain_noise_slice,
	.unpatchify = fvsr_plain_unpatchify,
	.decoder_input = fvsr_plain_decoder_input,
	.conv3x3 = fvsr_plain_conv3x3,
	.upsample_conv = fvsr_plain_upsample_conv,
	.conv_rgb = fvsr_plain_conv_rgb,
	.pixel_shuffle = fvsr_plain_pixel_shuffle,
	.color_finish = fvsr_plain_color_finish,
};
