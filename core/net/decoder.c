/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tiny conditional decoder (section 7), level by level: a MemBlock looks one frame back at its own
 * input, so all frames of a slice that a level holds go through a layer at once. The upper levels
 * take fewer frames at a time, to bound their memory.
 */
#include "net/arena.h"
#include "net/run.h"

typedef void finish_fn(struct fvsr_run *run, int64_t n, const void *features);

struct level {
	int index, h, w, channels;
	size_t frame; /* bytes of one frame */
};

static struct level level_of(const struct fvsr_run *run, int index)
{
	struct level level = {
		.index = index,
		.h = run->lh << index,
		.w = run->lw << index,
		.channels = run->net->config.dec_channels[index],
	};

	level.frame = fvsr_run_act(run, (size_t)level.h * level.w * level.channels);
	return level;
}

void fvsr_decoder_reset(struct fvsr_run *run)
{
	for (int i = 0; i < 3; i++) {
		struct level level = level_of(run, i);

		for (int j = 0; j < 3; j++)
			run->backend->zero(run->queue, run->decoder.block[i][j], level.frame);
	}
}

/* A 3x3 convolution between buffers of one level. */
static void conv(struct fvsr_run *run, const struct level *level, void *dst, const void *src,
		 int cin, const struct fvsr_conv_param *p, int frames)
{
	struct fvsr_conv3x3 a = {
		.dst = dst, .src = src, .weight = p->weight, .bias = p->bias,
		.frames = frames, .h = level->h, .w = level->w, .cin = cin,
		.cout = level->channels, .relu = true,
	};

	run->backend->conv3x3(run->queue, &a);
}

/* MemBlock j on the frames behind its past; the result goes to 'dst'. */
static void mem_block(struct fvsr_run *run, const struct level *level, int j, int frames,
		      void *dst)
{
	const struct fvsr_conv_param *p = run->net->dec_block[level->index][j];
	struct fvsr_decoder *d = &run->decoder;
	void *past = d->block[level->index][j], *x = fvsr_at(past, level->frame);
	struct fvsr_conv3x3 first = {
		.dst = d->t1[level->index], .src = x, .past = past,
		.weight = p[0].weight, .bias = p[0].bias,
		.frames = frames, .h = level->h, .w = level->w,
		.cin = level->channels, .cout = level->channels, .relu = true,
	};
	struct fvsr_conv3x3 third = {
		.dst = dst, .src = d->t2[level->index], .residual = x,
		.weight = p[2].weight, .bias = p[2].bias,
		.frames = frames, .h = level->h, .w = level->w,
		.cin = level->channels, .cout = level->channels, .relu = true,
	};

	run->backend->conv3x3(run->queue, &first);
	conv(run, level, d->t2[level->index], d->t1[level->index], level->channels, &p[1],
	     frames);
	run->backend->conv3x3(run->queue, &third);
	run->backend->copy(run->queue, past, fvsr_at(past, (size_t)frames * level->frame),
			   level->frame);
}

/* The three MemBlocks of a level; the first finds its input in place, the last leaves it in t1. */
static const void *mem_blocks(struct fvsr_run *run, const struct level *level, int frames)
{
	struct fvsr_decoder *d = &run->decoder;

	for (int j = 0; j < 3; j++)
		mem_block(run, level, j, frames,
			  j < 2 ? fvsr_at(d->block[level->index][j + 1], level->frame)
				: d->t1[level->index]);
	return d->t1[level->index];
}

static void upsample(struct fvsr_run *run, const struct level *from, void *dst, const void *src,
		     int frames, bool relu)
{
	struct fvsr_upsample_conv a = {
		.dst = dst, .src = src, .weight = run->net->dec_up[from->index],
		.frames = frames, .h = from->h, .w = from->w, .cin = from->channels,
		.cout = run->net->config.dec_channels[from->index + 1],
		.grow = fvsr_net_grow(from->index),
		.ksize = fvsr_net_upsample_ksize(&run->net->config),
		.relu = relu,
	};

	run->backend->upsample_conv(run->queue, &a);
}

/* Full size: one frame of level 2 becomes pictures n and n + 1. */
static void top(struct fvsr_run *run, const void *src, int64_t n, int64_t last, finish_fn *finish)
{
	struct level half = level_of(run, 2), full = level_of(run, 3);
	const struct fvsr_conv_param extra = {.weight = run->net->dec_last};
	struct fvsr_decoder *d = &run->decoder;

	if (n + 1 < 0 || n > last)
		return;
	upsample(run, &half, d->top[0], src, 1, true);
	for (int i = 0; i < 2; i++) {
		if (n + i < 0 || n + i > last)
			continue;
		conv(run, &full, d->top[1], fvsr_at(d->top[0], (size_t)i * full.frame),
		     full.channels, &extra, 1);
		finish(run, n + i, d->top[1]);
	}
}

static void decoder_input(struct fvsr_run *run, int64_t s, int frame, int64_t last)
{
	const struct fvsr_config *c = &run->net->config;
	size_t area = (size_t)run->lh * run->lw;
	int place = (int)(s < FVSR_CHUNK0_SLICES ? s : 0);
	struct fvsr_decoder_input a = {
		.dst = fvsr_at(run->decoder.input,
			       fvsr_run_act(run, frame * area * (768 + c->in_dim))),
		.latent = fvsr_at(run->latent, ((size_t)place * 2 + frame) * area * c->in_dim *
						       sizeof(float)),
		.lh = run->lh, .lw = run->lw, .channels = c->in_dim,
	};

	for (int i = 0; i < 4; i++)
		a.canvas[i] = fvsr_run_canvas(run, 8 * s + 4 * frame - 3 + i, last);
	run->backend->decoder_input(run->queue, &a);
}

void fvsr_decoder_slice(struct fvsr_run *run, int64_t s, int64_t last, finish_fn *finish)
{
	struct level eighth = level_of(run, 0), quarter = level_of(run, 1), half = level_of(run, 2);
	struct fvsr_decoder *d = &run->decoder;
	const void *x;

	for (int frame = 0; frame < 2; frame++)
		decoder_input(run, s, frame, last);
	conv(run, &eighth, d->t1[0], d->input, 768 + run->net->config.in_dim, &run->net->dec_in,
	     2);
	conv(run, &eighth, fvsr_at(d->block[0][0], eighth.frame), d->t1[0], eighth.channels,
	     &run->net->dec_extra, 2);
	x = mem_blocks(run, &eighth, 2);
	upsample(run, &eighth, fvsr_at(d->block[1][0], quarter.frame), x, 2, false);
	x = mem_blocks(run, &quarter, 2);
	for (int frame = 0; frame < 2; frame++) {
		const void *pair;

		upsample(run, &quarter, fvsr_at(d->block[2][0], half.frame),
			 fvsr_at(x, (size_t)frame * quarter.frame), 1, false);
		pair = mem_blocks(run, &half, 2);
		for (int i = 0; i < 2; i++)
			top(run, fvsr_at(pair, (size_t)i * half.frame),
			    8 * s - 3 + 4 * frame + 2 * i, last, finish);
	}
}
