/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A frame is scaled and put on its canvas when it arrives (sections 1 and 3). Its canvas stays as
 * long as the projection, the decoder or colour correction may ask for it.
 */
#include "net/run/canvas.h"

static size_t canvas_bytes(const struct fvsr_context *ctx)
{
	return (size_t)3 * ctx->pad_width * ctx->pad_height * ctx->backend->canvas_bytes;
}

static size_t alpha_bytes(const struct fvsr_context *ctx)
{
	return (size_t)ctx->width * ctx->height;
}

void fvsr_canvases_place(struct fvsr_canvases *canvases, struct fvsr_arena *arena)
{
	canvases->canvas =
		fvsr_arena_take(arena, (size_t)canvases->count * canvas_bytes(canvases->ctx));
	canvases->alpha =
		fvsr_arena_take(arena, (size_t)canvases->count * alpha_bytes(canvases->ctx));
}

void *fvsr_canvas(const struct fvsr_canvases *canvases, int64_t n, int64_t last)
{
	size_t place = (size_t)(fvsr_frame_within(n, last) % canvases->count);

	return fvsr_at(canvases->canvas, place * canvas_bytes(canvases->ctx));
}

void *fvsr_canvas_alpha(const struct fvsr_canvases *canvases, int64_t n)
{
	return fvsr_at(canvases->alpha, (size_t)(n % canvases->count) * alpha_bytes(canvases->ctx));
}

void fvsr_canvases_ingest(const struct fvsr_canvases *canvases, int64_t n,
			  const struct fvsr_picture *picture)
{
	const struct fvsr_context *ctx = canvases->ctx;
	struct fvsr_ingest a = {
		.src = picture,
		.canvas = fvsr_canvas(canvases, n, n),
		.alpha = fvsr_canvas_alpha(canvases, n),
		.width = ctx->width,
		.height = ctx->height,
		.pad_width = ctx->pad_width,
		.pad_height = ctx->pad_height,
	};

	ctx->backend->ingest(ctx->queue, &a);
}
