/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cases: pictures, latents and noise. */
#include <string.h>

#include "ops.h"

static void ingest(struct trial *t)
{
	struct fvsr_picture picture = {.memory = FVSR_MEMORY_HOST};
	struct fvsr_ingest a = {
		.src = &picture, .width = pick(t, 16, 90), .height = pick(t, 16, 90)};
	size_t bytes;

	picture.format = t->bench ? FVSR_FORMAT_RGBA8 : pick_format(t);
	picture.width = pick(t, 16, 90), picture.height = pick(t, 16, 90);
	a.pad_width = a.width + (chance(t, 50) ? 0 : pick(t, 1, 60));
	a.pad_height = a.height + (chance(t, 50) ? 0 : pick(t, 1, 60));
	if (t->bench) {
		picture.width = 320, picture.height = 192;
		a.width = a.pad_width = 640, a.height = a.pad_height = 384;
	}
	if (picture.format == FVSR_FORMAT_RGBF32P)
		picture.width = a.width, picture.height = a.height;
	picture.stride = (size_t)(picture.width + pick(t, 0, 5)) * 4;
	bytes = picture.stride * picture.height;
	shape(t, "format %d %d x %d to %d x %d padded %d x %d", (int)picture.format, picture.width,
	      picture.height, a.width, a.height, a.pad_width, a.pad_height);
	if (picture.format == FVSR_FORMAT_RGBF32P) {
		bool fresh = !t->side->host;
		float *floats = (float *)(void *)host_pixels(t, bytes * 3);

		/* Random bytes would make strange floats. */
		for (size_t i = 0; fresh && i < bytes * 3 / sizeof(float); i++)
			floats[i] = (float)((i * 2654435761u) % 255) / 127.0f - 1;
		picture.data = floats;
	} else {
		picture.data = host_pixels(t, bytes);
	}
	a.canvas = output(t, FVSR_CANVAS, (size_t)3 * a.pad_width * a.pad_height);
	a.alpha = output(t, FVSR_U8, (size_t)a.width * a.height);
	t->side->backend->ingest(t->side->queue, &a);
}

static void emit(struct trial *t)
{
	struct fvsr_picture dst = {
		.memory = FVSR_MEMORY_HOST, .width = pick(t, 1, 60), .height = pick(t, 1, 60)};
	size_t count, rows;
	void *src;

	dst.format = pick_format(t);
	dst.stride = (size_t)(dst.width + pick(t, 0, 5)) * 4;
	rows = (size_t)dst.height * (dst.format == FVSR_FORMAT_RGBF32P ? 3 : 1);
	count = (size_t)dst.width * rows;
	shape(t, "format %d %d x %d stride %zu", (int)dst.format, dst.width, dst.height,
	      dst.stride);
	if (dst.format == FVSR_FORMAT_RGBF32P)
		src = input(t, FVSR_F32, count, -1, 1);
	else
		src = input(t, FVSR_U8, count * 4, 0, 255);
	dst.data = host_pixels(t, rows * dst.stride);
	t->side->backend->emit(t->side->queue, &dst, src);
}

static void unshuffle(struct trial *t)
{
	int h = pick(t, 1, 5), w = pick(t, 1, 5);
	void *dst, *canvas;

	if (t->bench)
		h = 24, w = 40;
	shape(t, "h %d w %d", h, w);
	canvas = input(t, FVSR_CANVAS, (size_t)768 * h * w, -1, 1);
	dst = output(t, FVSR_ACT, (size_t)768 * h * w);
	t->side->backend->unshuffle(t->side->queue, dst, canvas, h, w);
}

static void noise_slice(struct trial *t)
{
	struct fvsr_noise_slice a = {
		.kind = chance(t, 50) ? FVSR_NOISE_NORMAL : FVSR_NOISE_UNIFORM,
		.lh = 2 * pick(t, 1, 10),
		.lw = 2 * pick(t, 1, 10),
		.channels = pick(t, 1, 16),
		.first_frame = 2 * pick(t, 0, 2),
		.frames = 6,
	};
	size_t count;

	a.key = (uint64_t)pick(t, 0, 1 << 30) * 0x100000001B3u;
	if (t->bench)
		a.lh = 48, a.lw = 80, a.channels = 16, a.kind = FVSR_NOISE_NORMAL;
	count = (size_t)2 * a.lh * a.lw * a.channels;
	shape(t, "kind %d lh %d lw %d channels %d", (int)a.kind, a.lh, a.lw, a.channels);
	a.latent = output(t, FVSR_F32, count);
	a.patches = output(t, FVSR_ACT, count);
	t->side->backend->noise_slice(t->side->queue, &a);
}

static void unpatchify(struct trial *t)
{
	struct fvsr_unpatchify a = {
		.lh = 2 * pick(t, 1, 10),
		.lw = 2 * pick(t, 1, 10),
		.channels = pick(t, 1, 16),
	};
	size_t count;

	if (t->bench)
		a.lh = 48, a.lw = 80, a.channels = 16;
	count = (size_t)2 * a.lh * a.lw * a.channels;
	shape(t, "lh %d lw %d channels %d", a.lh, a.lw, a.channels);
	a.noise = input(t, FVSR_F32, count, -2, 2);
	a.patches = input(t, FVSR_ACT, count, -1, 1);
	a.latent = output(t, FVSR_F32, count);
	t->side->backend->unpatchify(t->side->queue, &a);
}

static void decoder_input(struct trial *t)
{
	struct fvsr_decoder_input a = {
		.lh = pick(t, 1, 8),
		.lw = pick(t, 1, 8),
		.channels = pick(t, 1, 20),
	};

	if (t->bench)
		a.lh = 48, a.lw = 80, a.channels = 16;
	shape(t, "lh %d lw %d channels %d", a.lh, a.lw, a.channels);
	for (int i = 0; i < 4; i++)
		a.canvas[i] = input(t, FVSR_CANVAS, (size_t)192 * a.lh * a.lw, -1, 1);
	a.latent = input(t, FVSR_F32, (size_t)a.lh * a.lw * a.channels, -12, 12);
	a.dst = output(t, FVSR_ACT, (size_t)a.lh * a.lw * (768 + a.channels));
	t->side->backend->decoder_input(t->side->queue, &a);
}

static void pixel_shuffle(struct trial *t)
{
	struct fvsr_pixel_shuffle a = {
		.h = pick(t, 1, 12),
		.w = pick(t, 1, 70),
		.side = pick(t, 2, 4),
		.frames = pick(t, 1, 4),
	};
	bool canvas = chance(t, 50);
	size_t pixels;

	a.frame = pick(t, 0, a.frames - 1);
	if (t->bench) {
		a.side = t->bench == 1 ? 4 : 2, a.frames = a.side, a.frame = 1, canvas = true;
		a.h = 384 / a.side, a.w = 640 / a.side;
	}
	pixels = (size_t)3 * a.h * a.w * a.side * a.side;
	shape(t, "h %d w %d side %d frame %d of %d%s", a.h, a.w, a.side, a.frame, a.frames,
	      canvas ? " canvas" : "");
	a.src = input(t, FVSR_ACT, pixels * a.frames, -1, 1);
	if (canvas)
		a.canvas = input(t, FVSR_CANVAS, pixels, -1, 1);
	a.dst = output(t, FVSR_F32, pixels);
	t->side->backend->pixel_shuffle(t->side->queue, &a);
}

static void shrink(struct trial *t)
{
	struct fvsr_shrink a = {
		.h = pick(t, 1, 20),
		.w = pick(t, 1, 70),
		.side = pick(t, 2, 4),
		.told = 0.25f * (float)pick(t, 1, 4),
	};

	if (t->bench)
		a.h = 96, a.w = 160, a.side = 4;
	shape(t, "h %d w %d side %d told %g", a.h, a.w, a.side, (double)a.told);
	a.canvas = input(t, FVSR_CANVAS, (size_t)3 * a.h * a.w * a.side * a.side, -1, 1);
	a.dst = output(t, FVSR_ACT, (size_t)a.h * a.w * FVSR_TRUNK_CHANNELS);
	t->side->backend->shrink(t->side->queue, &a);
}

static void color_finish(struct trial *t)
{
	struct fvsr_color_finish a = {
		.mode = (enum fvsr_color)pick(t, 1, 3),
		.format = pick_format(t),
		.width = pick(t, 2, 80),
		.height = pick(t, 2, 80),
		.nearest = chance(t, 50),
	};
	bool final = chance(t, 50);
	size_t visible, padded;

	a.pad_width = a.width + (chance(t, 50) ? 0 : pick(t, 1, 60));
	a.pad_height = a.height + (chance(t, 50) ? 0 : pick(t, 1, 60));
	if (t->bench) {
		a.mode = t->bench == 1 ? FVSR_COLOR_ADAIN : FVSR_COLOR_WAVELET;
		a.format = FVSR_FORMAT_RGBA8, final = false;
		a.width = a.pad_width = 640, a.height = a.pad_height = 384;
	}
	visible = (size_t)a.width * a.height;
	padded = (size_t)a.pad_width * a.pad_height;
	shape(t, "mode %d format %d %d x %d padded %d x %d%s%s", (int)a.mode, (int)a.format,
	      a.width, a.height, a.pad_width, a.pad_height, a.nearest ? " nearest" : "",
	      final ? " final" : "");
	a.decoded = input(t, FVSR_F32, 3 * padded, -1.1f, 1.1f);
	a.canvas = input(t, FVSR_CANVAS, 3 * padded, -1, 0.8f);
	a.alpha = input(t, FVSR_U8, visible, 0, 255);
	if (a.format == FVSR_FORMAT_RGBF32P)
		a.dst = output(t, FVSR_F32, 3 * visible);
	else
		a.dst = output(t, FVSR_U8, 4 * visible);
	if (final)
		a.final = output(t, FVSR_F32, 3 * visible);
	t->side->backend->color_finish(t->side->queue, &a);
}

const struct op_test picture_tests[] = {
	{"ingest", ingest, NULL, 1e-7, 4e-3, 1},
	{"emit", emit, NULL, 0, 0, 0},
	{"unshuffle", unshuffle, NULL, 0, 0, 1},
	{"noise_slice", noise_slice, NULL, 0, 4e-3, 1},
	{"unpatchify", unpatchify, NULL, 1e-7, 4e-3, 1},
	{"decoder_input", decoder_input, NULL, 1e-6, 1e-2, 1},
	{"pixel_shuffle", pixel_shuffle, NULL, 0, 4e-3, 2},
	{"shrink", shrink, NULL, 1e-6, 1e-2, 1},
	{"color_finish", color_finish, NULL, 2e-6, 1e-2, 2},
	{0},
};
