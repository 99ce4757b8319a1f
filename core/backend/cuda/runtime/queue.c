/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue is a stream of the device. Ops only enqueue; finish() and download() wait. The time of a
 * stage is measured by events between the ops and added up when they are done.
 */
#include "backend/cuda/runtime/module.h"
#include "backend/cuda/ops/ops.h"

#include <stdlib.h>
#include <string.h>

static bool enter(struct fvsr_cuda_queue *queue)
{
	if (queue->base.error)
		return false;
	if (fvsr_cuda_enter(queue->device))
		return true;
	fvsr_queue_fail(&queue->base, FVSR_ERR_BACKEND, "the GPU's context cannot be used");
	return false;
}

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

/* The oldest stamp is done with: the time up to the next belongs to its stage. */
static bool collect_stamp(struct fvsr_cuda_queue *queue)
{
	int first = queue->stamps.first, next = (first + 1) % FVSR_CUDA_STAMPS;
	float ms = 0;

	if (!FVSR_CUDA_TRY(queue, cuEventSynchronize, queue->stamps.event[next]) ||
	    !FVSR_CUDA_TRY(queue, cuEventElapsedTime, &ms, queue->stamps.event[first],
			   queue->stamps.event[next]))
		return false;
	queue->base.stage_ms[queue->stamps.stage[first]] += (double)ms;
	queue->stamps.first = next;
	queue->stamps.count--;
	return true;
}

void fvsr_cuda_stage(struct fvsr_queue *base, enum fvsr_stage stage)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);
	int at;

	if (fvsr_queue_idle(base) || !enter(queue))
		return;
	fvsr_cuda_profile_stage(queue, stage);
	if (queue->stamps.count < FVSR_CUDA_STAMPS || collect_stamp(queue)) {
		at = (queue->stamps.first + queue->stamps.count) % FVSR_CUDA_STAMPS;
		if (FVSR_CUDA_TRY(queue, cuEventRecord, queue->stamps.event[at], queue->stream)) {
			queue->stamps.stage[at] = stage;
			queue->stamps.count++;
		}
	}
	fvsr_cuda_leave(queue->device);
}

/* The oldest stamp's stage has ended: the next stamp has been reached. */
static bool stamp_done(struct fvsr_cuda_queue *queue)
{
	const int next = (queue->stamps.first + 1) % FVSR_CUDA_STAMPS;
	const CUresult result =
		FVSR_CUDA_CALL(queue->device, cuEventQuery, queue->stamps.event[next]);

	return result != CUDA_ERROR_NOT_READY &&
	       fvsr_cuda_check(queue, result, "cuEventQuery", __FILE__, __LINE__);
}

void fvsr_cuda_collect_stages(struct fvsr_cuda_queue *queue)
{
	while (queue->stamps.count > 1 && stamp_done(queue) && collect_stamp(queue))
		continue;
}

/* Work in the background leaves the processor alone while it waits, and hears a little later. */
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

	if (!enter(queue))
		return base->error;
	if (wait_for_stream(queue))
		fvsr_cuda_collect_stages(queue);
	fvsr_cuda_leave(queue->device);
	return base->error;
}

void fvsr_cuda_copy(struct fvsr_queue *base, void *dst, const void *src, size_t bytes)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);

	if (fvsr_queue_idle(base) || !bytes || !enter(queue))
		return;
	FVSR_CUDA_TRY(queue, cuMemcpyDtoDAsync, (CUdeviceptr)(uintptr_t)dst,
		      (CUdeviceptr)(uintptr_t)src, bytes, queue->stream);
	fvsr_cuda_leave(queue->device);
}

void fvsr_cuda_zero(struct fvsr_queue *base, void *dst, size_t bytes)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);

	if (fvsr_queue_idle(base) || !bytes || !enter(queue))
		return;
	FVSR_CUDA_TRY(queue, cuMemsetD8Async, (CUdeviceptr)(uintptr_t)dst, 0, bytes, queue->stream);
	fvsr_cuda_leave(queue->device);
}

/* Notes what an op wants; who plans anew has set the sum to 0, and nothing is wanted yet. */
static void want(struct fvsr_cuda_queue *queue, size_t bytes)
{
	if (!queue->base.scratch_bytes || bytes > queue->wanted)
		queue->wanted = bytes;
	fvsr_queue_scratch(&queue->base, queue->reserved + queue->wanted);
}

void *fvsr_cuda_scratch(struct fvsr_cuda_queue *queue, size_t bytes)
{
	want(queue, bytes);
	if (fvsr_queue_idle(&queue->base))
		return NULL;
	return (char *)queue->base.scratch + queue->reserved;
}

size_t fvsr_cuda_reserve(struct fvsr_cuda_queue *queue, size_t bytes)
{
	size_t offset = queue->reserved;

	queue->reserved += (bytes + 255) / 256 * 256;
	want(queue, 0);
	return offset;
}

static unsigned at_least_one(unsigned x)
{
	return x ? x : 1;
}

void fvsr_cuda_launch(struct fvsr_cuda_queue *queue, const struct fvsr_cuda_launch *launch)
{
	CUlaunchAttribute cluster = {
		.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION,
		.value.clusterDim = {.x = launch->cluster, .y = 1, .z = 1},
	};
	CUlaunchConfig config = {
		.gridDimX = at_least_one(launch->grid[0]),
		.gridDimY = at_least_one(launch->grid[1]),
		.gridDimZ = at_least_one(launch->grid[2]),
		.blockDimX = launch->block,
		.blockDimY = 1,
		.blockDimZ = 1,
		.sharedMemBytes = launch->shared,
		.hStream = queue->stream,
		.attrs = &cluster,
		.numAttrs = launch->cluster > 1,
	};
	void *params[] = {(void *)launch->params};

	if (fvsr_queue_idle(&queue->base) || !enter(queue))
		return;
	fvsr_cuda_profile_begin(queue);
	FVSR_CUDA_TRY(queue, cuLaunchKernelEx, &config, queue->device->kernels[launch->kernel],
		      params, NULL);
	fvsr_cuda_profile_end(queue, fvsr_cuda_kernel_name(launch->kernel));
	fvsr_cuda_leave(queue->device);
}
