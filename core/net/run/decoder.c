/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tiny conditional decoder (section 7), level by level: a MemBlock looks one frame back at its
 * own input, so all frames of a slice that a level holds go through a layer at once. The upper
 * levels take fewer frames at a time, to bound their memory; a lean decoder takes single frames
 * everywhere, and the largest level in strips of rows. A level without MemBlocks hands its input
 * on.
 */
#include "net/run/decoder.h"

#include "model/config.h"

#define LEAN_STRIPS 8
#define STRIP_EDGE  2 /* rows of the level below that a strip's three convolutions reach across */

struct level {
	int index, h, w, channels;
	size_t frame; /* bytes of one frame */
};

static struct level level_of(const struct fvsr_decoder *d, int index)
{
	struct level level = {
		.index = index,
		.h = d->ctx->lh << index,
		.w = d->ctx->lw << index,
		.channels = d->ctx->net->config.dec_channels[index],
	};

	level.frame = fvsr_act_bytes(d->ctx, (size_t)level.h * level.w * level.channels);
	return level;
}

static int input_channels(const struct fvsr_decoder *d)
{
	return FVSR_CONDITION_SAMPLES + d->ctx->net->config.in_dim;
}

/* Returns the bytes of one frame of the input. */
static size_t input_bytes(const struct fvsr_decoder *d)
{
	return fvsr_act_bytes(d->ctx, (size_t)d->ctx->lh * d->ctx->lw * input_channels(d));
}

/* Returns how many frames a level works on at once. */
static int frames_at_once(const struct fvsr_decoder *d)
{
	return d->lean ? 1 : 2;
}

static int strips(const struct fvsr_decoder *d)
{
	return d->lean ? LEAN_STRIPS : 1;
}

/* Returns how many rows of the level below (1/2) make the largest strip with its edges. */
static int strip_rows(const struct fvsr_decoder *d)
{
	int rows = d->ctx->pad_height / 2 / strips(d);

	return strips(d) == 1 ? rows : rows + 2 * STRIP_EDGE;
}

/* A MemBlock looks one frame of its level back, of which level 1/2 has two for a latent frame. */
int fvsr_decoder_past(const struct fvsr_config *config)
{
	return config->dec_blocks[0] + config->dec_blocks[1] + (config->dec_blocks[2] + 1) / 2;
}

static void place_top(struct fvsr_decoder *d, struct fvsr_arena *arena)
{
	const struct fvsr_config *c = &d->ctx->net->config;
	size_t area = (size_t)2 * strip_rows(d) * d->ctx->pad_width;

	for (int i = 0; i < 2; i++)
		d->top[i] =
			fvsr_arena_take(arena, fvsr_act_bytes(d->ctx, area * c->dec_channels[3]));
	if (strips(d) == 1)
		return;
	d->strip_rgb = fvsr_arena_take(arena, 3 * area * sizeof(float));
	d->strip_canvas = fvsr_arena_take(arena, 3 * area * d->ctx->backend->canvas_bytes);
}

static void place_flat(struct fvsr_decoder *d, struct fvsr_arena *arena)
{
	const struct fvsr_config *c = &d->ctx->net->config;
	struct level last = level_of(d, c->dec_levels - 1);

	d->flat =
		fvsr_arena_take(arena, fvsr_act_bytes(d->ctx, (size_t)last.h * last.w *
								      fvsr_config_rgb_channels(c)));
}

void fvsr_decoder_place(struct fvsr_decoder *d, struct fvsr_arena *arena)
{
	const struct fvsr_config *c = &d->ctx->net->config;
	size_t frames = (size_t)frames_at_once(d);

	for (int i = 0; i < 3 && i < c->dec_levels; i++)
		for (int j = 0; j < c->dec_blocks[i]; j++)
			d->block[i][j] =
				fvsr_arena_take(arena, (1 + frames) * level_of(d, i).frame);
}

void fvsr_decoder_place_work(struct fvsr_decoder *d, struct fvsr_arena *arena)
{
	const struct fvsr_context *ctx = d->ctx;
	const struct fvsr_config *c = &ctx->net->config;
	size_t frames = (size_t)frames_at_once(d);

	d->input = fvsr_arena_take(arena, frames * input_bytes(d));
	for (int i = 0; i < 3 && i < c->dec_levels; i++) {
		size_t frame = level_of(d, i).frame;

		d->t1[i] = fvsr_arena_take(arena, frames * frame);
		d->t2[i] = fvsr_arena_take(arena, frames * frame);
	}
	if (c->dec_levels == FVSR_DEC_LEVELS)
		place_top(d, arena);
	else
		place_flat(d, arena);
	d->rgb = fvsr_arena_take(arena,
				 (size_t)3 * ctx->pad_height * ctx->pad_width * sizeof(float));
}

void fvsr_decoder_reset(const struct fvsr_decoder *d)
{
	const struct fvsr_config *c = &d->ctx->net->config;

	for (int i = 0; i < 3 && i < c->dec_levels; i++)
		for (int j = 0; j < c->dec_blocks[i]; j++)
			d->ctx->backend->zero(d->ctx->queue, d->block[i][j], level_of(d, i).frame);
}

/* Returns where a level wants its input: behind its first MemBlock's past, or as its output. */
static void *level_input(const struct fvsr_decoder *d, const struct level *level)
{
	if (!d->ctx->net->config.dec_blocks[level->index])
		return d->t2[level->index];
	return fvsr_at(d->block[level->index][0], level->frame);
}

/* Convolves 3x3 between buffers of one level. */
static void conv(const struct fvsr_decoder *d, const struct level *level, void *dst,
		 const void *src, int cin, const struct fvsr_conv_param *p, int frames)
{
	struct fvsr_conv3x3 a = {
		.dst = dst,
		.src = src,
		.weight = p->weight,
		.bias = p->bias,
		.frames = frames,
		.h = level->h,
		.w = level->w,
		.cin = cin,
		.cout = level->channels,
		.relu = true,
	};

	d->ctx->backend->conv3x3(d->ctx->queue, &a);
}

/* Runs MemBlock j on the frames behind its past; the result goes to 'dst'. */
static void mem_block(const struct fvsr_decoder *d, const struct level *level, int j, int frames,
		      void *dst)
{
	const struct fvsr_conv_param *p = d->ctx->net->dec_block[level->index][j];
	void *past = d->block[level->index][j], *x = fvsr_at(past, level->frame);
	struct fvsr_conv3x3 first = {
		.dst = d->t1[level->index],
		.src = x,
		.past = past,
		.weight = p[0].weight,
		.bias = p[0].bias,
		.frames = frames,
		.h = level->h,
		.w = level->w,
		.cin = level->channels,
		.cout = level->channels,
		.relu = true,
	};
	struct fvsr_conv3x3 third = {
		.dst = dst,
		.src = d->t2[level->index],
		.residual = x,
		.weight = p[2].weight,
		.bias = p[2].bias,
		.frames = frames,
		.h = level->h,
		.w = level->w,
		.cin = level->channels,
		.cout = level->channels,
		.relu = true,
	};

	d->ctx->backend->conv3x3(d->ctx->queue, &first);
	conv(d, level, d->t2[level->index], d->t1[level->index], level->channels, &p[1], frames);
	d->ctx->backend->conv3x3(d->ctx->queue, &third);
	d->ctx->backend->copy(d->ctx->queue, past, fvsr_at(past, (size_t)frames * level->frame),
			      level->frame);
}

/* Runs the MemBlocks of a level, whose first finds its input in place; returns the result. */
static const void *mem_blocks(const struct fvsr_decoder *d, const struct level *level, int frames)
{
	int blocks = d->ctx->net->config.dec_blocks[level->index];

	for (int j = 0; j < blocks; j++)
		mem_block(d, level, j, frames,
			  j < blocks - 1 ? fvsr_at(d->block[level->index][j + 1], level->frame)
					 : d->t1[level->index]);
	fvsr_breathe(d->ctx);
	return blocks ? d->t1[level->index] : level_input(d, level);
}

/* Makes 'count' of the frames that each frame becomes, from 'first' on. */
static void upsample(const struct fvsr_decoder *d, const struct level *from, void *dst,
		     const void *src, int frames, int first, int count)
{
	const struct fvsr_config *c = &d->ctx->net->config;
	int ksize = fvsr_net_upsample_ksize(c), cout = c->dec_channels[from->index + 1];
	size_t phases = fvsr_act_bytes(d->ctx, (size_t)4 * cout * ksize * ksize * from->channels);
	struct fvsr_upsample_conv a = {
		.dst = dst,
		.src = src,
		.weight = fvsr_at(d->ctx->net->dec_up[from->index], (size_t)first * phases),
		.frames = frames,
		.h = from->h,
		.w = from->w,
		.cin = from->channels,
		.cout = cout,
		.grow = count,
		.ksize = ksize,
		.relu = from->index == 2,
	};

	d->ctx->backend->upsample_conv(d->ctx->queue, &a);
}

/* A part of full size, in rows of the level below. */
struct strip {
	int first, rows;   /* computed: what is wanted, and edges that are not to be trusted */
	int wanted, count; /* of them */
};

static struct strip strip_at(const struct fvsr_decoder *d, int i)
{
	int all = d->ctx->pad_height / 2, rows = all / strips(d); /* a multiple of 64 in 8 */
	int begin = i * rows, end = begin + rows;
	int first = begin > STRIP_EDGE ? begin - STRIP_EDGE : 0;
	int last = end + STRIP_EDGE < all ? end + STRIP_EDGE : all;

	return (struct strip){
		.first = first,
		.rows = last - first,
		.wanted = begin,
		.count = end - begin,
	};
}

static void conv_rgb(const struct fvsr_decoder *d, void *dst, const void *canvas, int h)
{
	const struct fvsr_conv_rgb a = {
		.dst = dst,
		.src = d->top[1],
		.weight = d->ctx->net->dec_rgb.weight,
		.bias = d->ctx->net->dec_rgb.bias,
		.canvas = canvas,
		.h = h,
		.w = d->ctx->pad_width,
		.cin = d->ctx->net->config.dec_channels[3],
	};

	d->ctx->backend->conv_rgb(d->ctx->queue, &a);
}

/* Copies full rows between planes of a picture (or canvas) and of a strip. */
static void copy_rows(const struct fvsr_decoder *d, void *dst, size_t dst_plane, const void *src,
		      size_t src_plane, size_t bytes)
{
	for (size_t i = 0; i < 3; i++)
		d->ctx->backend->copy(d->ctx->queue, fvsr_at(dst, i * dst_plane),
				      fvsr_at(src, i * src_plane), bytes);
}

/* Does the last convolution of one of several strips, by way of buffers of its size. */
static void strip_rgb(const struct fvsr_decoder *d, const struct strip *s, const void *canvas)
{
	size_t row = (size_t)2 * d->ctx->pad_width, all = (size_t)d->ctx->pad_height / 2 * row;
	size_t rows = (size_t)s->rows * row, wanted = (size_t)s->wanted * row;
	size_t sample = d->ctx->backend->canvas_bytes, first = (size_t)s->first * row;

	if (canvas)
		copy_rows(d, d->strip_canvas, rows * sample, fvsr_at(canvas, first * sample),
			  all * sample, rows * sample);
	conv_rgb(d, d->strip_rgb, canvas ? d->strip_canvas : NULL, 2 * s->rows);
	copy_rows(d, fvsr_at(d->rgb, wanted * sizeof(float)), all * sizeof(float),
		  fvsr_at(d->strip_rgb, (wanted - first) * sizeof(float)), rows * sizeof(float),
		  (size_t)s->count * row * sizeof(float));
}

/* Makes the first or second picture of a frame of level 2 in full size, in 'rgb'. */
static void top(const struct fvsr_decoder *d, const void *src, int which, const void *canvas)
{
	const struct fvsr_conv_param extra = {.weight = d->ctx->net->dec_last};
	struct level half = level_of(d, 2), full = level_of(d, 3);
	size_t half_row = half.frame / (size_t)half.h;

	for (int i = 0; i < strips(d); i++) {
		struct strip s = strip_at(d, i);

		half.h = s.rows, full.h = 2 * s.rows;
		upsample(d, &half, d->top[0], fvsr_at(src, (size_t)s.first * half_row), 1, which,
			 1);
		conv(d, &full, d->top[1], d->top[0], full.channels, &extra, 1);
		if (strips(d) == 1)
			conv_rgb(d, d->rgb, canvas, full.h);
		else
			strip_rgb(d, &s, canvas);
	}
}

/* Returns the canvas that decoded values are added to, or NULL where they are the picture. */
static const void *residual(const struct fvsr_decoder *d, int64_t n)
{
	return d->ctx->net->config.residual ? fvsr_canvas(d->canvases, n, n) : NULL;
}

/* Makes pictures n and n + 1 of a frame of level 2. */
static void pictures(const struct fvsr_decoder *d, const void *src, int64_t n, int64_t last)
{
	for (int i = 0; i < 2; i++) {
		if (!fvsr_frame_exists(n + i, last))
			continue;
		top(d, src, i, residual(d, n + i));
		d->finish(d->opaque, n + i);
	}
}

/* Makes pictures n, n + 1, .. of a decoder of fewer levels: one convolution has all pixels. */
static void flat_pictures(const struct fvsr_decoder *d, const struct level *level, const void *src,
			  int64_t n, int64_t last)
{
	const struct fvsr_config *c = &d->ctx->net->config;
	const struct fvsr_conv_param *p = &d->ctx->net->dec_rgb;
	struct fvsr_conv3x3 conv = {
		.dst = d->flat,
		.src = src,
		.weight = p->weight,
		.bias = p->bias,
		.frames = 1,
		.h = level->h,
		.w = level->w,
		.cin = level->channels,
		.cout = fvsr_config_rgb_channels(c),
	};
	struct fvsr_pixel_shuffle shuffle = {
		.dst = d->rgb,
		.src = d->flat,
		.h = level->h,
		.w = level->w,
		.side = fvsr_config_rgb_side(c),
		.frames = fvsr_config_rgb_frames(c),
	};

	if (n + shuffle.frames <= 0 || n > last)
		return;
	d->ctx->backend->conv3x3(d->ctx->queue, &conv);
	for (int i = 0; i < shuffle.frames; i++) {
		if (!fvsr_frame_exists(n + i, last))
			continue;
		shuffle.frame = i;
		shuffle.canvas = residual(d, n + i);
		d->ctx->backend->pixel_shuffle(d->ctx->queue, &shuffle);
		d->finish(d->opaque, n + i);
	}
}

/* Joins the canvases of latent frame 'frame' of slice s and the frame, in its slice's latents. */
static void decoder_input(const struct fvsr_decoder *d, void *dst, const void *latent, int64_t s,
			  int frame, int64_t last)
{
	const struct fvsr_context *ctx = d->ctx;
	struct fvsr_decoder_input a = {
		.dst = dst,
		.latent = fvsr_at(latent, frame * fvsr_latent_bytes(ctx) / FVSR_SLICE_LATENTS),
		.lh = ctx->lh,
		.lw = ctx->lw,
		.channels = ctx->net->config.in_dim,
	};

	for (int i = 0; i < FVSR_LATENT_FRAMES; i++)
		a.canvas[i] = fvsr_canvas(d->canvases, fvsr_latent_picture(s, frame) + i, last);
	ctx->backend->decoder_input(ctx->queue, &a);
}

/* Makes two frames of level 2 of frame 'x' of level 1, and their pictures from n on. */
static void upper_levels(const struct fvsr_decoder *d, const void *x, int64_t n, int64_t last)
{
	struct level quarter = level_of(d, 1), half = level_of(d, 2);
	int step = frames_at_once(d);

	for (int first = 0; first < 2; first += step) {
		const void *y;

		upsample(d, &quarter, level_input(d, &half), x, 1, first, step);
		y = mem_blocks(d, &half, step);
		for (int i = 0; i < step; i++, n += 2, y = fvsr_at(y, half.frame))
			if (d->ctx->net->config.dec_levels == 3)
				flat_pictures(d, &half, y, n, last);
			else
				pictures(d, y, n, last);
	}
}

/* Decodes latent frame 'first' of slice s, and the next if frames go together. */
static void lower_levels(const struct fvsr_decoder *d, const void *latent, int64_t s, int first,
			 int64_t last)
{
	struct level eighth = level_of(d, 0), quarter = level_of(d, 1);
	const struct fvsr_net *net = d->ctx->net;
	int64_t n = fvsr_latent_picture(s, first);
	int frames = frames_at_once(d);
	const void *x;

	for (int i = 0; i < frames; i++)
		decoder_input(d, fvsr_at(d->input, (size_t)i * input_bytes(d)), latent, s,
			      first + i, last);
	conv(d, &eighth, d->t1[0], d->input, input_channels(d), &net->dec_in, frames);
	conv(d, &eighth, level_input(d, &eighth), d->t1[0], eighth.channels, &net->dec_extra,
	     frames);
	x = mem_blocks(d, &eighth, frames);
	upsample(d, &eighth, level_input(d, &quarter), x, frames, 0, 1);
	x = mem_blocks(d, &quarter, frames);
	for (int i = 0; i < frames; i++, n += FVSR_LATENT_FRAMES, x = fvsr_at(x, quarter.frame))
		if (net->config.dec_levels == 2)
			flat_pictures(d, &quarter, x, n, last);
		else
			upper_levels(d, x, n, last);
}

void fvsr_decoder_slice(const struct fvsr_decoder *d, const void *latent, int64_t s, int64_t last)
{
	for (int first = 0; first < FVSR_SLICE_LATENTS; first += frames_at_once(d))
		lower_levels(d, latent, s, first, last);
}
