/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend "cpu": oneDNN for convolutions and matrix products, our own fast loops for attention,
 * pictures and convolutions of many channels, the plain versions of all other ops. It computes in
 * float32 like the plain backend, and its results differ from the plain ones by roundings only.
 *
 * After planning nothing of ours allocates. oneDNN's execute() itself makes small objects on the
 * heap and frees them before it returns; no option of version 2 turns that off.
 *
 * Threads are OpenMP's, the same for oneDNN and for our loops.
 */
#include "backend/cpu/onednn/onednn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cpu/fast/winograd.h"
#include "backend/cpu/onednn/plan.h"
#include "backend/cpu/onednn/weights.h"
#include "backend/cpu/plain/plain.h"

static void describe(struct fvsr_backend_info *info)
{
	struct fvsr_onednn_library library;
	const dnnl_version_t *version;
	char device[sizeof(info->device)];

	if (!fvsr_onednn_library_open(&library, info->reason, sizeof(info->reason)))
		return;
	version = dnnl_version();
	fvsr_cpu_describe(info);
	snprintf(device, sizeof(device), "%.90s, oneDNN %d.%d, %s", info->device, version->major,
		 version->minor, fvsr_loops_at(0)->name);
	memcpy(info->device, device, sizeof(device));
	fvsr_onednn_library_close(&library);
}

static void forget(struct fvsr_device *base, const void *memory, size_t bytes)
{
	struct fvsr_onednn_device *device = (struct fvsr_onednn_device *)base;

	fvsr_onednn_weights_forget(device, memory, bytes);
	fvsr_winograd_forget(&device->fast, memory, bytes);
}

static void device_close(struct fvsr_device *base)
{
	struct fvsr_onednn_device *device = (struct fvsr_onednn_device *)base;

	if (!device)
		return;
	forget(base, NULL, SIZE_MAX);
	dnnl_engine_destroy(device->engine);
	pthread_mutex_destroy(&device->weights_lock);
	fvsr_fast_device_clear(&device->fast);
	fvsr_onednn_library_close(&device->library);
	free(device);
}

static int start(struct fvsr_onednn_device *device, const struct fvsr_model_options *options,
		 struct fvsr_error *err)
{
	dnnl_status_t status;

	if (pthread_mutex_init(&device->weights_lock, NULL))
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	if (!fvsr_fast_device_init(&device->fast, &fvsr_backend_cpu, options)) {
		pthread_mutex_destroy(&device->weights_lock);
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	}
	status = dnnl_engine_create(&device->engine, dnnl_cpu, 0);
	if (!status)
		return 0;
	fvsr_fast_device_clear(&device->fast);
	pthread_mutex_destroy(&device->weights_lock);
	return fvsr_fail(err, FVSR_ERR_BACKEND, "oneDNN cannot be started (status %d)",
			 (int)status);
}

static int device_open(struct fvsr_device **out, const struct fvsr_model_options *options,
		       struct fvsr_error *err)
{
	struct fvsr_onednn_device *device = calloc(1, sizeof(*device));
	char reason[128];
	int result;

	if (!device)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	if (fvsr_onednn_library_open(&device->library, reason, sizeof(reason))) {
		result = start(device, options, err);
		if (!result) {
			*out = &device->fast.cpu.base;
			return 0;
		}
		fvsr_onednn_library_close(&device->library);
	} else {
		result = fvsr_fail(err, FVSR_ERR_BACKEND, "%s", reason);
	}
	free(device);
	return result;
}

static void queue_close(struct fvsr_queue *base)
{
	struct fvsr_onednn_queue *queue = fvsr_onednn_queue(base);

	if (!queue)
		return;
	fvsr_onednn_plans_free(queue);
	dnnl_stream_destroy(queue->stream);
	fvsr_cpu_queue_clear(&queue->cpu);
	free(queue);
}

static int queue_open(struct fvsr_queue **out, struct fvsr_device *base, struct fvsr_error *err)
{
	struct fvsr_onednn_device *device = (struct fvsr_onednn_device *)base;
	struct fvsr_onednn_queue *queue = calloc(1, sizeof(*queue));
	dnnl_status_t status;

	if (!queue)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	fvsr_cpu_queue_init(&queue->cpu, base);
	status = dnnl_stream_create(&queue->stream, device->engine, dnnl_stream_in_order);
	if (status) {
		queue_close(&queue->cpu.base);
		return fvsr_fail(err, FVSR_ERR_BACKEND, "oneDNN makes no stream (status %d)",
				 (int)status);
	}
	*out = &queue->cpu.base;
	return 0;
}

#define CPU_OP(name, cpu) .name = fvsr_##cpu##_##name,
/* clang-format off */
const struct fvsr_backend fvsr_backend_cpu = {
	.name = "cpu",
	.act_bytes = sizeof(float),
	.canvas_bytes = sizeof(float),
	.host_memory = true,
	.describe = describe,
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
	.finish = fvsr_cpu_finish,
	.stage = fvsr_cpu_stage,
	.download = fvsr_cpu_download,
	FVSR_OPS(CPU_OP)
};
/* clang-format on */
