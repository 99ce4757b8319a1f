/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trunk (section 11): blocks of three 3x3 convolutions on the canvas shrunk to the source's
 * size, four of whose features are joined by a 1x1 convolution. A block's result that is joined
 * goes to its place beside the others at once, so that nothing is copied.
 */
#include "net/run/trunk.h"

#include "model/config.h"

#define LARGEST_TOLD 4.0

int fvsr_trunk_for(const struct fvsr_config *config, double scale)
{
	const int *scales = config->trunk_scales;
	int trunk = 0;

	while (trunk + 1 < fvsr_config_trunks(config) &&
	       2 * scale >= scales[trunk] + scales[trunk + 1])
		trunk++;
	return trunk;
}

int fvsr_trunk_canvas_px(const struct fvsr_config *config, double scale, int px)
{
	int side = config->trunk_scales[fvsr_trunk_for(config, scale)];

	return fvsr_round_up(px, side * FVSR_TRUNK_STEP);
}

static const struct fvsr_trunk_param *param(const struct fvsr_trunk *t)
{
	return &t->ctx->net->trunk[t->index];
}

static int channels_of(const struct fvsr_trunk *t)
{
	return t->ctx->net->config.trunk_channels[t->index];
}

static int blocks_of(const struct fvsr_trunk *t)
{
	return t->ctx->net->config.trunk_blocks[t->index];
}

static int grid_height(const struct fvsr_trunk *t)
{
	return t->ctx->pad_height / t->side;
}

static int grid_width(const struct fvsr_trunk *t)
{
	return t->ctx->pad_width / t->side;
}

/* Returns the bytes of so many channels at every place of the grid. */
static size_t grid_bytes(const struct fvsr_trunk *t, int channels)
{
	return fvsr_act_bytes(t->ctx, (size_t)grid_height(t) * grid_width(t) * channels);
}

void fvsr_trunk_place_work(struct fvsr_trunk *t, struct fvsr_arena *arena)
{
	const struct fvsr_context *ctx = t->ctx;
	int channels = channels_of(t);

	t->input = fvsr_arena_take(arena, grid_bytes(t, FVSR_TRUNK_CHANNELS));
	t->skips = fvsr_arena_take(arena, FVSR_TRUNK_SKIPS * grid_bytes(t, channels));
	for (int i = 0; i < 2; i++) {
		t->x[i] = fvsr_arena_take(arena, grid_bytes(t, channels));
		t->t[i] = fvsr_arena_take(arena, grid_bytes(t, channels));
	}
	t->flat = fvsr_arena_take(arena, grid_bytes(t, 3 * t->side * t->side));
	t->rgb = fvsr_arena_take(arena,
				 (size_t)3 * ctx->pad_height * ctx->pad_width * sizeof(float));
}

static void *skip(const struct fvsr_trunk *t, int i)
{
	return fvsr_at(t->skips, (size_t)i * grid_bytes(t, channels_of(t)));
}

/* Returns where block i of a trunk puts its result: the first's and the last but one's are kept. */
static void *block_result(const struct fvsr_trunk *t, int i)
{
	if (i == 0)
		return skip(t, 1);
	return i == blocks_of(t) - 2 ? skip(t, 2) : t->x[i % 2];
}

static void conv(const struct fvsr_trunk *t, void *dst, const void *src, int cin,
		 const struct fvsr_conv_param *p, const void *residual, enum fvsr_trunk_end end)
{
	const struct fvsr_conv3x3 a = {
		.dst = dst,
		.src = src,
		.weight = p->weight,
		.bias = p->bias,
		.residual = residual,
		.frames = 1,
		.h = grid_height(t),
		.w = grid_width(t),
		.cin = cin,
		.cout = channels_of(t),
		.end = end,
	};

	t->ctx->backend->conv3x3(t->ctx->queue, &a);
}

static void look(const struct fvsr_trunk *t, const void *canvas)
{
	double told = t->scale < 1 ? 1 : t->scale > LARGEST_TOLD ? LARGEST_TOLD : t->scale;
	const struct fvsr_shrink a = {
		.dst = t->input,
		.canvas = canvas,
		.h = grid_height(t),
		.w = grid_width(t),
		.side = t->side,
		.told = (float)(told / LARGEST_TOLD),
	};

	t->ctx->backend->shrink(t->ctx->queue, &a);
}

/* Makes the features that are joined. */
static void blocks(const struct fvsr_trunk *t)
{
	const struct fvsr_trunk_param *p = param(t);
	int channels = channels_of(t);
	const void *x = skip(t, 0);

	conv(t, skip(t, 0), t->input, FVSR_TRUNK_CHANNELS, &p->first, NULL, FVSR_END_NONE);
	for (int i = 0; i < blocks_of(t); i++) {
		const struct fvsr_conv_param *block = p->blocks[i];
		void *result = block_result(t, i);

		conv(t, t->t[0], x, channels, &block[0], NULL, FVSR_END_SILU);
		conv(t, t->t[1], t->t[0], channels, &block[1], NULL, FVSR_END_SILU);
		conv(t, result, t->t[1], channels, &block[2], x, FVSR_END_GATE);
		x = result;
	}
	conv(t, skip(t, 3), x, channels, &p->last, NULL, FVSR_END_NONE);
}

static void join(const struct fvsr_trunk *t)
{
	const struct fvsr_conv_param *p = &param(t)->join;
	int channels = channels_of(t);
	const struct fvsr_mix a = {
		.dst = t->x[0],
		.src = t->skips,
		.weight = p->weight,
		.bias = p->bias,
		.sources = FVSR_TRUNK_SKIPS,
		.h = grid_height(t),
		.w = grid_width(t),
		.cin = channels,
		.cout = channels,
	};

	t->ctx->backend->mix(t->ctx->queue, &a);
}

/* Makes pixels of what was joined. */
static void pixels(const struct fvsr_trunk *t, const void *canvas)
{
	const struct fvsr_conv_param *p = &param(t)->head;
	const struct fvsr_conv3x3 last = {
		.dst = t->flat,
		.src = t->x[0],
		.weight = p->weight,
		.bias = p->bias,
		.frames = 1,
		.h = grid_height(t),
		.w = grid_width(t),
		.cin = channels_of(t),
		.cout = 3 * t->side * t->side,
	};
	const struct fvsr_pixel_shuffle shuffle = {
		.dst = t->rgb,
		.src = t->flat,
		.canvas = canvas,
		.h = last.h,
		.w = last.w,
		.side = t->side,
		.frames = 1,
	};

	t->ctx->backend->conv3x3(t->ctx->queue, &last);
	t->ctx->backend->pixel_shuffle(t->ctx->queue, &shuffle);
}

void fvsr_trunk_frame(const struct fvsr_trunk *t, int64_t n)
{
	const void *canvas = fvsr_canvas(t->canvases, n, n);

	look(t, canvas);
	blocks(t);
	join(t);
	pixels(t, canvas);
	t->finish(t->opaque, n);
}
