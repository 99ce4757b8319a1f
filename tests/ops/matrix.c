/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cases: matrix products, norms, rotary embedding. */
#include <math.h>
#include <stdlib.h>

#include "ops.h"

static void linear(struct trial *t)
{
	static const int benches[][4] = {
		{1920, 288, 96, FVSR_ACT_NONE},
		{1920, 192, 96, FVSR_ACT_GELU_TANH},
		{1920, 96, 192, FVSR_ACT_NONE},
	};
	/* Some have the multiple of 16 that fast kernels want. */
	int m = chance(t, 10) ? 1 : chance(t, 40) ? 16 * pick(t, 1, 40) : pick(t, 1, 300);
	int n = chance(t, 30) ? 32 * pick(t, 1, 10) : pick_channels(t, 150);
	int k = pick_channels(t, 300), activation = pick(t, 1, 3), residual = pick(t, 0, 2);
	struct fvsr_linear a;
	float bound;

	if (t->bench) {
		m = benches[t->bench - 1][0], n = benches[t->bench - 1][1];
		k = benches[t->bench - 1][2], activation = benches[t->bench - 1][3];
		residual = t->bench == 3 ? 2 : 0;
	}
	shape(t, "m %d n %d k %d activation %d residual %d", m, n, k, activation, residual);
	bound = 3 / sqrtf((float)k);
	a = (struct fvsr_linear){.m = m, .n = n, .k = k, .activation = activation};
	a.x = input(t, FVSR_ACT, (size_t)m * k, -1, 1);
	a.weight = weight(t, FVSR_ACT, (size_t)n * k, -bound, bound);
	a.bias = weight(t, FVSR_F32, (size_t)n, -1, 1);
	if (residual == 2) {
		a.y = inout(t, FVSR_ACT, (size_t)m * n, -1, 1);
		a.residual = a.y;
	} else {
		a.y = output(t, FVSR_ACT, (size_t)m * n);
		a.residual = residual ? input(t, FVSR_ACT, (size_t)m * n, -1, 1) : NULL;
	}
	t->side->backend->linear(t->side->queue, &a);
}

static void src_and_dst(struct trial *t, bool in_place, size_t count, void **src, void **dst)
{
	if (in_place) {
		*src = *dst = inout(t, FVSR_ACT, count, -2, 2);
	} else {
		*src = input(t, FVSR_ACT, count, -2, 2);
		*dst = output(t, FVSR_ACT, count);
	}
}

static void rms_silu(struct trial *t)
{
	int rows = pick(t, 1, 200), channels = pick_channels(t, 200);
	bool in_place = chance(t, 50);
	void *dst, *src, *gamma;

	if (t->bench)
		rows = 1920, channels = 32;
	shape(t, "rows %d channels %d%s", rows, channels, in_place ? " in place" : "");
	gamma = weight(t, FVSR_F32, (size_t)channels, -2, 2);
	src_and_dst(t, in_place, (size_t)rows * channels, &src, &dst);
	t->side->backend->rms_silu(t->side->queue, dst, src, gamma, rows, channels);
}

static void layer_norm(struct trial *t)
{
	int rows = pick(t, 1, 200), dim = pick_channels(t, 200);
	float center = (float)pick(t, -3, 3);
	void *dst, *src, *scale, *shift;

	if (t->bench)
		rows = 1920, dim = 96;
	shape(t, "rows %d dim %d around %g", rows, dim, (double)center);
	src = input(t, FVSR_ACT, (size_t)rows * dim, center - 1, center + 1);
	scale = weight(t, FVSR_F32, (size_t)dim, -2, 2);
	shift = weight(t, FVSR_F32, (size_t)dim, -1, 1);
	dst = output(t, FVSR_ACT, (size_t)rows * dim);
	t->side->backend->layer_norm(t->side->queue, dst, src, scale, shift, rows, dim, 1e-6f);
}

static void rms_norm(struct trial *t)
{
	int rows = pick(t, 1, 200), dim = pick_channels(t, 200);
	bool in_place = chance(t, 50);
	void *dst, *src, *scale;

	if (t->bench)
		rows = 1920, dim = 96;
	shape(t, "rows %d dim %d%s", rows, dim, in_place ? " in place" : "");
	scale = weight(t, FVSR_F32, (size_t)dim, -2, 2);
	src_and_dst(t, in_place, (size_t)rows * dim, &src, &dst);
	t->side->backend->rms_norm(t->side->queue, dst, src, scale, rows, dim, 1e-6f);
}

static void add(struct trial *t)
{
	size_t count = (size_t)pick(t, 1, 5000);
	void *dst, *src;

	if (t->bench)
		count = 1920 * 96;
	shape(t, "count %zu", count);
	src = input(t, FVSR_ACT, count, -2, 2);
	dst = inout(t, FVSR_ACT, count, -2, 2);
	t->side->backend->add(t->side->queue, dst, src, count);
}

static void rope_table(struct trial *t)
{
	int positions = pick(t, 1, 50), size = 2 * pick(t, 1, 32);
	int64_t first = chance(t, 50) ? pick(t, 0, 100) : (int64_t)pick(t, 0, 1 << 30) * 64;
	void *dst;

	if (t->bench)
		positions = 2, size = 16;
	shape(t, "first %lld positions %d size %d", (long long)first, positions, size);
	dst = output(t, FVSR_F32, (size_t)positions * size);
	t->side->backend->rope_table(t->side->queue, dst, first, positions, size);
}

/* Gives cosines and sines of random angles. */
static void *angles(struct trial *t, size_t pairs)
{
	float *table = malloc((2 * pairs + 1) * sizeof(*table));
	void *address;

	for (size_t i = 0; table && i < pairs; i++) {
		double angle = (double)((i * 2654435761u) % 6283) * 1e-3;

		table[2 * i] = (float)cos(angle);
		table[2 * i + 1] = (float)sin(angle);
	}
	address = values(t, FVSR_F32, 2 * pairs, table);
	free(table);
	return address;
}

static void qk_rope(struct trial *t)
{
	static const int heads_and_dims[][2] = {{2, 48}, {12, 128}, {1, 16}, {3, 20}, {4, 32}};
	int i = pick(t, 0, 4), heads = heads_and_dims[i][0], head_dim = heads_and_dims[i][1];
	int h = 8 * pick(t, 1, 3), w = 8 * pick(t, 1, 3), dim, part;
	struct fvsr_qk_rope a;
	size_t tokens;

	if (t->bench)
		heads = 2, head_dim = 48, h = 24, w = 40;
	shape(t, "h %d w %d heads %d head_dim %d", h, w, heads, head_dim);
	dim = heads * head_dim;
	part = head_dim / 3 & ~1;
	tokens = (size_t)2 * h * w;
	a = (struct fvsr_qk_rope){.h = h, .w = w, .dim = dim, .heads = heads, .eps = 1e-6f};
	a.norm_q = weight(t, FVSR_F32, (size_t)dim, 0.5f, 1.5f);
	a.norm_k = weight(t, FVSR_F32, (size_t)dim, 0.5f, 1.5f);
	a.rope_frame = angles(t, (size_t)(head_dim - 2 * part));
	a.rope_row = angles(t, (size_t)h * part / 2);
	a.rope_column = angles(t, (size_t)w * part / 2);
	a.qkv = input(t, FVSR_ACT, tokens * 3 * dim, -2, 2);
	a.q = output(t, FVSR_ACT, tokens * dim);
	a.k = output(t, FVSR_ACT, tokens * dim);
	a.v = output(t, FVSR_ACT, tokens * dim);
	a.q_mean = output(t, FVSR_F32, tokens / 128 * dim);
	a.k_mean = output(t, FVSR_F32, tokens / 128 * dim);
	t->side->backend->qk_rope(t->side->queue, &a);
}

const struct op_test matrix_tests[] = {
	{"linear", linear, NULL, 2e-5, 1e-2, 3},
	{"rms_silu", rms_silu, NULL, 2e-6, 1e-2, 1},
	{"layer_norm", layer_norm, NULL, 2e-5, 1e-2, 1},
	{"rms_norm", rms_norm, NULL, 2e-6, 1e-2, 1},
	{"add", add, NULL, 1e-7, 1e-2, 1},
	{"rope_table", rope_table, NULL, 2e-6, 2e-6, 1},
	{"qk_rope", qk_rope, NULL, 2e-6, 1e-2, 1},
	{0},
};
