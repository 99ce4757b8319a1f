/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Videos for the GPU tests, in every kind of memory that a picture may lie in.
 */
#include "gpu_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_support.h"

#define TEXT_OF(name) #name
#define NAME_OF(name) TEXT_OF(name)
#define HASH_START    0xCBF29CE484222325u
#define HASH_STEP     0x100000001B3u

static void find(struct gpu *gpu, const char *name, void *out)
{
	void *symbol = fvsr_cuda_library_symbol(gpu->driver.library, name);

	memcpy(out, &symbol, sizeof(symbol));
}

void gpu_open(struct gpu *gpu)
{
	char reason[256];
	CUdevice device;

	memset(gpu, 0, sizeof(*gpu));
	if (!fvsr_cuda_driver_open(&gpu->driver, reason, sizeof(reason))) {
		printf("skipped: needs a card: %s\n", reason);
		exit(77);
	}
	find(gpu, NAME_OF(cuDevicePrimaryCtxReset), &gpu->reset);
	find(gpu, NAME_OF(cuMemcpyHtoD), &gpu->to_device);
	find(gpu, NAME_OF(cuMemcpyDtoH), &gpu->to_host);
	find(gpu, NAME_OF(cuArrayCreate), &gpu->array_create);
	find(gpu, NAME_OF(cuArrayDestroy), &gpu->array_destroy);
	find(gpu, NAME_OF(cuMemcpy2D), &gpu->copy_2d);
	if (gpu->driver.cuDeviceGet(&device, 0) ||
	    gpu->driver.cuDevicePrimaryCtxRetain(&gpu->context, device) ||
	    gpu->driver.cuCtxPushCurrent(gpu->context) ||
	    gpu->driver.cuStreamCreate(&gpu->stream, CU_STREAM_NON_BLOCKING)) {
		printf("the first card cannot be used\n");
		exit(1);
	}
}

void gpu_reset(struct gpu *gpu)
{
	CUcontext context;
	CUdevice device;

	gpu->driver.cuCtxPopCurrent(&context);
	gpu->driver.cuDeviceGet(&device, 0);
	gpu->reset(device);
	gpu->driver.cuDevicePrimaryCtxRetain(&gpu->context, device);
	gpu->driver.cuCtxPushCurrent(gpu->context);
	gpu->driver.cuStreamCreate(&gpu->stream, CU_STREAM_NON_BLOCKING);
}

void gpu_close(struct gpu *gpu)
{
	CUcontext context;
	CUdevice device;

	gpu->driver.cuStreamDestroy(gpu->stream);
	gpu->driver.cuCtxPopCurrent(&context);
	gpu->driver.cuDeviceGet(&device, 0);
	gpu->driver.cuDevicePrimaryCtxRelease(device);
	fvsr_cuda_driver_close(&gpu->driver);
}

size_t gpu_free_bytes(struct gpu *gpu)
{
	size_t free_bytes = 0, all = 0;

	gpu->driver.cuMemGetInfo(&free_bytes, &all);
	return free_bytes;
}

/* ------------------------------------------------------------------------------------------- */

/* One side of a stream: a picture where 'memory' says, and its copy in host memory. */
struct side {
	struct gpu *gpu;
	struct fvsr_picture host, picture;
	fvsr_frame *frame;
	CUdeviceptr pointer;
	CUarray array;
};

static bool side_place(struct side *side, enum fvsr_memory memory)
{
	struct gpu *gpu = side->gpu;
	struct fvsr_picture *p = &side->picture;
	CUDA_ARRAY_DESCRIPTOR shape = {
		.Width = (size_t)p->width,
		.Height = (size_t)p->height,
		.Format = CU_AD_FORMAT_UNSIGNED_INT8,
		.NumChannels = 4,
	};

	p->memory = memory;
	if (memory == FVSR_MEMORY_HOST)
		return true;
	p->queue = gpu->stream;
	if (memory == FVSR_MEMORY_CUDA_ARRAY) {
		if (gpu->array_create(&side->array, &shape))
			return false;
		p->data = side->array;
		return true;
	}
	p->stride += 64; /* rows need not follow one another */
	if (gpu->driver.cuMemAlloc(&side->pointer, p->stride * (size_t)p->height))
		return false;
	p->data = (void *)(uintptr_t)side->pointer;
	return true;
}

static bool side_open(struct side *side, struct gpu *gpu, enum fvsr_memory memory, int width,
		      int height)
{
	memset(side, 0, sizeof(*side));
	side->gpu = gpu;
	side->host = (struct fvsr_picture){
		.format = FVSR_FORMAT_RGBA8,
		.memory = FVSR_MEMORY_HOST,
		.width = width,
		.height = height,
		.stride = (size_t)width * 4,
		.data = malloc((size_t)width * height * 4),
	};
	side->picture = side->host;
	return side->host.data && side_place(side, memory) &&
	       fvsr_frame_wrap(&side->frame, &side->picture) == 0;
}

static void side_close(struct side *side)
{
	fvsr_frame_destroy(side->frame);
	free(side->host.data);
	if (side->pointer)
		side->gpu->driver.cuMemFree(side->pointer);
	if (side->array)
		side->gpu->array_destroy(side->array);
}

/* Copies between the host's copy and the picture, in the order of the caller's stream. */
static bool side_move(struct side *side, bool to_picture)
{
	struct gpu *gpu = side->gpu;
	size_t row = (size_t)side->host.width * 4;
	CUDA_MEMCPY2D move = {.WidthInBytes = row, .Height = (size_t)side->host.height};

	if (side->picture.memory == FVSR_MEMORY_HOST)
		return true;
	if (gpu->driver.cuStreamSynchronize(gpu->stream))
		return false;
	move.srcMemoryType = move.dstMemoryType =
		side->array ? CU_MEMORYTYPE_ARRAY : CU_MEMORYTYPE_DEVICE;
	move.srcArray = move.dstArray = side->array;
	move.srcDevice = move.dstDevice = side->pointer;
	move.srcPitch = move.dstPitch = side->picture.stride;
	if (to_picture) {
		move.srcMemoryType = CU_MEMORYTYPE_HOST;
		move.srcHost = side->host.data;
		move.srcPitch = row;
	} else {
		move.dstMemoryType = CU_MEMORYTYPE_HOST;
		move.dstHost = side->host.data;
		move.dstPitch = row;
	}
	return gpu->copy_2d(&move) == CUDA_SUCCESS;
}

/* Sends a video through the stream; the hash goes on over all pictures. */
static int run_video(fvsr_stream *stream, struct side *in, struct side *out, int frames,
		     struct gpu_result *result)
{
	int sent = 0, error;

	for (;;) {
		error = fvsr_stream_receive(stream, out->frame);
		if (error == FVSR_ERR_AGAIN && sent < frames) {
			test_picture_fill(&in->host, sent++);
			if (!side_move(in, true))
				return FVSR_ERR_BACKEND;
			error = fvsr_stream_send(stream, in->frame);
			if (!error && sent == frames)
				error = fvsr_stream_end(stream);
			if (error)
				return error;
			continue;
		}
		if (error)
			return error == FVSR_ERR_EOF ? 0 : error;
		if (!side_move(out, false))
			return FVSR_ERR_BACKEND;
		result->frames++;
		result->hash = (result->hash ^ test_picture_hash(&out->host)) * HASH_STEP;
	}
}

static void run_stream(fvsr_stream *stream, struct side *in, struct side *out, int frames,
		       bool again, struct gpu_result *result)
{
	struct gpu_result second = *result;

	result->error = run_video(stream, in, out, frames, result);
	snprintf(result->text, sizeof(result->text), "%s", fvsr_stream_error(stream));
	if (!again || result->error)
		return;
	fvsr_stream_reset(stream);
	second.error = run_video(stream, in, out, frames, &second);
	if (second.error || second.hash != result->hash) {
		snprintf(result->text, sizeof(result->text), "the same video came out otherwise");
		result->error = second.error ? second.error : FVSR_ERR_BACKEND;
	}
}

struct gpu_result gpu_run(struct gpu *gpu, fvsr_model *model, enum fvsr_memory memory,
			  uint64_t seed, int frames, bool again)
{
	struct gpu_result result = {.error = FVSR_ERR_MEMORY, .hash = HASH_START};
	struct fvsr_settings settings;
	struct fvsr_error err = {"no memory for pictures"};
	fvsr_stream *stream = NULL;
	struct side in, out;
	bool ready = side_open(&in, gpu, memory, GPU_IN_WIDTH, GPU_IN_HEIGHT);

	ready = side_open(&out, gpu, memory, GPU_OUT_WIDTH, GPU_OUT_HEIGHT) && ready;
	test_settings(&settings, GPU_IN_WIDTH, GPU_IN_HEIGHT, GPU_OUT_WIDTH, GPU_OUT_HEIGHT);
	settings.seed = seed;
	if (ready)
		result.error = fvsr_stream_open(&stream, model, &settings, &err);
	if (result.error)
		snprintf(result.text, sizeof(result.text), "%s", err.text);
	else
		run_stream(stream, &in, &out, frames, again, &result);
	fvsr_stream_close(stream);
	side_close(&in);
	side_close(&out);
	return result;
}
