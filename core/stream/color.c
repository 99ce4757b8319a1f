/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Colour correction on its own (section 8), for verification and for callers that need nothing
 * else.
 */
#include "backend/backend.h"

/* Device and buffers of one colour correction. */
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
	const struct fvsr_backend *backend;
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

	if (width <= 0 || height <= 0 || !picture || !canvas)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "no picture was given");
	/* There is no model here that could say which correction suits it. */
	if (color < FVSR_COLOR_ADAIN || color > FVSR_COLOR_OFF)
		return fvsr_fail(err, FVSR_ERR_ARGUMENT, "no colour correction was named");
	backend = fvsr_backend_find(backend_name, err);
	if (!backend)
		return FVSR_ERR_BACKEND;
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
