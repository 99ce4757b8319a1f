/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eight canvases become the tokens that steer two latent frames (section 4). What a slice keeps
 * of the one before it are two frames of the first convolution's output; the input of that
 * convolution is read from the canvases again.
 */
#include "net/run/projection.h"

#define MIDDLE_PAST   2 /* frames of 'middle' that the slice before has left */
#define MIDDLE_FRAMES 4 /* and those of a slice */

static bool is_v1(const struct fvsr_projection *projection)
{
	return projection->version == FVSR_LQ_V1;
}

static size_t frame_tokens(const struct fvsr_context *ctx)
{
	return (size_t)ctx->h * ctx->w;
}

static size_t input_bytes(const struct fvsr_context *ctx)
{
	return fvsr_act_bytes(ctx, frame_tokens(ctx) * FVSR_TOKEN_SAMPLES);
}

static size_t middle_bytes(const struct fvsr_context *ctx)
{
	return fvsr_act_bytes(ctx, frame_tokens(ctx) * ctx->net->config.lq_hidden1);
}

void fvsr_projection_place(struct fvsr_projection *projection, struct fvsr_arena *arena)
{
	const struct fvsr_context *ctx = projection->ctx;
	const struct fvsr_config *c = &ctx->net->config;
	size_t tokens = FVSR_CHUNK0_SLICES * (size_t)ctx->rows;

	projection->middle =
		fvsr_arena_take(arena, (MIDDLE_PAST + MIDDLE_FRAMES) * middle_bytes(ctx));
	for (int i = 0; i < c->lq_layers; i++)
		projection->tokens[i] =
			fvsr_arena_take(arena, fvsr_act_bytes(ctx, tokens * c->dim));
}

void fvsr_projection_place_work(struct fvsr_projection *projection, struct fvsr_arena *arena)
{
	const struct fvsr_context *ctx = projection->ctx;
	size_t output = (size_t)ctx->rows * ctx->net->config.lq_hidden2;

	projection->input = fvsr_arena_take(arena, FVSR_CLIP_FRAMES * input_bytes(ctx));
	projection->output = fvsr_arena_take(arena, fvsr_act_bytes(ctx, output));
}

static void unshuffle(const struct fvsr_projection *projection, int place, const void *canvas)
{
	const struct fvsr_context *ctx = projection->ctx;

	ctx->backend->unshuffle(ctx->queue, fvsr_at(projection->input, place * input_bytes(ctx)),
				canvas, ctx->h, ctx->w);
}

/* Makes 'outputs' frames of 'middle' from 'place' on, each of the four frames that 'taps' names. */
static void conv1(const struct fvsr_projection *projection, int place, int outputs,
		  const int (*taps)[4])
{
	const struct fvsr_context *ctx = projection->ctx;
	const struct fvsr_net *net = ctx->net;
	struct fvsr_conv_frames a = {
		.dst = fvsr_at(projection->middle, place * middle_bytes(ctx)),
		.src = projection->input,
		.weight = net->lq_conv1.weight,
		.bias = net->lq_conv1.bias,
		.outputs = outputs,
		.h = ctx->h,
		.w = ctx->w,
		.cin = FVSR_TOKEN_SAMPLES,
		.cout = net->config.lq_hidden1,
	};

	for (int i = 0; i < outputs; i++)
		for (int t = 0; t < 4; t++)
			a.taps[i][t] = taps[i][t];
	ctx->backend->conv_frames(ctx->queue, &a);
	ctx->backend->rms_silu(ctx->queue, a.dst, a.dst, net->lq_gamma1, outputs * ctx->h * ctx->w,
			       a.cout);
}

static void conv2(const struct fvsr_projection *projection)
{
	const struct fvsr_context *ctx = projection->ctx;
	const struct fvsr_net *net = ctx->net;
	struct fvsr_conv_frames a = {
		.dst = projection->output,
		.src = projection->middle,
		.weight = net->lq_conv2.weight,
		.bias = net->lq_conv2.bias,
		.outputs = FVSR_SLICE_LATENTS,
		.h = ctx->h,
		.w = ctx->w,
		.cin = net->config.lq_hidden1,
		.cout = net->config.lq_hidden2,
		.taps = {{0, 1, 2, 3}, {2, 3, 4, 5}},
	};

	if (is_v1(projection)) {
		a.taps[0][0] = 2, a.taps[0][1] = 3;
		a.taps[1][0] = 4, a.taps[1][1] = 5;
	}
	ctx->backend->conv_frames(ctx->queue, &a);
	ctx->backend->rms_silu(ctx->queue, a.dst, a.dst, net->lq_gamma2, ctx->rows, a.cout);
}

/* Keeps what the next slice finds before its own frames: the last two of this one. */
static void keep_middle(const struct fvsr_projection *projection)
{
	const struct fvsr_context *ctx = projection->ctx;
	size_t frame = middle_bytes(ctx);

	ctx->backend->copy(ctx->queue, projection->middle,
			   fvsr_at(projection->middle, MIDDLE_FRAMES * frame), MIDDLE_PAST * frame);
}

/* Makes a slice's tokens for each layer that receives some. */
static void linears(const struct fvsr_projection *projection, int place)
{
	const struct fvsr_context *ctx = projection->ctx;
	const struct fvsr_config *c = &ctx->net->config;
	size_t slice = fvsr_act_bytes(ctx, (size_t)ctx->rows * c->dim);

	for (int layer = 0; layer < c->lq_layers; layer++) {
		const struct fvsr_linear_param *p = &ctx->net->lq_linear[layer];
		struct fvsr_linear a = {
			.y = fvsr_at(projection->tokens[layer], place * slice),
			.x = projection->output,
			.weight = p->weight,
			.bias = p->bias,
			.m = ctx->rows,
			.n = p->n,
			.k = p->k,
			.activation = FVSR_ACT_NONE,
		};

		ctx->backend->linear(ctx->queue, &a);
	}
}

void fvsr_projection_slice(const struct fvsr_projection *projection, int64_t s, int64_t last)
{
	static const int priming[2][4] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
	static const int v1_1[4][4] = {{0, 1, 2, 3}, {2, 3, 4, 5}, {4, 5, 6, 7}, {6, 7, 8, 9}};
	static const int v1[4][4] = {{4, 5, 2, 3}, {2, 3, 4, 5}, {8, 9, 6, 7}, {6, 7, 8, 9}};

	for (int i = 0; i < FVSR_CLIP_FRAMES; i++)
		unshuffle(projection, i,
			  fvsr_canvas(projection->canvases, fvsr_slice_first_read(s) + i, last));
	/* The priming clip is frame 0 only, which places 0 and 1 hold. */
	if (s == 0 && !is_v1(projection))
		conv1(projection, 0, MIDDLE_PAST, priming);
	conv1(projection, MIDDLE_PAST, MIDDLE_FRAMES, is_v1(projection) ? v1 : v1_1);
	conv2(projection);
	keep_middle(projection);
	linears(projection, fvsr_slice_place(s));
}
