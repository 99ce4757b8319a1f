/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tiny conditional decoder (section 7), level by level: a MemBlock looks one frame back at its own
 * input, so all frames of a slice that a level holds go through a layer at once. The upper levels
 * take fewer frames at a time, to bound their memory; a lean run takes single frames everywhere,
 * and the largest level in strips of rows. A level without MemBlocks hands its input on.
 */
#include "model/config.h"
#include "net/run/arena.h"
#include "net/run/run.h"

#define LEAN_STRIPS 8
#define STRIP_EDGE  2 /* rows of the level below that a strip's three convolutions reach across */

typedef void finish_fn(struct fvsr_run *run, int64_t n);

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

/* Frames that a level works on at once. */
static int frames_at_once(const struct fvsr_run *run)
{
	return run->lean ? 1 : 2;
}

static int strips(const struct fvsr_run *run)
{
	return run->lean ? LEAN_STRIPS : 1;
}

/* Rows of the level below (1/2) that make the largest strip, its edges included. */
static int strip_rows(const struct fvsr_run *run)
{
	int rows = run->pad_height / 2 / strips(run);

	return strips(run) == 1 ? rows : rows + 2 * STRIP_EDGE;
}

static void place_top(struct fvsr_run *run, struct fvsr_arena *arena)
{
	const struct fvsr_config *c = &run->net->config;
	size_t area = (size_t)2 * strip_rows(run) * run->pad_width;
	struct fvsr_decoder *d = &run->decoder;

	for (int i = 0; i < 2; i++)
		d->top[i] = fvsr_arena_take(arena, fvsr_run_act(run, area * c->dec_channels[3]));
	if (strips(run) == 1)
		return;
	d->strip_rgb = fvsr_arena_take(arena, 3 * area * sizeof(float));
	d->strip_canvas = fvsr_arena_take(arena, 3 * area * run->backend->canvas_bytes);
}

static void place_flat(struct fvsr_run *run, struct fvsr_arena *arena)
{
	const struct fvsr_config *c = &run->net->config;
	struct level last = level_of(run, c->dec_levels - 1);

	run->decoder.flat = fvsr_arena_take(
		arena, fvsr_run_act(run, (size_t)last.h * last.w * fvsr_config_rgb_channels(c)));
}

void fvsr_decoder_place(struct fvsr_run *run, struct fvsr_arena *arena, bool work)
{
	const struct fvsr_config *c = &run->net->config;
	size_t frames = (size_t)frames_at_once(run);
	struct fvsr_decoder *d = &run->decoder;

	if (work)
		d->input = fvsr_arena_take(
			arena, fvsr_run_act(run, frames * run->lh * run->lw * (768 + c->in_dim)));
	for (int i = 0; i < 3 && i < c->dec_levels; i++) {
		size_t frame = level_of(run, i).frame;

		for (int j = 0; j < c->dec_blocks[i] && !work; j++)
			d->block[i][j] = fvsr_arena_take(arena, (1 + frames) * frame);
		if (work) {
			d->t1[i] = fvsr_arena_take(arena, frames * frame);
			d->t2[i] = fvsr_arena_take(arena, frames * frame);
		}
	}
	if (!work)
		return;
	if (c->dec_levels == FVSR_DEC_LEVELS)
		place_top(run, arena);
	else
		place_flat(run, arena);
	d->rgb = fvsr_arena_take(arena,
				 (size_t)3 * run->pad_height * run->pad_width * sizeof(float));
}

void fvsr_decoder_reset(struct fvsr_run *run)
{
	const struct fvsr_config *c = &run->net->config;

	for (int i = 0; i < 3 && i < c->dec_levels; i++)
		for (int j = 0; j < c->dec_blocks[i]; j++)
			run->backend->zero(run->queue, run->decoder.block[i][j],
					   level_of(run, i).frame);
}

/* Where a level wants its input: before its first MemBlock's past, or where it is the output. */
static void *level_input(const struct fvsr_run *run, const struct level *level)
{
	const struct fvsr_decoder *d = &run->decoder;

	if (!run->net->config.dec_blocks[level->index])
		return d->t2[level->index];
	return fvsr_at(d->block[level->index][0], level->frame);
}

/* A 3x3 convolution between buffers of one level. */
static void conv(struct fvsr_run *run, const struct level *level, void *dst, const void *src,
		 int cin, const struct fvsr_conv_param *p, int frames)
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

	run->backend->conv3x3(run->queue, &a);
}

/* MemBlock j on the frames behind its past; the result goes to 'dst'. */
static void mem_block(struct fvsr_run *run, const struct level *level, int j, int frames, void *dst)
{
	const struct fvsr_conv_param *p = run->net->dec_block[level->index][j];
	struct fvsr_decoder *d = &run->decoder;
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

	run->backend->conv3x3(run->queue, &first);
	conv(run, level, d->t2[level->index], d->t1[level->index], level->channels, &p[1], frames);
	run->backend->conv3x3(run->queue, &third);
	run->backend->copy(run->queue, past, fvsr_at(past, (size_t)frames * level->frame),
			   level->frame);
}

/* The MemBlocks of a level, of which the first finds its input in place; returns the result. */
static const void *mem_blocks(struct fvsr_run *run, const struct level *level, int frames)
{
	int blocks = run->net->config.dec_blocks[level->index];
	struct fvsr_decoder *d = &run->decoder;

	for (int j = 0; j < blocks; j++)
		mem_block(run, level, j, frames,
			  j < blocks - 1 ? fvsr_at(d->block[level->index][j + 1], level->frame)
					 : d->t1[level->index]);
	fvsr_run_breathe(run);
	return blocks ? d->t1[level->index] : level_input(run, level);
}

/* Of the frames that one becomes, 'count' from 'first' on. */
static void upsample(struct fvsr_run *run, const struct level *from, void *dst, const void *src,
		     int frames, int first, int count)
{
	const struct fvsr_config *c = &run->net->config;
	int ksize = fvsr_net_upsample_ksize(c), cout = c->dec_channels[from->index + 1];
	size_t phases = fvsr_run_act(run, (size_t)4 * cout * ksize * ksize * from->channels);
	struct fvsr_upsample_conv a = {
		.dst = dst,
		.src = src,
		.weight = fvsr_at(run->net->dec_up[from->index], (size_t)first * phases),
		.frames = frames,
		.h = from->h,
		.w = from->w,
		.cin = from->channels,
		.cout = cout,
		.grow = count,
		.ksize = ksize,
		.relu = from->index == 2,
	};

	run->backend->upsample_conv(run->queue, &a);
}

/* A part of full size, in rows of the level below. */
struct strip {
	int first, rows;   /* computed: what is wanted, and edges that are not to be trusted */
	int wanted, count; /* of them */
};

static struct strip strip_at(const struct fvsr_run *run, int i)
{
	int all = run->pad_height / 2, rows = all / strips(run); /* a multiple of 64 in 8 */
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

static void conv_rgb(struct fvsr_run *run, void *dst, const void *canvas, int h)
{
	const struct fvsr_conv_rgb a = {
		.dst = dst,
		.src = run->decoder.top[1],
		.weight = run->net->dec_rgb.weight,
		.bias = run->net->dec_rgb.bias,
		.canvas = canvas,
		.h = h,
		.w = run->pad_width,
		.cin = run->net->config.dec_channels[3],
	};

	run->backend->conv_rgb(run->queue, &a);
}

/* Full rows between planes of a picture (or canvas) and of a strip. */
static void copy_rows(struct fvsr_run *run, void *dst, size_t dst_plane, const void *src,
		      size_t src_plane, size_t bytes)
{
	for (size_t i = 0; i < 3; i++)
		run->backend->copy(run->queue, fvsr_at(dst, i * dst_plane),
				   fvsr_at(src, i * src_plane), bytes);
}

/* The last convolution of one of several strips, by way of buffers of its size. */
static void strip_rgb(struct fvsr_run *run, const struct strip *s, const void *canvas)
{
	struct fvsr_decoder *d = &run->decoder;
	size_t row = (size_t)2 * run->pad_width, all = (size_t)run->pad_height / 2 * row;
	size_t rows = (size_t)s->rows * row, wanted = (size_t)s->wanted * row;
	size_t sample = run->backend->canvas_bytes, first = (size_t)s->first * row;

	if (canvas)
		copy_rows(run, d->strip_canvas, rows * sample, fvsr_at(canvas, first * sample),
			  all * sample, rows * sample);
	conv_rgb(run, d->strip_rgb, canvas ? d->strip_canvas : NULL, 2 * s->rows);
	copy_rows(run, fvsr_at(d->rgb, wanted * sizeof(float)), all * sizeof(float),
		  fvsr_at(d->strip_rgb, (wanted - first) * sizeof(float)), rows * sizeof(float),
		  (size_t)s->count * row * sizeof(float));
}

/* Full size: the first or second picture of a frame of level 2 goes to 'rgb'. */
static void top(struct fvsr_run *run, const void *src, int which, const void *canvas)
{
	const struct fvsr_conv_param extra = {.weight = run->net->dec_last};
	struct level half = level_of(run, 2), full = level_of(run, 3);
	struct fvsr_decoder *d = &run->decoder;
	size_t half_row = half.frame / (size_t)half.h;

	for (int i = 0; i < strips(run); i++) {
		struct strip s = strip_at(run, i);

		half.h = s.rows, full.h = 2 * s.rows;
		upsample(run, &half, d->top[0], fvsr_at(src, (size_t)s.first * half_row), 1, which,
			 1);
		conv(run, &full, d->top[1], d->top[0], full.channels, &extra, 1);
		if (strips(run) == 1)
			conv_rgb(run, d->rgb, canvas, full.h);
		else
			strip_rgb(run, &s, canvas);
	}
}

static bool wanted(int64_t n, int64_t last)
{
	return n >= 0 && n <= last;
}

static const void *residual(const struct fvsr_run *run, int64_t n)
{
	return run->net->config.residual ? fvsr_run_canvas(run, n, n) : NULL;
}

/* Pictures n and n + 1 of a frame of level 2. */
static void pictures(struct fvsr_run *run, const void *src, int64_t n, int64_t last,
		     finish_fn *finish)
{
	for (int i = 0; i < 2; i++) {
		if (!wanted(n + i, last))
			continue;
		top(run, src, i, residual(run, n + i));
		finish(run, n + i);
	}
}

/* Fewer levels: one convolution of one frame makes all pixels of pictures n, n + 1, .. */
static void flat_pictures(struct fvsr_run *run, const struct level *level, const void *src,
			  int64_t n, int64_t last, finish_fn *finish)
{
	const struct fvsr_config *c = &run->net->config;
	const struct fvsr_conv_param *p = &run->net->dec_rgb;
	struct fvsr_conv3x3 conv = {
		.dst = run->decoder.flat,
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
		.dst = run->decoder.rgb,
		.src = run->decoder.flat,
		.h = level->h,
		.w = level->w,
		.side = fvsr_config_rgb_side(c),
		.frames = fvsr_config_rgb_frames(c),
	};

	if (n + shuffle.frames <= 0 || n > last)
		return;
	run->backend->conv3x3(run->queue, &conv);
	for (int i = 0; i < shuffle.frames; i++) {
		if (!wanted(n + i, last))
			continue;
		shuffle.frame = i;
		shuffle.canvas = residual(run, n + i);
		run->backend->pixel_shuffle(run->queue, &shuffle);
		finish(run, n + i);
	}
}

static void decoder_input(struct fvsr_run *run, void *dst, int64_t s, int frame, int64_t last)
{
	const struct fvsr_config *c = &run->net->config;
	size_t area = (size_t)run->lh * run->lw;
	int place = (int)(s < FVSR_CHUNK0_SLICES ? s : 0);
	struct fvsr_decoder_input a = {
		.dst = dst,
		.latent = fvsr_at(run->latent,
				  ((size_t)place * 2 + frame) * area * c->in_dim * sizeof(float)),
		.lh = run->lh,
		.lw = run->lw,
		.channels = c->in_dim,
	};

	for (int i = 0; i < 4; i++)
		a.canvas[i] = fvsr_run_canvas(run, 8 * s + 4 * frame - 3 + i, last);
	run->backend->decoder_input(run->queue, &a);
}

/* The two frames of level 2 that frame 'x' of level 1 becomes, and their pictures from n on. */
static void upper_levels(struct fvsr_run *run, const void *x, int64_t n, int64_t last,
			 finish_fn *finish)
{
	struct level quarter = level_of(run, 1), half = level_of(run, 2);
	int step = frames_at_once(run);

	for (int first = 0; first < 2; first += step) {
		const void *y;

		upsample(run, &quarter, level_input(run, &half), x, 1, first, step);
		y = mem_blocks(run, &half, step);
		for (int i = 0; i < step; i++, n += 2, y = fvsr_at(y, half.frame))
			if (run->net->config.dec_levels == 3)
				flat_pictures(run, &half, y, n, last, finish);
			else
				pictures(run, y, n, last, finish);
	}
}

/* Frame 'first' of slice s, and the next if frames go together. */
static void lower_levels(struct fvsr_run *run, int64_t s, int first, int64_t last,
			 finish_fn *finish)
{
	struct level eighth = level_of(run, 0), quarter = level_of(run, 1);
	int frames = frames_at_once(run), cin = 768 + run->net->config.in_dim;
	size_t input = fvsr_run_act(run, (size_t)run->lh * run->lw * cin);
	struct fvsr_decoder *d = &run->decoder;
	int64_t n = 8 * s - 3 + 4 * first;
	const void *x;

	for (int i = 0; i < frames; i++)
		decoder_input(run, fvsr_at(d->input, (size_t)i * input), s, first + i, last);
	conv(run, &eighth, d->t1[0], d->input, cin, &run->net->dec_in, frames);
	conv(run, &eighth, level_input(run, &eighth), d->t1[0], eighth.channels,
	     &run->net->dec_extra, frames);
	x = mem_blocks(run, &eighth, frames);
	upsample(run, &eighth, level_input(run, &quarter), x, frames, 0, 1);
	x = mem_blocks(run, &quarter, frames);
	for (int i = 0; i < frames; i++, n += 4, x = fvsr_at(x, quarter.frame))
		if (run->net->config.dec_levels == 2)
			flat_pictures(run, &quarter, x, n, last, finish);
		else
			upper_levels(run, x, n, last, finish);
}

void fvsr_decoder_slice(struct fvsr_run *run, int64_t s, int64_t last, finish_fn *finish)
{
	for (int first = 0; first < 2; first += frames_at_once(run))
		lower_levels(run, s, first, last, finish);
}
