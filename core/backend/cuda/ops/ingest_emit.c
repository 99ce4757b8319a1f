/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pictures to and from the device. An incoming one is copied at once, from host memory through a
 * pinned slot or from device memory in the order of the caller's stream, beside whatever the queue
 * is computing; only bicubic waits for its turn. Outgoing ones leave in the queue's order: into
 * device memory without waiting, into host memory when emit() returns. Each picture's copy has an
 * event behind it, so that the host can wait for that copy alone.
 */
#include <stdlib.h>
#include <string.h>

#include "backend/cuda/ops/ops.h"
#include "base/bicubic.h"
#include "kernels/generic/params.h"

/* One axis of bicubic; its memory on the device has first, count and weight in a row. */
struct fvsr_cuda_axis {
	struct fvsr_cuda_axis *next;
	int in, out, taps;
	CUdeviceptr memory;
};

static const struct fvsr_cuda_axis *find_axis(const struct fvsr_cuda_queue *queue, int in, int out)
{
	const struct fvsr_cuda_axis *axis = queue->axes;

	while (axis && (axis->in != in || axis->out != out))
		axis = axis->next;
	return axis;
}

static bool upload_axis(struct fvsr_cuda_queue *queue, struct fvsr_cuda_axis *axis,
			const struct fvsr_resize_axis *host)
{
	size_t list = (size_t)host->out * sizeof(int32_t);

	axis->taps = host->taps;
	return FVSR_CUDA_TRY(queue, cuMemAlloc, &axis->memory, list * (2 + host->taps)) &&
	       FVSR_CUDA_TRY(queue, cuMemcpyHtoDAsync, axis->memory, host->first, list,
			     queue->stream) &&
	       FVSR_CUDA_TRY(queue, cuMemcpyHtoDAsync, axis->memory + list, host->count, list,
			     queue->stream) &&
	       FVSR_CUDA_TRY(queue, cuMemcpyHtoDAsync, axis->memory + 2 * list, host->weight,
			     list * host->taps, queue->stream) &&
	       FVSR_CUDA_TRY(queue, cuStreamSynchronize, queue->stream);
}

static void make_axis(struct fvsr_cuda_queue *queue, int in, int out)
{
	struct fvsr_resize_axis host = {0};
	struct fvsr_cuda_axis *axis;

	if (queue->base.error || find_axis(queue, in, out))
		return;
	axis = calloc(1, sizeof(*axis));
	if (!axis || fvsr_resize_axis_init(&host, in, out) < 0) {
		free(axis);
		fvsr_queue_fail(&queue->base, FVSR_ERR_MEMORY, "out of memory");
		return;
	}
	axis->in = in, axis->out = out;
	axis->next = queue->axes;
	queue->axes = axis;
	upload_axis(queue, axis, &host);
	fvsr_resize_axis_clear(&host);
}

static void close_in(struct fvsr_cuda_queue *queue)
{
	const struct fvsr_cuda_driver *driver = &queue->device->driver;

	for (int i = 0; i < FVSR_CUDA_FRAMES; i++) {
		struct fvsr_cuda_slot *slot = &queue->in.slot[i];

		if (slot->pinned)
			driver->cuMemFreeHost(slot->pinned);
		if (slot->moved)
			driver->cuEventDestroy(slot->moved);
		if (slot->used)
			driver->cuEventDestroy(slot->used);
	}
	memset(&queue->in, 0, sizeof(queue->in));
}

static void open_in(struct fvsr_cuda_queue *queue, size_t bytes)
{
	for (int i = 0; i < FVSR_CUDA_FRAMES; i++) {
		struct fvsr_cuda_slot *slot = &queue->in.slot[i];

		if (!FVSR_CUDA_TRY(queue, cuMemHostAlloc, &slot->pinned, bytes, 0) ||
		    !FVSR_CUDA_TRY(queue, cuEventCreate, &slot->moved,
				   CU_EVENT_DISABLE_TIMING | CU_EVENT_BLOCKING_SYNC) ||
		    !FVSR_CUDA_TRY(queue, cuEventCreate, &slot->used, CU_EVENT_DISABLE_TIMING))
			return;
	}
	queue->in.bytes = bytes;
	queue->in.offset = fvsr_cuda_reserve(queue, FVSR_CUDA_FRAMES * bytes);
}

static void prepare_in(struct fvsr_cuda_queue *queue, size_t bytes)
{
	bytes = (bytes + 255) / 256 * 256;
	if (bytes > queue->in.bytes) {
		close_in(queue);
		open_in(queue, bytes);
	}
	fvsr_cuda_reserve(queue, 0);
}

static void close_out(struct fvsr_cuda_queue *queue)
{
	if (queue->out.pinned)
		queue->device->driver.cuMemFreeHost(queue->out.pinned);
	if (queue->out.moved)
		queue->device->driver.cuEventDestroy(queue->out.moved);
	memset(&queue->out, 0, sizeof(queue->out));
}

void fvsr_cuda_frames_prepare(struct fvsr_cuda_queue *queue, size_t bytes)
{
	if (!queue->base.planning || queue->base.error || bytes <= queue->out.bytes ||
	    !fvsr_cuda_enter(queue->device))
		return;
	close_out(queue);
	if (FVSR_CUDA_TRY(queue, cuMemHostAlloc, &queue->out.pinned, bytes, 0) &&
	    FVSR_CUDA_TRY(queue, cuEventCreate, &queue->out.moved,
			  CU_EVENT_DISABLE_TIMING | CU_EVENT_BLOCKING_SYNC))
		queue->out.bytes = bytes;
	fvsr_cuda_leave(queue->device);
}

void fvsr_cuda_frames_close(struct fvsr_cuda_queue *queue, bool alive)
{
	while (queue->axes) {
		struct fvsr_cuda_axis *axis = queue->axes;

		queue->axes = axis->next;
		if (alive && axis->memory)
			queue->device->driver.cuMemFree(axis->memory);
		free(axis);
	}
	if (!alive)
		return;
	close_in(queue);
	close_out(queue);
}

/* ------------------------------------------------------------------------------------------- */
/* In                                                                                          */

static size_t pixel_bytes(enum fvsr_format format)
{
	return format == FVSR_FORMAT_RGBF32P ? 12 : 4;
}

/* Counts the rows of 4-byte elements that a picture is: planes of floats follow one another. */
static size_t row_count(const struct fvsr_picture *picture)
{
	return (size_t)picture->height * (picture->format == FVSR_FORMAT_RGBF32P ? 3 : 1);
}

static void place_of_caller(const struct fvsr_picture *picture, CUmemorytype *type,
			    CUdeviceptr *pointer, CUarray *array, size_t *pitch)
{
	if (picture->memory == FVSR_MEMORY_CUDA_ARRAY) {
		*type = CU_MEMORYTYPE_ARRAY;
		*array = (CUarray)picture->data;
	} else {
		*type = CU_MEMORYTYPE_DEVICE;
		*pointer = (CUdeviceptr)(uintptr_t)picture->data;
		*pitch = picture->stride;
	}
}

/* Copies when the slot's previous content is used up; the caller's stream goes on at once. */
static bool take_from_device(struct fvsr_cuda_queue *queue, struct fvsr_cuda_slot *slot,
			     CUdeviceptr copy, const struct fvsr_picture *src)
{
	CUstream stream = (CUstream)src->queue;
	size_t row = (size_t)src->width * 4;
	CUDA_MEMCPY2D move = {
		.dstMemoryType = CU_MEMORYTYPE_DEVICE,
		.dstDevice = copy,
		.dstPitch = row,
		.WidthInBytes = row,
		.Height = row_count(src),
	};

	place_of_caller(src, &move.srcMemoryType, &move.srcDevice, &move.srcArray, &move.srcPitch);
	return FVSR_CUDA_TRY(queue, cuStreamWaitEvent, stream, slot->used, 0) &&
	       FVSR_CUDA_TRY(queue, cuMemcpy2DAsync, &move, stream) &&
	       FVSR_CUDA_TRY(queue, cuEventRecord, slot->moved, stream);
}

static bool take_from_host(struct fvsr_cuda_queue *queue, struct fvsr_cuda_slot *slot,
			   CUdeviceptr copy, const struct fvsr_picture *src)
{
	size_t row = (size_t)src->width * 4, rows = row_count(src);

	if (!FVSR_CUDA_TRY(queue, cuEventSynchronize, slot->moved))
		return false;
	for (size_t y = 0; y < rows; y++)
		memcpy((char *)slot->pinned + y * row, (const char *)src->data + y * src->stride,
		       row);
	return FVSR_CUDA_TRY(queue, cuStreamWaitEvent, queue->transfer, slot->used, 0) &&
	       FVSR_CUDA_TRY(queue, cuMemcpyHtoDAsync, copy, slot->pinned, row * rows,
			     queue->transfer) &&
	       FVSR_CUDA_TRY(queue, cuEventRecord, slot->moved, queue->transfer);
}

static void launch_resize(struct fvsr_cuda_queue *queue, const struct fvsr_ingest *a, void *copy,
			  void *rows)
{
	const struct fvsr_picture *src = a->src;
	const struct fvsr_cuda_axis *x = find_axis(queue, src->width, a->width);
	const struct fvsr_cuda_axis *y = find_axis(queue, src->height, a->height);
	struct fvsr_resize_params p = {
		.src = copy,
		.dst = rows,
		.alpha = a->alpha,
		.in_width = src->width,
		.in_height = src->height,
		.width = a->width,
		.height = a->height,
		.pad_width = a->pad_width,
		.pad_height = a->pad_height,
		.swap = src->format == FVSR_FORMAT_BGRA8,
	};
	struct fvsr_cuda_launch launch = {
		.kernel = FVSR_KERNEL_resize_rows,
		.grid = {fvsr_cuda_blocks((size_t)a->width, FVSR_LINE_THREADS),
			 (unsigned)src->height},
		.params = &p,
	};

	p.first = (const int32_t *)(uintptr_t)x->memory;
	p.count = p.first + x->out, p.weight = p.count + x->out, p.taps = x->taps;
	fvsr_cuda_launch(queue, &launch);
	p.src = rows, p.dst = a->canvas;
	p.first = (const int32_t *)(uintptr_t)y->memory;
	p.count = p.first + y->out, p.weight = p.count + y->out, p.taps = y->taps;
	launch.kernel = FVSR_KERNEL_resize_columns;
	launch.grid[0] = fvsr_cuda_blocks((size_t)a->pad_width, FVSR_LINE_THREADS);
	launch.grid[1] = (unsigned)a->pad_height;
	fvsr_cuda_launch(queue, &launch);
}

static void launch_planar(struct fvsr_cuda_queue *queue, const struct fvsr_ingest *a, void *copy)
{
	struct fvsr_ingest_planar_params p = {
		.src = copy,
		.canvas = a->canvas,
		.alpha = a->alpha,
		.width = a->width,
		.height = a->height,
		.pad_width = a->pad_width,
		.pad_height = a->pad_height,
	};
	struct fvsr_cuda_launch launch = {
		.kernel = FVSR_KERNEL_ingest_planar,
		.grid = {fvsr_cuda_blocks((size_t)a->pad_width, FVSR_LINE_THREADS),
			 (unsigned)a->pad_height, 3},
		.params = &p,
	};

	fvsr_cuda_launch(queue, &launch);
}

static void plan_ingest(struct fvsr_cuda_queue *queue, const struct fvsr_ingest *a)
{
	const struct fvsr_picture *src = a->src;

	if (queue->base.error || !fvsr_cuda_enter(queue->device))
		return;
	prepare_in(queue, pixel_bytes(src->format) * src->width * src->height);
	if (src->format != FVSR_FORMAT_RGBF32P) {
		make_axis(queue, src->width, a->width);
		make_axis(queue, src->height, a->height);
	}
	fvsr_cuda_leave(queue->device);
}

/* Keeps to what planning promised, because neither memory nor tables are made here. */
static bool planned(struct fvsr_cuda_queue *queue, const struct fvsr_ingest *a)
{
	const struct fvsr_picture *src = a->src;

	if (pixel_bytes(src->format) * src->width * src->height <= queue->in.bytes &&
	    (src->format == FVSR_FORMAT_RGBF32P ||
	     (find_axis(queue, src->width, a->width) && find_axis(queue, src->height, a->height))))
		return true;
	fvsr_queue_fail(&queue->base, FVSR_ERR_ARGUMENT,
			"a frame of %d x %d came where another size was announced", src->width,
			src->height);
	return false;
}

void fvsr_cuda_ingest(struct fvsr_queue *base, const struct fvsr_ingest *a)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);
	const struct fvsr_picture *src = a->src;
	struct fvsr_cuda_slot *slot = &queue->in.slot[queue->in.next];
	void *rows = fvsr_cuda_scratch(queue, (size_t)a->width * src->height * 4), *copy;
	bool ready;

	if (base->planning)
		plan_ingest(queue, a);
	if (fvsr_queue_idle(base) || !planned(queue, a) || !fvsr_cuda_enter(queue->device))
		return;
	copy = (char *)base->scratch + queue->in.offset + (size_t)queue->in.next * queue->in.bytes;
	queue->in.next = (queue->in.next + 1) % FVSR_CUDA_FRAMES;
	if (src->memory == FVSR_MEMORY_HOST)
		ready = take_from_host(queue, slot, (CUdeviceptr)(uintptr_t)copy, src);
	else
		ready = take_from_device(queue, slot, (CUdeviceptr)(uintptr_t)copy, src);
	if (ready && FVSR_CUDA_TRY(queue, cuStreamWaitEvent, queue->stream, slot->moved, 0)) {
		if (src->format == FVSR_FORMAT_RGBF32P)
			launch_planar(queue, a, copy);
		else
			launch_resize(queue, a, copy, rows);
		if (!base->error)
			FVSR_CUDA_TRY(queue, cuEventRecord, slot->used, queue->stream);
	}
	fvsr_cuda_leave(queue->device);
}

/* ------------------------------------------------------------------------------------------- */
/* Out                                                                                         */

/* Copies after what the caller's stream did before, and before what that stream does next. */
static void emit_to_device(struct fvsr_cuda_queue *queue, const struct fvsr_picture *dst,
			   const void *src)
{
	CUstream stream = (CUstream)dst->queue;
	size_t row = (size_t)dst->width * 4;
	CUDA_MEMCPY2D move = {
		.srcMemoryType = CU_MEMORYTYPE_DEVICE,
		.srcDevice = (CUdeviceptr)(uintptr_t)src,
		.srcPitch = row,
		.WidthInBytes = row,
		.Height = row_count(dst),
	};

	place_of_caller(dst, &move.dstMemoryType, &move.dstDevice, &move.dstArray, &move.dstPitch);
	if (FVSR_CUDA_TRY(queue, cuEventRecord, queue->order, stream) &&
	    FVSR_CUDA_TRY(queue, cuStreamWaitEvent, queue->stream, queue->order, 0) &&
	    FVSR_CUDA_TRY(queue, cuMemcpy2DAsync, &move, queue->stream) &&
	    FVSR_CUDA_TRY(queue, cuEventRecord, queue->emitted, queue->stream))
		FVSR_CUDA_TRY(queue, cuStreamWaitEvent, stream, queue->emitted, 0);
}

/* Copies, and waits for this picture only, not for what was enqueued after it. */
static void emit_to_host(struct fvsr_cuda_queue *queue, const struct fvsr_picture *dst,
			 const void *src)
{
	size_t row = (size_t)dst->width * 4, rows = row_count(dst);

	if (row * rows > queue->out.bytes) {
		fvsr_queue_fail(&queue->base, FVSR_ERR_ARGUMENT,
				"a picture of %d x %d leaves where a smaller one was announced",
				dst->width, dst->height);
		return;
	}
	if (!FVSR_CUDA_TRY(queue, cuMemcpyDtoHAsync, queue->out.pinned, (CUdeviceptr)(uintptr_t)src,
			   row * rows, queue->stream) ||
	    !FVSR_CUDA_TRY(queue, cuEventRecord, queue->out.moved, queue->stream) ||
	    !FVSR_CUDA_TRY(queue, cuEventSynchronize, queue->out.moved))
		return;
	for (size_t y = 0; y < rows; y++)
		memcpy((char *)dst->data + y * dst->stride,
		       (const char *)queue->out.pinned + y * row, row);
	fvsr_cuda_collect_stages(queue);
}

void fvsr_cuda_emit(struct fvsr_queue *base, const struct fvsr_picture *dst, const void *src)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);

	if (base->planning)
		fvsr_cuda_frames_prepare(queue,
					 pixel_bytes(dst->format) * dst->width * dst->height);
	if (fvsr_queue_idle(base) || !fvsr_cuda_enter(queue->device))
		return;
	if (dst->memory == FVSR_MEMORY_HOST)
		emit_to_host(queue, dst, src);
	else
		emit_to_device(queue, dst, src);
	fvsr_cuda_leave(queue->device);
}

/* ------------------------------------------------------------------------------------------- */
/* Waiting for one picture                                                                     */

/* These wait for one event each; one that was never recorded is not waited for. */
void fvsr_cuda_wait_ingested(struct fvsr_queue *base)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);
	const int last = (queue->in.next + FVSR_CUDA_FRAMES - 1) % FVSR_CUDA_FRAMES;

	if (fvsr_queue_idle(base) || !queue->in.bytes || !fvsr_cuda_enter(queue->device))
		return;
	FVSR_CUDA_TRY(queue, cuEventSynchronize, queue->in.slot[last].moved);
	fvsr_cuda_leave(queue->device);
}

void fvsr_cuda_wait_emitted(struct fvsr_queue *base)
{
	struct fvsr_cuda_queue *queue = fvsr_cuda_queue(base);

	if (fvsr_queue_idle(base) || !fvsr_cuda_enter(queue->device))
		return;
	if (FVSR_CUDA_TRY(queue, cuEventSynchronize, queue->emitted))
		fvsr_cuda_collect_stages(queue);
	fvsr_cuda_leave(queue->device);
}
