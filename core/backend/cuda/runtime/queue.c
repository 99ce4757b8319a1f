/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue's life: its streams and events, and waiting for all of its work. Ops only enqueue;
 * finish() and download() wait.
 */
#include "backend/cuda/ops/ops.h"

#include <stdlib.h>

static int open_streams(struct fvsr_cuda_queue *queue, struct fvsr_error *err)
{
	struct fvsr_cuda_device *device = queue->device;
	CUstream *streams[] = {&queue->stream, &queue->transfer, &queue->away.stream};
	CUevent *events[] = {&queue->order, &queue->away.ready, &queue->away.done};
	CUevent *waited[] = {&queue->emitted, &queue->finished}; /* by the host */
	int result = 0;

	for (size_t i = 0; i < sizeof(streams) / sizeof(*streams) && !result; i++)
		result = FVSR_CUDA_GET(device, err, cuStreamCreateWithPriority, streams[i],
				       CU_STREAM_NON_BLOCKING, device->priority);
	for (size_t i = 0; i < sizeof(events) / sizeof(*events) && !result; i++)
		result = FVSR_CUDA_GET(device, err, cuEventCreate, events[i],
				       CU_EVENT_DISABLE_TIMING);
	for (size_t i = 0; i < sizeof(waited) / sizeof(*waited) && !result; i++)
		result = FVSR_CUDA_GET(device, err, cuEventCreate, waited[i],
				       CU_EVENT_DISABLE_TIMING | CU_EVENT_BLOCKING_SYNC);
	for (int i = 0; i < FVSR_CUDA_STAMPS && !result; i++)
		result = FVSR_CUDA_GET(device, err, cuEventCreate, &queue->stamps.event[i],
				       CU_EVENT_DEFAULT);
	return result;
}

int fvsr_cuda_queue_open(struct fvsr_queue **out, struct fvsr_device *base, struct fvsr_error *err)
{
	struct fvsr_cuda_device *device = (struct fvsr_cuda_device *)base;
	struct fvsr_cuda_queue *queue = calloc(1, sizeof(*queue));
	int result;

	if (!queue)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	queue->base.backend = base->backend;
	queue->base.device = base;
	queue->device = device;
	if (!fvsr_cuda_enter(device)) {
		free(queue);
		return fvsr_fail(err, FVSR_ERR_BACKEND, "the GPU's context cannot be used");
	}
	result = open_streams(queue, err);
	if (!result)
		result = fvsr_cuda_profile_open(queue, err);
	fvsr_cuda_leave(device);
	if (result < 0) {
		fvsr_cuda_queue_close(&queue->base);
		return result;
	}
	*out = &queue->base;
	return 0;
}

static void close_streams(struct fvsr_cuda_queue *queue)
{
	const struct fvsr_cuda_driver *driver = &queue->device->driver;
	CUstream streams[] = {queue->stream, queue->transfer, queue->away.stream};
	CUevent events[] = {queue->order, queue->away.ready, queue->away.done, queue->emitted,
			    queue->finished};

	for (int i = 0; i < FVSR_CUDA_STAMPS; i++)
		if (queue->stamps.event[i])
			driver->cuEventDestroy(queue->stamps.event[i]);
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
		if (events[i])
			driver->cuEventDestroy(events[i]);
	for (size_t i = 0; i < sizeof(streams) / sizeof(*streams); i++)
		if (streams[i])
			driver->cuStreamDestroy(streams[i]);
}

static void wait_for_all(struct fvsr_cuda_queue *queue)
{
	CUstream streams[] = {queue->stream, queue->transfer, queue->away.stream};

	for (int i = 0; i < 3; i++)
		if (streams[i])
			queue->device->driver.cuStreamSynchronize(streams[i]);
}

void fvsr_cuda_queue_close(struct fvsr_queue *base)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);
	bool alive;

	if (!queue)
		return;
	alive = fvsr_cuda_enter(queue->device);
	if (alive)
		wait_for_all(queue);
	fvsr_cuda_profile_close(queue, alive);
	fvsr_cuda_frames_close(queue, alive);
	if (alive) {
		close_streams(queue);
		fvsr_cuda_leave(queue->device);
	}
	free(queue);
}

/*
 * Waits for the stream. Work in the background leaves the processor alone meanwhile, and hears a
 * little later.
 */
static bool wait_for_stream(struct fvsr_cuda_queue *queue)
{
	if (!queue->device->background)
		return FVSR_CUDA_TRY(queue, cuStreamSynchronize, queue->stream);
	return FVSR_CUDA_TRY(queue, cuEventRecord, queue->finished, queue->stream) &&
	       FVSR_CUDA_TRY(queue, cuEventSynchronize, queue->finished);
}

int fvsr_cuda_finish(struct fvsr_queue *base)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);

	if (!fvsr_cuda_queue_enter(queue))
		return base->error;
	if (wait_for_stream(queue))
		fvsr_cuda_collect_stages(queue);
	fvsr_cuda_leave(queue->device);
	return base->error;
}

void fvsr_cuda_copy(struct fvsr_queue *base, void *dst, const void *src, size_t bytes)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);

	if (fvsr_queue_idle(base) || !bytes || !fvsr_cuda_queue_enter(queue))
		return;
	FVSR_CUDA_TRY(queue, cuMemcpyDtoDAsync, (CUdeviceptr)(uintptr_t)dst,
		      (CUdeviceptr)(uintptr_t)src, bytes, queue->stream);
	fvsr_cuda_leave(queue->device);
}

void fvsr_cuda_zero(struct fvsr_queue *base, void *dst, size_t bytes)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);

	if (fvsr_queue_idle(base) || !bytes || !fvsr_cuda_queue_enter(queue))
		return;
	FVSR_CUDA_TRY(queue, cuMemsetD8Async, (CUdeviceptr)(uintptr_t)dst, 0, bytes, queue->stream);
	fvsr_cuda_leave(queue->device);
}
