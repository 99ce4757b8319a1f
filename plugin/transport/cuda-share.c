/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening and closing a share, and making its frames: see cuda-share.h.
 */
#include "transport/cuda-share.h"

#include <obs.h>
#include <util/bmem.h>

#include <stdatomic.h>
#include <stdio.h>

#define ROW_ALIGNMENT 256

struct counted_share {
	struct cuda_share share; /* first: the same address */
	atomic_int owners;
};

/* ---- open and close ------------------------------------------------------------------------ */

/* In the context. */
static cuda_result open_streams(struct cuda_share *share, const char **what)
{
	const struct cuda_driver *driver = &share->driver;
	cuda_handle *streams[] = {&share->stream, &share->to_engine, &share->from_engine};
	int lowest = 0, highest = 0;
	cuda_result result = driver->priorities(&lowest, &highest);

	*what = "cuStreamCreateWithPriority";
	for (size_t i = 0; i < sizeof(streams) / sizeof(*streams) && !result; i++)
		result = driver->stream_create(streams[i], CUDA_STREAM_NON_BLOCKING, highest);
	if (result)
		return result;
	*what = "cuEventCreate";
	return driver->event_create(&share->order, CUDA_EVENT_DISABLE_TIMING);
}

static cuda_result open_context(struct cuda_share *share, const char **what)
{
	const struct cuda_driver *driver = &share->driver;
	cuda_result result = driver->context_retain(&share->context, share->card);

	*what = "cuDevicePrimaryCtxRetain";
	share->retained = !result;
	if (result)
		return result;
	*what = "cuCtxGetId";
	result = driver->context_id(share->context, &share->context_id);
	if (result)
		return result;
	*what = "cuCtxPushCurrent";
	result = driver->context_push(share->context);
	if (result)
		return result;
	result = open_streams(share, what);
	cuda_share_leave(share);
	return result;
}

/* Waits for all work in the streams before they go, because it may use frames and textures. */
static void close_streams(struct cuda_share *share)
{
	const struct cuda_driver *driver = &share->driver;
	cuda_handle streams[] = {share->stream, share->to_engine, share->from_engine};

	for (size_t i = 0; i < sizeof(streams) / sizeof(*streams); i++) {
		if (!streams[i])
			continue;
		driver->stream_synchronize(streams[i]);
		driver->stream_destroy(streams[i]);
	}
	if (share->order)
		driver->event_destroy(share->order);
}

static void share_free(void *opaque)
{
	struct cuda_share *share = opaque;

	if (share->retained && cuda_share_enter(share)) {
		close_streams(share);
		cuda_share_leave(share);
	}
	if (share->retained)
		share->driver.context_release(share->card);
	cuda_driver_close(&share->driver);
	bfree(share);
}

struct cuda_share *cuda_share_create(int card, char *reason, size_t reason_size)
{
	struct counted_share *counted = bzalloc(sizeof(*counted));
	struct cuda_share *share = &counted->share;
	const char *what = "";
	cuda_result result;

	atomic_init(&counted->owners, 1);
	share->card = card;
	if (!cuda_driver_open(&share->driver, reason, reason_size)) {
		share_free(share);
		return NULL;
	}
	result = open_context(share, &what);
	if (!result)
		return share;
	cuda_driver_describe(&share->driver, what, result, reason, reason_size);
	share_free(share);
	return NULL;
}

void cuda_share_ref(struct cuda_share *share)
{
	atomic_fetch_add(&((struct counted_share *)share)->owners, 1);
}

void cuda_share_unref(struct cuda_share *share, bool later)
{
	if (!share || atomic_fetch_sub(&((struct counted_share *)share)->owners, 1) > 1)
		return;
	if (later)
		obs_queue_task(OBS_TASK_DESTROY, share_free, share, false);
	else
		share_free(share);
}

bool cuda_share_enter(struct cuda_share *share)
{
	unsigned long long id;

	return !share->driver.context_id(share->context, &id) && id == share->context_id &&
	       !share->driver.context_push(share->context);
}

void cuda_share_leave(struct cuda_share *share)
{
	cuda_handle context;

	share->driver.context_pop(&context);
}

/* ---- frames -------------------------------------------------------------------------------- */

struct frame_memory {
	struct cuda_share *share;
	cuda_pointer memory;
};

/* Frees a frame's memory, which waits for whatever the card still does with it. */
static void free_frame_memory(void *opaque)
{
	struct frame_memory *frame = opaque;

	if (cuda_share_enter(frame->share)) {
		frame->share->driver.free(frame->memory);
		cuda_share_leave(frame->share);
	}
	cuda_share_unref(frame->share, false);
	bfree(frame);
}

/* Is called by fvsr_frame_destroy(), on the worker's thread as a rule. */
static void release_frame(void *opaque, const struct fvsr_picture *picture)
{
	(void)picture;
	if (obs_in_task_thread(OBS_TASK_GRAPHICS))
		obs_queue_task(OBS_TASK_DESTROY, free_frame_memory, opaque, false);
	else
		free_frame_memory(opaque);
}

int cuda_share_make_frame(struct cuda_share *share, cuda_handle stream, fvsr_frame **out, int width,
			  int height)
{
	struct frame_memory *frame = bzalloc(sizeof(*frame));
	struct fvsr_picture picture = {
		.format = FVSR_FORMAT_RGBA8,
		.memory = FVSR_MEMORY_CUDA_POINTER,
		.width = width,
		.height = height,
		.stride = ((size_t)width * 4 + ROW_ALIGNMENT - 1) / ROW_ALIGNMENT * ROW_ALIGNMENT,
		.queue = stream,
	};
	int code = FVSR_ERR_MEMORY;

	frame->share = share;
	if (!share->driver.alloc(&frame->memory, picture.stride * (size_t)height)) {
		picture.data = (void *)(uintptr_t)frame->memory;
		code = fvsr_frame_adopt(out, &picture, release_frame, frame);
		if (code < 0)
			share->driver.free(frame->memory);
	}
	if (code < 0)
		bfree(frame);
	else
		cuda_share_ref(share);
	return code;
}
