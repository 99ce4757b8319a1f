/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of the host as an annexe of the device's: pinned, copied to and from on a stream of its
 * own beside the computing. One stream for both directions keeps the order that offload() and
 * reload() promise.
 */
#include "backend/cuda/runtime/device.h"
#include "backend/cuda/ops/ops.h"

void *fvsr_cuda_host_alloc(struct fvsr_device *base, size_t bytes)
{
	struct fvsr_cuda_device *device = (struct fvsr_cuda_device *)base;
	void *memory = NULL;
	CUresult result;

	if (!fvsr_cuda_enter(device))
		return NULL;
	result = FVSR_CUDA_CALL(device, cuMemHostAlloc, &memory, bytes ? bytes : 1, 0);
	fvsr_cuda_leave(device);
	return result == CUDA_SUCCESS ? memory : NULL;
}

void fvsr_cuda_host_free(struct fvsr_device *base, void *memory)
{
	struct fvsr_cuda_device *device = (struct fvsr_cuda_device *)base;

	if (!memory || !fvsr_cuda_enter(device))
		return;
	device->driver.cuMemFreeHost(memory);
	fvsr_cuda_leave(device);
}

size_t fvsr_cuda_free_bytes(struct fvsr_device *base)
{
	struct fvsr_cuda_device *device = (struct fvsr_cuda_device *)base;
	size_t free_bytes = 0, all = 0;

	if (!fvsr_cuda_enter(device))
		return 0;
	if (FVSR_CUDA_CALL(device, cuMemGetInfo, &free_bytes, &all) != CUDA_SUCCESS)
		free_bytes = 0;
	fvsr_cuda_leave(device);
	return free_bytes;
}

/* Lets the stream of the copies go on when the ops so far are done. */
static bool follow_ops(struct fvsr_cuda_queue *queue)
{
	return FVSR_CUDA_TRY(queue, cuEventRecord, queue->away.ready, queue->stream) &&
	       FVSR_CUDA_TRY(queue, cuStreamWaitEvent, queue->away.stream, queue->away.ready, 0);
}

static bool begin(struct fvsr_cuda_queue *queue)
{
	return !fvsr_queue_idle(&queue->base) && fvsr_cuda_queue_enter(queue);
}

void fvsr_cuda_offload(struct fvsr_queue *base, void *host, const void *src, size_t bytes)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);

	if (!begin(queue))
		return;
	if (follow_ops(queue))
		FVSR_CUDA_TRY(queue, cuMemcpyDtoHAsync, host, (CUdeviceptr)(uintptr_t)src, bytes,
			      queue->away.stream);
	fvsr_cuda_leave(queue->device);
}

void fvsr_cuda_reload(struct fvsr_queue *base, void *dst, const void *host, size_t bytes)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);

	if (!begin(queue))
		return;
	if (follow_ops(queue))
		FVSR_CUDA_TRY(queue, cuMemcpyHtoDAsync, (CUdeviceptr)(uintptr_t)dst, host, bytes,
			      queue->away.stream);
	fvsr_cuda_leave(queue->device);
}

void fvsr_cuda_join(struct fvsr_queue *base)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);

	if (!begin(queue))
		return;
	if (FVSR_CUDA_TRY(queue, cuEventRecord, queue->away.done, queue->away.stream))
		FVSR_CUDA_TRY(queue, cuStreamWaitEvent, queue->stream, queue->away.done, 0);
	fvsr_cuda_leave(queue->device);
}
