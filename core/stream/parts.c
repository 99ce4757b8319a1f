/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of the network on their own, for verification and for callers that need only them.
 */
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "base/bicubic.h"

static bool valid_bytes(const struct fvsr_picture *p)
{
	return p && p->data && p->memory == FVSR_MEMORY_HOST && p->width > 0 && p->height > 0 &&
	       (p->format == FVSR_FORMAT_RGBA8 || p->format == FVSR_FORMAT_BGRA8) &&
	       p->stride >= (size_t)p->width * 4;
}

static void copy_rows(const struct fvsr_picture *dst, const uint8_t *src)
{
	size_t row = (size_t)dst->width * 4;

	for (int y = 0; y < dst->height; y++)
		memcpy((uint8_t *)dst->data + y * dst->stride, src + y * row, row);
}

int fvsr_bicubic(const struct fvsr_picture *src, const struct fvsr_picture *dst,
		 struct fvsr_error *err)
{
	struct fvsr_resize_axis horizontal = {0}, vertical = {0};
	uint8_t *scaled = NULL;
	size_t out_bytes;

	if (!valid_bytes(src) || !valid_bytes(dst) || src->format != dst->format)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "not two 8-bit pictures of one format");
	out_bytes = (size_t)dst->width * dst->height * 4;
	if (!fvsr_resize_axis_init(&horizontal, src->width, dst->width) &&
	    !fvsr_resize_axis_init(&vertical, src->height, dst->height))
		scaled = malloc(out_bytes + (size_t)dst->width * src->height * 4);
	if (scaled) {
		fvsr_resize_u8x4(scaled, scaled + out_bytes, src->data, src->stride, &horizontal,
				 &vertical, 1);
		copy_rows(dst, scaled);
	}
	fvsr_resize_axis_clear(&horizontal);
	fvsr_resize_axis_clear(&vertical);
	if (!scaled)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	free(scaled);
	return 0;
}

/* Device buffers of one colour correction. */
struct color_room {
	struct fvsr_device *device;
	struct fvsr_queue *queue;
	void *decoded, *canvas, *alpha, *dst;
};

static int open_room(struct color_room *room, const struct fvsr_backend *backend, size_t n,
		     struct fvsr_error *err)
{
	struct fvsr_model_options options;
	int result;

	fvsr_model_options_default(&options);
	result = backend->device_open(&room->device, &options, err);
	if (result < 0 || (result = backend->queue_open(&room->queue, room->device, err)) < 0)
		return result;
	room->decoded = backend->alloc(room->device, 3 * n * sizeof(float));
	room->canvas = backend->alloc(room->device, 3 * n * backend->canvas_bytes);
	room->alpha = backend->alloc(room->device, n);
	room->dst = backend->alloc(room->device, 3 * n * sizeof(float));
	if (!room->decoded || !room->canvas || !room->alpha || !room->dst)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	return 0;
}

static void close_room(struct color_room *room, const struct fvsr_backend *backend)
{
	if (room->queue) {
		backend->free(room->device, room->queue->scratch);
		backend->queue_close(room->queue);
	}
	if (!room->device)
		return;
	backend->free(room->device, room->decoded);
	backend->free(room->device, room->canvas);
	backend->free(room->device, room->alpha);
	backend->free(room->device, room->dst);
	backend->device_close(room->device);
}

static int correct(struct color_room *room, const struct fvsr_backend *backend,
		   const struct fvsr_color_finish *a, float *picture, const float *canvas,
		   struct fvsr_error *err)
{
	size_t n = (size_t)a->width * a->height;
	struct fvsr_queue *queue = room->queue;
	int result = backend->upload(room->device, room->decoded, FVSR_F32, picture, 3 * n, err);

	if (!result)
		result = backend->upload(room->device, room->canvas, FVSR_CANVAS, canvas, 3 * n,
					 err);
	if (result < 0)
		return result;
	queue->planning = true;
	backend->color_finish(queue, a);
	queue->planning = false;
	if (queue->scratch_bytes) {
		queue->scratch = backend->alloc(room->device, queue->scratch_bytes);
		if (!queue->scratch)
			return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	}
	backend->zero(queue, room->alpha, n);
	backend->color_finish(queue, a);
	backend->download(queue, picture, room->dst, FVSR_F32, 3 * n);
	if (backend->finish(queue) < 0)
		return fvsr_fail(err, queue->error, "%s", queue->message.text);
	return 0;
}

int fvsr_color_correct(const char *backend_name, enum fvsr_color color, int width, int height,
		       float *picture, const float *canvas, struct fvsr_error *err)
{
	const struct fvsr_backend *backend = fvsr_backend_find(backend_name, err);
	struct color_room room = {0};
	struct fvsr_color_finish a = {
		.mode = color,
		.width = width,
		.height = height,
		.pad_width = width,
		.pad_height = height,
		.format = FVSR_FORMAT_RGBF32P,
	};
	int result;

	if (!backend)
		return FVSR_ERR_BACKEND;
	if (width <= 0 || height <= 0 || !picture || !canvas)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "no picture was given");
	result = open_room(&room, backend, (size_t)width * height, err);
	if (!result) {
		a.decoded = room.decoded;
		a.canvas = room.canvas;
		a.alpha = room.alpha;
		a.dst = room.dst;
		result = correct(&room, backend, &a, picture, canvas, err);
	}
	close_room(&room, backend);
	return result;
}
