/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of the loops, included once for each generation of processors with LOOPS and LOOPS_NAME
 * set. Nothing in it is specific to one of them: vectors are the compiler's own, as wide as the
 * target's.
 */
#include "backend/cpu/fast/loops.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "backend/cpu/plain/plain.h"

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif

/* A vector may lie at any address and look at memory of floats. */
typedef float vector __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(LANES * 4)));

/* Returns the first of each pair where the mask is set, else the second. */
static inline vector choose(mask which, vector first, vector second)
{
	return (vector)(((mask)first & which) | ((mask)second & ~which));
}

typedef uint32_t bits_vector __attribute__((vector_size(LANES * 4)));

/* e^r for |r| <= ln 2 / 2 by its series up to r^7 (error 6e-9), of numbers and of vectors. */
#define SERIES_OF_E(r)                                                                             \
	((((((((r) * (1.0f / 5040) + 1.0f / 720) * (r) + 1.0f / 120) * (r) + 1.0f / 24) * (r) +    \
	    1.0f / 6) *                                                                            \
		   (r) +                                                                           \
	   0.5f) * (r) +                                                                           \
	  1) * (r) +                                                                               \
	 1)

/* Returns 1 / (1 + e^-x), with e^-x as exponential() below computes it. */
static inline vector sigmoid(vector x)
{
	const vector low = (vector){0} - 87, high = (vector){0} + 87;
	vector shifted, n, r;

	x = choose(x < low, low, x);
	x = choose(x > high, high, x);
	shifted = x * -1.44269504f + 12582912.0f; /* 1.5 * 2^23: rounds to an integer */
	n = shifted - 12582912.0f;
	r = -x - n * 0.693359375f + n * 2.12194440e-4f;
	return 1 / (1 + SERIES_OF_E(r) * (vector)(((bits_vector)shifted + 127) << 23));
}

#define ROWS        4
#define COLUMNS     (LANES == 16 ? 4 : 2) /* vectors: what fits the registers */
#define ROWS_MAX    8
#define COLUMNS_MAX 4

/*
 * Returns e^x for x <= 88, or NaN for NaN: x = n ln 2 + r with |r| <= ln 2 / 2, 2^n by its bits.
 * Tiny results become 0.
 */
static inline float exponential(float x)
{
	float shifted, n, r, sum;
	int32_t bits;

	x = x < -87 ? -87 : x;
	shifted = x * 1.44269504f + 12582912.0f; /* 1.5 * 2^23: rounds to an integer */
	n = shifted - 12582912.0f;
	r = x - n * 0.693359375f + n * 2.12194440e-4f;
	sum = SERIES_OF_E(r);
	memcpy(&bits, &shifted, sizeof(bits));
	bits = (int32_t)(((uint32_t)bits + 127) << 23);
	memcpy(&r, &bits, sizeof(r));
	return sum * r;
}

/*
 * Computes out[i][j] (+)= sum over k of a[i * row + k * step] b[k][j], for 'rows' rows of 'wide'
 * vectors; rows of 'out' and 'b' are 'stride' apart.
 */
static inline __attribute__((always_inline)) void
product_part(float *out, const float *a, size_t row, size_t step, const float *b, int depth,
	     size_t stride, const int rows, const int wide, bool accumulate)
{
	vector sum[ROWS_MAX][COLUMNS_MAX];

#pragma GCC unroll 8
	for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
		for (int c = 0; c < wide; c++)
			sum[i][c] =
				accumulate ? *(const vector *)(out + (size_t)i * stride + c * LANES)
					   : (vector){0};
	for (int k = 0; k < depth; k++) {
		vector right[COLUMNS_MAX];

#pragma GCC unroll 8
		for (int c = 0; c < wide; c++)
			right[c] = *(const vector *)(b + (size_t)k * stride + c * LANES);
#pragma GCC unroll 8
		for (int i = 0; i < rows; i++) {
			float left = a[(size_t)i * row + (size_t)k * step];

#pragma GCC unroll 8
			for (int c = 0; c < wide; c++)
				sum[i][c] += left * right[c];
		}
	}
#pragma GCC unroll 8
	for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
		for (int c = 0; c < wide; c++)
			*(vector *)(out + (size_t)i * stride + c * LANES) = sum[i][c];
}

static inline __attribute__((always_inline)) void product_rows(float *out, const float *a,
							       size_t row, size_t step,
							       const float *b, int depth,
							       const int rows, bool accumulate)
{
	for (int j = 0; j < FVSR_TILE; j += LANES * COLUMNS)
		product_part(out + j, a, row, step, b + j, depth, FVSR_TILE, rows, COLUMNS,
			     accumulate);
}

/* Computes out (rows, 128) (+)= a (rows, depth) b (depth, 128). */
static void product(float *out, const float *a, size_t row, size_t step, const float *b, int rows,
		    int depth, bool accumulate)
{
	int i = 0;

	for (; i + ROWS <= rows; i += ROWS)
		product_rows(out + i * FVSR_TILE, a + i * row, row, step, b, depth, ROWS,
			     accumulate);
	for (; i < rows; i++)
		product_rows(out + i * FVSR_TILE, a + i * row, row, step, b, depth, 1, accumulate);
}

static void largest_scores(float *largest, const float *scores, int keys)
{
	for (int i = 0; i < keys; i++)
		for (int j = 0; j < FVSR_TILE; j++) {
			float score = scores[i * FVSR_TILE + j];

			largest[j] = score > largest[j] ? score : largest[j];
		}
}

static void attend(const struct fvsr_attend *a, const float *k, const float *v, size_t stride,
		   int keys, const float *bias)
{
	float largest[FVSR_TILE], shrink[FVSR_TILE];

	product(a->scores, k, stride, 1, a->query, keys, a->head_dim, false);
	for (int i = 0; bias && i < keys; i++)
		for (int j = 0; j < FVSR_TILE; j++)
			a->scores[i * FVSR_TILE + j] += bias[i];
	memcpy(largest, a->largest, sizeof(largest));
	largest_scores(largest, a->scores, keys);
	for (int j = 0; j < FVSR_TILE; j++) {
		shrink[j] = exponential(a->largest[j] - largest[j]);
		a->total[j] *= shrink[j];
		a->largest[j] = largest[j];
	}
	for (int i = 0; i < keys; i++) {
		float *score = a->scores + i * FVSR_TILE;

		for (int j = 0; j < FVSR_TILE; j++) {
			score[j] = exponential(score[j] - largest[j]);
			a->total[j] += score[j];
		}
	}
	for (int c = 0; c < a->head_dim; c++)
		for (int j = 0; j < FVSR_TILE; j++)
			a->sums[c * FVSR_TILE + j] *= shrink[j];
	product(a->sums, v, 1, stride, a->scores, a->head_dim, keys, true);
}

/* Uses a polynomial where the quotient of exponentials would lose digits. */
static inline float hyperbolic_tangent(float x)
{
	float square = x * x, power, small, large, magnitude = fabsf(x);

	small = square * (-1382.0f / 155925) + 62.0f / 2835;
	small = small * square + -17.0f / 315;
	small = small * square + 2.0f / 15;
	small = small * square + -1.0f / 3;
	small = small * square * x + x;
	power = exponential(-2 * magnitude);
	large = copysignf((1 - power) / (1 + power), x);
	return magnitude < 0.35f ? small : large;
}

static void soft_clamp(float *x, size_t count)
{
	for (size_t i = 0; i < count; i++)
		x[i] = 3 * hyperbolic_tangent(x[i] / 3);
}

static void gate(float *o, const float *x, size_t count)
{
	size_t i = 0;

	for (; i + LANES <= count; i += LANES) {
		vector value = *(const vector *)(o + i);

		*(vector *)(o + i) = (value + *(const vector *)(x + i)) * (sigmoid(value) - 0.5f);
	}
	for (; i < count; i++)
		o[i] = (o[i] + x[i]) * (1 / (1 + exponential(-o[i])) - 0.5f);
}

#define PARTS 16 /* side by side, so that they become vectors */

/*
 * Clamps to [-limit, limit], NaN to the lower end. It works on vectors because ?: on single values
 * would become branches.
 */
static inline vector clamp_vector(vector x, float limit)
{
	const vector high = (vector){0} + limit;

	x = choose(x > -high, x, -high);
	return choose(x < high, x, high);
}

static void statistics(double *sums, const float *x, size_t count)
{
	double sum[PARTS] = {0}, squares[PARTS] = {0};
	size_t i = 0;

	for (; i + PARTS <= count; i += PARTS) {
		float part[PARTS];

		for (int j = 0; j < PARTS; j += LANES)
			*(vector *)(part + j) =
				clamp_vector(*(const vector *)(x + i + j), FVSR_PICTURE_LIMIT);
		for (int j = 0; j < PARTS; j++) {
			double value = part[j];

			sum[j] += value;
			squares[j] += value * value;
		}
	}
	for (; i < count; i++) {
		double value = fvsr_picture_sample(x[i]);

		sum[0] += value;
		squares[0] += value * value;
	}
	for (int j = 0; j < PARTS; j++) {
		sums[0] += sum[j];
		sums[1] += squares[j];
	}
}

static inline float clamp_unit(float x)
{
	x = x < -1 ? -1 : x;
	return x > 1 ? 1 : x;
}

static void follow(float *out, const float *x, size_t count, const float *from, const float *to)
{
	float mean_x = from[0], deviation_x = from[1], mean = to[0], deviation = to[1];
	size_t i = 0;

	for (; i + LANES <= count; i += LANES) {
		vector value = clamp_vector(*(const vector *)(x + i), FVSR_PICTURE_LIMIT);

		value = (value - mean_x) / deviation_x * deviation + mean;
		*(vector *)(out + i) = clamp_vector(value, 1);
	}
	for (; i < count; i++)
		out[i] = clamp_unit((fvsr_picture_sample(x[i]) - mean_x) / deviation_x * deviation +
				    mean);
}

static void lift(float *out, const float *x, const float *low, size_t count)
{
	size_t i = 0;

	for (; i + LANES <= count; i += LANES) {
		vector value = clamp_vector(*(const vector *)(x + i), FVSR_PICTURE_LIMIT);

		*(vector *)(out + i) = clamp_vector(value + *(const vector *)(low + i), 1);
	}
	for (; i < count; i++)
		out[i] = clamp_unit(fvsr_picture_sample(x[i]) + low[i]);
}

static void blur_row(float *out, const float *x, int width, int step)
{
	int left = step < width ? step : width, right = width - step > left ? width - step : left;

	for (int i = left; i < right; i++)
		out[i] = 0.25f * x[i - step] + 0.5f * x[i] + 0.25f * x[i + step];
	for (int i = 0; i < width; i = i + 1 == left ? right : i + 1) {
		float before = x[i < step ? 0 : i - step];
		float after = x[i + step < width ? i + step : width - 1];

		out[i] = 0.25f * before + 0.5f * x[i] + 0.25f * after;
	}
}

static void blur_column(float *out, const float *above, const float *here, const float *below,
			size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = 0.25f * above[i] + 0.5f * here[i] + 0.25f * below[i];
}

static inline uint32_t level(float x, float half)
{
	float value = (x + 1) * 127.5f + half;

	return (uint32_t)(int32_t)(value > 255 ? 255 : value);
}

static void pixels(uint8_t *dst, const float *red, const float *green, const float *blue,
		   const uint8_t *alpha, size_t count, float half)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t pixel = level(red[i], half) | level(green[i], half) << 8 |
				 level(blue[i], half) << 16 | (uint32_t)alpha[i] << 24;

		memcpy(dst + 4 * i, &pixel, sizeof(pixel));
	}
}

static inline float unit(uint32_t value)
{
	return (float)(int32_t)value / 255.0f * 2.0f - 1.0f;
}

static void planes(float *red, float *green, float *blue, uint8_t *alpha, const uint8_t *src,
		   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t pixel;

		memcpy(&pixel, src + 4 * i, sizeof(pixel));
		red[i] = unit(pixel & 255);
		green[i] = unit(pixel >> 8 & 255);
		blue[i] = unit(pixel >> 16 & 255);
		alpha[i] = (uint8_t)(pixel >> 24);
	}
}

#include "backend/cpu/fast/winograd_body.h"

#define RESIZE_BITS 22

static inline uint8_t resized(int32_t sum)
{
	sum >>= RESIZE_BITS;
	sum = sum < 0 ? 0 : sum;
	return (uint8_t)(sum > 255 ? 255 : sum);
}

static void resize_row(uint8_t *dst, const uint8_t *src, const struct fvsr_resize_axis *axis)
{
	for (int x = 0; x < axis->out; x++, dst += 4) {
		const int32_t *weight = axis->weight + (size_t)x * axis->taps;
		const uint8_t *from = src + (size_t)axis->first[x] * 4;
		int32_t sum[4] = {1 << (RESIZE_BITS - 1), 1 << (RESIZE_BITS - 1),
				  1 << (RESIZE_BITS - 1), 1 << (RESIZE_BITS - 1)};

		for (int j = 0; j < axis->count[x]; j++, from += 4)
			for (int c = 0; c < 4; c++)
				sum[c] += from[c] * weight[j];
		for (int c = 0; c < 4; c++)
			dst[c] = resized(sum[c]);
	}
}

#define STRIP 64 /* bytes of a row whose sums stay in registers */

static inline __attribute__((always_inline)) void resize_strip(uint8_t *dst, const uint8_t *src,
							       size_t bytes, const int32_t *weight,
							       int taps, const int width)
{
	int32_t sum[STRIP];

	for (int x = 0; x < width; x++)
		sum[x] = 1 << (RESIZE_BITS - 1);
	for (int j = 0; j < taps; j++, src += bytes)
		for (int x = 0; x < width; x++)
			sum[x] += src[x] * weight[j];
	for (int x = 0; x < width; x++)
		dst[x] = resized(sum[x]);
}

static void resize_column(uint8_t *dst, const uint8_t *src, size_t bytes,
			  const struct fvsr_resize_axis *axis, int i)
{
	const int32_t *weight = axis->weight + (size_t)i * axis->taps;
	size_t x = 0;

	src += (size_t)axis->first[i] * bytes;
	for (; x + STRIP <= bytes; x += STRIP)
		resize_strip(dst + x, src + x, bytes, weight, axis->count[i], STRIP);
	for (; x < bytes; x += 4)
		resize_strip(dst + x, src + x, bytes, weight, axis->count[i], 4);
}

const struct fvsr_loops LOOPS = {
	.name = LOOPS_NAME,
	.attend = attend,
	.soft_clamp = soft_clamp,
	.gate = gate,
	.statistics = statistics,
	.follow = follow,
	.lift = lift,
	.blur_row = blur_row,
	.blur_column = blur_column,
	.pixels = pixels,
	.planes = planes,
	.resize_row = resize_row,
	.resize_column = resize_column,
	.winograd_in = winograd_in,
	.winograd_multiply = winograd_multiply,
	.winograd_out = winograd_out,
};
