/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cases: the convolutions of projection, decoder and trunk. */
#include <math.h>

#include "ops.h"

/* Returns the size of weights that keeps sums of n products near 1. */
static float bound(int n)
{
	return 3 / sqrtf((float)n);
}

static void conv_frames(struct trial *t)
{
	struct fvsr_conv_frames a = {
		.outputs = pick(t, 1, 4),
		.h = pick(t, 1, 12),
		.w = pick(t, 1, 12),
		.cin = pick_channels(t, 40),
		.cout = pick_channels(t, 40),
	};
	int frames = pick(t, 1, 6);

	if (t->bench) {
		a.outputs = 2, a.h = 24, a.w = 40, frames = 6;
		a.cin = t->bench == 1 ? 768 : 32, a.cout = t->bench == 1 ? 32 : 48;
	}
	shape(t, "outputs %d frames %d h %d w %d cin %d cout %d", a.outputs, frames, a.h, a.w,
	      a.cin, a.cout);
	for (int i = 0; i < a.outputs; i++)
		for (int j = 0; j < 4; j++)
			a.taps[i][j] = pick(t, 0, frames - 1);
	a.weight = weight(t, FVSR_ACT, (size_t)a.cout * 36 * a.cin, -bound(36 * a.cin),
			  bound(36 * a.cin));
	a.bias = weight(t, FVSR_F32, (size_t)a.cout, -1, 1);
	a.src = input(t, FVSR_ACT, (size_t)frames * a.h * a.w * a.cin, -1, 1);
	a.dst = output(t, FVSR_ACT, (size_t)a.outputs * a.h * a.w * a.cout);
	t->side->backend->conv_frames(t->side->queue, &a);
}

static void conv3x3(struct trial *t)
{
	static const int benches[][6] = {
		/* frames, h, w, cin, cout, kind: 1 past, 2 residual */
		{2, 48, 80, 784, 96, 0}, {2, 48, 80, 96, 96, 1},  {2, 96, 160, 96, 96, 1},
		{2, 96, 160, 96, 96, 0}, {2, 96, 160, 96, 96, 2}, {2, 96, 160, 96, 192, 0},
		{1, 384, 640, 8, 8, 0},
	};
	struct fvsr_conv3x3 a = {
		.frames = pick(t, 1, 3),
		.h = pick(t, 1, 20),
		.w = pick(t, 1, 20),
		.cin = pick_channels(t, 40),
		.cout = pick_channels(t, 40),
		.relu = chance(t, 70),
	};
	bool past = chance(t, 40), residual = chance(t, 40), bias = chance(t, 60);
	int channels;

	if (t->bench) {
		const int *b = benches[t->bench - 1];

		a.frames = b[0], a.h = b[1], a.w = b[2], a.cin = b[3], a.cout = b[4];
		past = b[5] == 1, residual = b[5] == 2, bias = a.relu = true;
	}
	channels = past ? 2 * a.cin : a.cin;
	shape(t, "frames %d h %d w %d cin %d cout %d%s%s%s%s", a.frames, a.h, a.w, a.cin, a.cout,
	      past ? " past" : "", residual ? " residual" : "", bias ? " bias" : "",
	      a.relu ? " relu" : "");
	a.weight = weight(t, FVSR_ACT, (size_t)a.cout * 9 * channels, -bound(9 * channels),
			  bound(9 * channels));
	if (bias)
		a.bias = weight(t, FVSR_F32, (size_t)a.cout, -1, 1);
	a.src = input(t, FVSR_ACT, (size_t)a.frames * a.h * a.w * a.cin, -1, 1);
	if (past)
		a.past = input(t, FVSR_ACT, (size_t)a.frames * a.h * a.w * a.cin, -1, 1);
	if (residual)
		a.residual = input(t, FVSR_ACT, (size_t)a.frames * a.h * a.w * a.cout, -1, 1);
	a.dst = output(t, FVSR_ACT, (size_t)a.frames * a.h * a.w * a.cout);
	t->side->backend->conv3x3(t->side->queue, &a);
}

static void trunk_conv(struct trial *t, enum fvsr_trunk_end end)
{
	struct fvsr_conv3x3 a = {
		.frames = pick(t, 1, 2),
		.h = pick(t, 1, 20),
		.w = pick(t, 1, 20),
		.cin = pick_channels(t, 40),
		.cout = pick_channels(t, 40),
		.end = end,
	};
	bool bias = chance(t, 60);

	if (t->bench)
		a.frames = 1, a.h = 96, a.w = 160, a.cin = a.cout = 32, bias = true;
	shape(t, "frames %d h %d w %d cin %d cout %d%s", a.frames, a.h, a.w, a.cin, a.cout,
	      bias ? " bias" : "");
	a.weight = weight(t, FVSR_ACT, (size_t)a.cout * 9 * a.cin, -bound(9 * a.cin),
			  bound(9 * a.cin));
	if (bias)
		a.bias = weight(t, FVSR_F32, (size_t)a.cout, -1, 1);
	a.src = input(t, FVSR_ACT, (size_t)a.frames * a.h * a.w * a.cin, -1, 1);
	if (end == FVSR_END_GATE)
		a.residual = input(t, FVSR_ACT, (size_t)a.frames * a.h * a.w * a.cout, -1, 1);
	a.dst = output(t, FVSR_ACT, (size_t)a.frames * a.h * a.w * a.cout);
	t->side->backend->conv3x3(t->side->queue, &a);
}

static void conv3x3_silu(struct trial *t)
{
	trunk_conv(t, FVSR_END_SILU);
}

static void conv3x3_gate(struct trial *t)
{
	trunk_conv(t, FVSR_END_GATE);
}

static void mix(struct trial *t)
{
	struct fvsr_mix a = {
		.sources = pick(t, 1, 4),
		.h = pick(t, 1, 20),
		.w = pick(t, 1, 20),
		.cin = pick_channels(t, 40),
		.cout = pick_channels(t, 40),
	};

	if (t->bench)
		a.sources = 4, a.h = 96, a.w = 160, a.cin = a.cout = 32;
	shape(t, "sources %d h %d w %d cin %d cout %d", a.sources, a.h, a.w, a.cin, a.cout);
	a.weight = weight(t, FVSR_ACT, (size_t)a.cout * a.sources * a.cin,
			  -bound(a.sources * a.cin), bound(a.sources * a.cin));
	a.bias = weight(t, FVSR_F32, (size_t)a.cout, -1, 1);
	a.src = input(t, FVSR_ACT, (size_t)a.sources * a.h * a.w * a.cin, -1, 1);
	a.dst = output(t, FVSR_ACT, (size_t)a.h * a.w * a.cout);
	t->side->backend->mix(t->side->queue, &a);
}

static void upsample_conv(struct trial *t)
{
	static const int benches[][7] = {
		/* frames, h, w, cin, cout, grow, ksize */
		{2, 48, 80, 48, 32, 1, 3},
		{1, 96, 160, 32, 16, 2, 3},
		{1, 192, 320, 16, 8, 2, 3},
		{1, 192, 320, 16, 8, 2, 2},
	};
	struct fvsr_upsample_conv a = {
		.frames = pick(t, 1, 2),
		.h = pick(t, 1, 14),
		.w = pick(t, 1, 14),
		.cin = pick_channels(t, 40),
		.cout = pick_channels(t, 24),
		.grow = pick(t, 1, 2),
		.ksize = pick(t, 2, 3),
		.relu = chance(t, 50),
	};
	int kernel;

	if (t->bench) {
		const int *b = benches[t->bench - 1];

		a.frames = b[0], a.h = b[1], a.w = b[2], a.cin = b[3], a.cout = b[4];
		a.grow = b[5], a.ksize = b[6];
	}
	kernel = a.ksize * a.ksize * a.cin;
	shape(t, "frames %d h %d w %d cin %d cout %d grow %d ksize %d%s", a.frames, a.h, a.w, a.cin,
	      a.cout, a.grow, a.ksize, a.relu ? " relu" : "");
	a.weight = weight(t, FVSR_ACT, (size_t)a.grow * 4 * a.cout * kernel, -bound(kernel),
			  bound(kernel));
	a.src = input(t, FVSR_ACT, (size_t)a.frames * a.h * a.w * a.cin, -1, 1);
	a.dst = output(t, FVSR_ACT, (size_t)a.frames * a.grow * 4 * a.h * a.w * a.cout);
	t->side->backend->upsample_conv(t->side->queue, &a);
}

static void conv_rgb(struct trial *t)
{
	struct fvsr_conv_rgb a = {
		.h = pick(t, 1, 40),
		.w = pick(t, 1, 40),
		.cin = pick_channels(t, 40),
	};
	bool canvas = chance(t, 50);

	if (t->bench)
		a.h = 384, a.w = 640, a.cin = 8, canvas = true;
	shape(t, "h %d w %d cin %d%s", a.h, a.w, a.cin, canvas ? " canvas" : "");
	a.weight = weight(t, FVSR_ACT, (size_t)27 * a.cin, -bound(9 * a.cin), bound(9 * a.cin));
	a.bias = weight(t, FVSR_F32, 3, -1, 1);
	a.src = input(t, FVSR_ACT, (size_t)a.h * a.w * a.cin, -1, 1);
	if (canvas)
		a.canvas = input(t, FVSR_CANVAS, (size_t)3 * a.h * a.w, -1, 1);
	a.dst = output(t, FVSR_F32, (size_t)3 * a.h * a.w);
	t->side->backend->conv_rgb(t->side->queue, &a);
}

const struct op_test conv_tests[] = {
	{"conv_frames", conv_frames, NULL, 2e-5, 1e-2, 2},
	{"conv3x3", conv3x3, NULL, 2e-5, 1e-2, 7},
	{"conv3x3, silu", conv3x3_silu, NULL, 2e-5, 1e-2, 1},
	{"conv3x3, gate", conv3x3_gate, NULL, 2e-5, 1e-2, 1},
	{"mix", mix, NULL, 2e-5, 1e-2, 1},
	{"upsample_conv", upsample_conv, NULL, 2e-5, 1e-2, 4},
	{"conv_rgb", conv_rgb, NULL, 2e-5, 1e-2, 1},
	{0},
};
