/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text of the loops, included once for each processor generation with LOOPS and LOOPS_NAME set.
 * Nothing here is specific to one: vectors are the compiler's own, as wide as the target's.
 */
#include "onednn_loops.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif

/* At any address, and allowed to look at memory of floats. */
typedef float vector __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

#define ROWS 4
#define COLUMNS (LANES == 16 ? 4 : 2) /* vectors: what fits the registers */

/*
 * e^x for x <= 88: x = n ln 2 + r with |r| <= ln 2 / 2, e^r by its series up to r^7 (error 6e-9),
 * 2^n by its bits. Tiny results become 0.
 */
static inline float exponential(float x)
{
	float shifted, n, r, sum;
	int32_t bits;

	x = x < -87 ? -87 : x;
	shifted = x * 1.44269504f + 12582912.0f; /* 1.5 * 2^23: rounds to an integer */
	n = shifted - 12582912.0f;
	r = x - n * 0.693359375f + n * 2.12194440e-4f;
	sum = r * (1.0f / 5040) + 1.0f / 720;
	sum = sum * r + 1.0f / 120;
	sum = sum * r + 1.0f / 24;
	sum = sum * r + 1.0f / 6;
	sum = sum * r + 0.5f;
	sum = sum * r + 1;
	sum = sum * r + 1;
	memcpy(&bits, &shifted, sizeof(bits));
	bits = (int32_t)((uint32_t)(bits + 127) << 23);
	memcpy(&r, &bits, sizeof(r));
	return sum * r;
}

/* out[i][j] (+)= sum over k of a[i * row + k * step] b[k][j], for 'rows' <= ROWS rows. */
static inline __attribute__((always_inline)) void
product_rows(float *out, const float *a, size_t row, size_t step, const float *b, int depth,
	     const int rows, bool accumulate)
{
	for (int j = 0; j < FVSR_TILE; j += LANES * COLUMNS) {
		vector sum[ROWS][COLUMNS];

#pragma GCC unroll 8
		for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
			for (int c = 0; c < COLUMNS; c++)
				sum[i][c] = accumulate ? *(const vector *)(out + i * FVSR_TILE + j +
									   c * LANES)
						       : (vector){0};
		for (int k = 0; k < depth; k++) {
			vector right[COLUMNS];

#pragma GCC unroll 8
			for (int c = 0; c < COLUMNS; c++)
				right[c] = *(const vector *)(b + (size_t)k * FVSR_TILE + j +
							     c * LANES);
#pragma GCC unroll 8
			for (int i = 0; i < rows; i++) {
				float left = a[i * row + k * step];

#pragma GCC unroll 8
				for (int c = 0; c < COLUMNS; c++)
					sum[i][c] += left * right[c];
			}
		}
#pragma GCC unroll 8
		for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
			for (int c = 0; c < COLUMNS; c++)
				*(vector *)(out + i * FVSR_TILE + j + c * LANES) = sum[i][c];
	}
}

/* out (rows, 128) (+)= a (rows, depth) b (depth, 128) */
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

/* Polynomial where the quotient of exponentials would lose digits. */
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

const struct fvsr_loops LOOPS = {
	.name = LOOPS_NAME,
	.attend = attend,
	.soft_clamp = soft_clamp,
};
