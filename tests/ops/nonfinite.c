/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cases: NaN, infinity and huge values where they become pixels, indices or weights of a softmax.
 * backend.h says what all backends make of them.
 */
#include <math.h>
#include <stdlib.h>

#include "ops.h"

static float random_in(struct trial *t, float low, float high)
{
	return low + (high - low) * (float)pick(t, 0, 1 << 20) / (float)(1 << 20);
}

static const float odd[] = {NAN, INFINITY, -INFINITY, 1e38f, -1e38f, 3000, -3000};

#define NOT_FINITE 3 /* of 'odd' */
#define ANY_ODD    7 /* also what a half cannot hold or what overflows in some orders of a sum */

/* Gives values of which one, or 'percent' of them, are among the first 'kinds' odd ones. */
static void *strange(struct trial *t, enum fvsr_kind kind, size_t count, float low, float high,
		     int percent, int kinds)
{
	float *data = malloc(count * sizeof(*data));
	void *address;

	for (size_t i = 0; data && i < count; i++)
		data[i] = chance(t, percent) ? odd[pick(t, 0, kinds - 1)] : random_in(t, low, high);
	if (data)
		data[pick(t, 0, (int)count - 1)] = odd[pick(t, 0, kinds - 1)];
	else
		fail(t, "out of memory");
	address = values(t, kind, count, data);
	free(data);
	return address;
}

/* Picks how many elements are odd: one, a few, or all. */
static int pick_percent(struct trial *t)
{
	static const int percents[] = {0, 2, 40, 100};

	return percents[pick(t, 0, 3)];
}

static void ingest(struct trial *t)
{
	struct fvsr_picture picture = {.format = FVSR_FORMAT_RGBF32P,
				       .memory = FVSR_MEMORY_HOST,
				       .width = pick(t, 16, 60),
				       .height = pick(t, 16, 60)};
	struct fvsr_ingest a = {.src = &picture, .width = picture.width, .height = picture.height};
	static const float outside[] = {NAN, -NAN, INFINITY, -INFINITY, 1e38f, -70000, 1.5f, -1.5f};
	size_t count = (size_t)3 * picture.width * picture.height;
	bool fresh = !t->side->host;
	float *pixels;

	a.pad_width = a.width + pick(t, 0, 40), a.pad_height = a.height + pick(t, 0, 40);
	picture.stride = (size_t)picture.width * sizeof(float);
	shape(t, "%d x %d padded %d x %d", a.width, a.height, a.pad_width, a.pad_height);
	pixels = (float *)(void *)host_pixels(t, count * sizeof(float));
	for (size_t i = 0; fresh && i < count; i++)
		/* Values inside the range are halves, too, so that every canvas holds them. */
		pixels[i] = i % 3 ? outside[i / 3 % 8] : (float)(i % 257) / 128.0f - 1;
	picture.data = pixels;
	a.canvas = output(t, FVSR_CANVAS, (size_t)3 * a.pad_width * a.pad_height);
	a.alpha = output(t, FVSR_U8, (size_t)a.width * a.height);
	t->side->backend->ingest(t->side->queue, &a);
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
	int decoded = pick_percent(t), canvas = chance(t, 20) ? pick_percent(t) : -1;
	size_t visible = (size_t)a.width * a.height, padded;

	a.pad_width = a.width + pick(t, 0, 30), a.pad_height = a.height + pick(t, 0, 30);
	padded = (size_t)a.pad_width * a.pad_height;
	shape(t, "mode %d format %d %d x %d padded %d x %d%s, %d %% of decoded, %d of canvas",
	      (int)a.mode, (int)a.format, a.width, a.height, a.pad_width, a.pad_height,
	      a.nearest ? " nearest" : "", decoded, canvas);
	a.decoded = strange(t, FVSR_F32, 3 * padded, -1.1f, 1.1f, decoded, ANY_ODD);
	a.canvas = canvas < 0 ? input(t, FVSR_CANVAS, 3 * padded, -1, 0.8f)
			      : strange(t, FVSR_CANVAS, 3 * padded, -1, 0.8f, canvas, NOT_FINITE);
	a.alpha = input(t, FVSR_U8, visible, 0, 255);
	if (a.format == FVSR_FORMAT_RGBF32P)
		a.dst = output(t, FVSR_F32, 3 * visible);
	else
		a.dst = output(t, FVSR_U8, 4 * visible);
	a.final = output(t, FVSR_F32, 3 * visible);
	t->side->backend->color_finish(t->side->queue, &a);
}

/*
 * Judges alpha (operand 2 went in, operand 3 came out, where it has bytes) and the range of the
 * final picture.
 */
static void judge_color(struct trial *t, const struct side *plain, const struct side *other)
{
	const struct operand *alpha = &other->operand[2], *dst = &other->operand[3];

	(void)plain;
	for (size_t i = 0; dst->kind == FVSR_U8 && i < alpha->count; i++)
		if (result(other, 3)[4 * i + 3] != alpha->before[i])
			fail(t, "alpha %zu is %g, was %g", i, result(other, 3)[4 * i + 3],
			     alpha->before[i]);
	for (size_t i = 0; i < other->operand[4].count; i++)
		if (!(fabsf(result(other, 4)[i]) <= 1))
			fail(t, "final %zu is %g", i, result(other, 4)[i]);
}

/* Has NaN and infinity in the residual, each of which touches no element but its own. */
static void conv3x3(struct trial *t)
{
	int channels = chance(t, 50) ? 32 * pick(t, 1, 2) : pick(t, 1, 24);
	struct fvsr_conv3x3 a = {.frames = pick(t, 1, 2),
				 .h = pick(t, 1, 20),
				 .w = pick(t, 1, 20),
				 .cin = channels,
				 .cout = channels,
				 .relu = true};
	size_t count = (size_t)a.frames * a.h * a.w * channels;
	float bound = 1 / sqrtf(9 * (float)channels);

	shape(t, "frames %d h %d w %d channels %d", a.frames, a.h, a.w, channels);
	a.weight = weight(t, FVSR_ACT, (size_t)9 * channels * channels, -bound, bound);
	a.src = input(t, FVSR_ACT, count, -1, 1);
	a.residual = strange(t, FVSR_ACT, count, -1, 1, pick(t, 0, 5), NOT_FINITE);
	a.dst = list(t, FVSR_ACT, count);
	t->side->backend->conv3x3(t->side->queue, &a);
}

static void judge_conv(struct trial *t, const struct side *plain, const struct side *other)
{
	const float *want = result(plain, 3), *got = result(other, 3);

	for (size_t i = 0; i < plain->operand[3].count; i++)
		if (isfinite(plain->operand[2].before[i]) &&
		    !(fabsf(got[i] - want[i]) <= (t->bf16 ? 0.04f : 1e-4f)))
			fail(t, "element %zu: %g instead of %g", i, got[i], want[i]);
}

static void block_select(struct trial *t)
{
	struct fvsr_block_select a = {
		.query_slices = pick(t, 1, 3),
		.block_rows = pick(t, 1, 4),
		.block_columns = pick(t, 1, 5),
		.heads = pick(t, 1, 3),
		.local_range = pick(t, 1, 11),
	};
	int blocks = a.block_rows * a.block_columns, percent = chance(t, 20) ? 100 : pick(t, 0, 2);
	int keys, rows;

	a.key_slices = pick(t, a.query_slices, 4);
	a.dim = a.heads * 2 * pick(t, 1, 32);
	a.topk = pick(t, -1, 2 * blocks * blocks);
	for (int i = 0; i < a.key_slices; i++)
		a.slot[i] = a.key_slices - 1 - i;
	keys = a.key_slices * blocks, rows = a.heads * a.query_slices * blocks;
	shape(t, "slices %d of %d blocks %d x %d heads %d dim %d range %d topk %lld, %d %%",
	      a.query_slices, a.key_slices, a.block_rows, a.block_columns, a.heads, a.dim,
	      a.local_range, (long long)a.topk, percent);
	a.q_mean = strange(t, FVSR_F32, (size_t)a.query_slices * blocks * a.dim, -2, 2, percent,
			   NOT_FINITE);
	a.k_mean = strange(t, FVSR_F32, (size_t)keys * a.dim, -2, 2, percent, NOT_FINITE);
	a.index = list(t, FVSR_I32, (size_t)rows * keys);
	a.count = list(t, FVSR_I32, (size_t)rows);
	t->side->backend->block_select(t->side->queue, &a);
}

/* Judges that both sides have the same lists, ascending and within bounds. */
static void judge_select(struct trial *t, const struct side *plain, const struct side *other)
{
	size_t rows = plain->operand[3].count, keys = plain->operand[2].count / rows, differ = 0;

	for (size_t row = 0; row < rows; row++) {
		const float *want = result(plain, 2) + row * keys;
		const float *got = result(other, 2) + row * keys;
		float count = result(other, 3)[row];

		if (!(count >= 0 && count <= (float)keys)) {
			fail(t, "row %zu has %g keys", row, count);
			return;
		}
		for (size_t i = 0; i < (size_t)count; i++)
			if (!(got[i] >= 0 && got[i] < (float)keys && (!i || got[i] > got[i - 1])))
				fail(t, "row %zu is not a list", row);
		differ += count != result(plain, 3)[row];
		for (size_t i = 0; i < (size_t)count; i++)
			differ += i >= (size_t)result(plain, 3)[row] || got[i] != want[i];
	}
	if (differ > 1 + rows * keys / 1000)
		fail(t, "lists differ at %zu of %zu places", differ, rows * keys);
}

/* Has NaN in some queries: their rows may become anything, all others are as without it. */
static void cross_attention(struct trial *t)
{
	struct fvsr_cross_attention a = {.tokens = pick(t, 1, 300),
					 .keys = pick(t, 1, 100),
					 .heads = 1,
					 .dim = 2 * pick(t, 1, 64)};

	shape(t, "tokens %d keys %d dim %d", a.tokens, a.keys, a.dim);
	a.q = strange(t, FVSR_ACT, (size_t)a.tokens * a.dim, -2, 2, pick(t, 0, 1), NOT_FINITE);
	a.k = weight(t, FVSR_ACT, (size_t)a.keys * a.dim, -2, 2);
	a.v = weight(t, FVSR_ACT, (size_t)a.keys * a.dim, -2, 2);
	a.bias = weight(t, FVSR_F32, (size_t)a.keys, 0, 6);
	a.dst = list(t, FVSR_ACT, (size_t)a.tokens * a.dim);
	t->side->backend->cross_attention(t->side->queue, &a);
}

/* Has one block a slice, so that window order is token order, and one head. */
static void block_attention(struct trial *t)
{
	static const int dims[] = {16, 18, 48, 64, 128};
	struct fvsr_block_attention a = {.query_slices = pick(t, 1, 2),
					 .key_slices = 3,
					 .slot = {2, 0, 1},
					 .h = 8,
					 .w = 8,
					 .dim = dims[pick(t, 0, 4)],
					 .heads = 1};
	static const float index[6] = {0, 1, 2, 0, 1, 2}, count[2] = {3, 2};
	size_t slice = (size_t)FVSR_BLOCK_TOKENS * a.dim;

	shape(t, "slices %d dim %d", a.query_slices, a.dim);
	a.q = strange(t, FVSR_ACT, a.query_slices * slice, -2, 2, pick(t, 0, 1), NOT_FINITE);
	a.k = input(t, FVSR_ACT, 3 * slice, -2, 2);
	a.v = input(t, FVSR_ACT, 3 * slice, -2, 2);
	a.index = values(t, FVSR_I32, (size_t)a.query_slices * 3, index);
	a.count = values(t, FVSR_I32, (size_t)a.query_slices, count);
	a.dst = list(t, FVSR_ACT, a.query_slices * slice);
	t->side->backend->block_attention(t->side->queue, &a);
}

/*
 * Judges the rows of finite queries: operand 0 are the queries, the last one is the result.
 * Elements of k and v lie in [-2, 2].
 */
static void judge_attention(struct trial *t, const struct side *plain, const struct side *other)
{
	const struct operand *q = &plain->operand[0];
	int last = plain->count - 1;
	int dim = (int)(plain->operand[1].count /
			(last == 5 ? 3 * FVSR_BLOCK_TOKENS : plain->operand[3].count));

	for (size_t row = 0; row < q->count / (size_t)dim; row++) {
		size_t first = row * (size_t)dim;
		bool finite = true;

		for (int c = 0; c < dim; c++)
			finite = finite && isfinite(q->before[first + c]);
		for (int c = 0; finite && c < dim; c++) {
			float want = result(plain, last)[first + c];
			float got = result(other, last)[first + c];

			if (!(fabsf(got - want) <= (t->bf16 ? 0.04f : 1e-4f)))
				fail(t, "row %zu, element %d: %g instead of %g", row, c, got, want);
		}
	}
}

const struct op_test nonfinite_tests[] = {
	{"ingest, NaN", ingest, NULL, 0, 4e-3, 0},
	{"color_finish, NaN", color_finish, judge_color, 2e-6, 1e-2, 0},
	{"conv3x3, NaN", conv3x3, judge_conv, 0, 0, 0},
	{"block_select, NaN", block_select, judge_select, 0, 0, 0},
	{"block_attention, NaN", block_attention, judge_attention, 0, 0, 0},
	{"cross_attention, NaN", cross_attention, judge_attention, 0, 0, 0},
	{0},
};
