/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The arithmetic of winograd.h, a part of loops_body.h. Channels lie side by side, so every
 * transform works on vectors of them. The interpolation points are 0, 1, -1, 2, -2 and infinity.
 */
#include "backend/cpu/fast/winograd.h"

#define SIDE FVSR_WINOGRAD_IN

/* Transforms the six values of a line of the input. */
static inline __attribute__((always_inline)) void line_in(vector *out, const int step,
							  const vector *d)
{
	const vector four = d[4] - 4 * d[2], three = d[3] - 4 * d[1];
	const vector even = d[4] - d[2], odd = 2 * (d[3] - d[1]);

	out[0] = 4 * d[0] - 5 * d[2] + d[4];
	out[1 * step] = four + three;
	out[2 * step] = four - three;
	out[3 * step] = even + odd;
	out[4 * step] = even - odd;
	out[5 * step] = 4 * d[1] - 5 * d[3] + d[5];
}

/* Transforms a line to the four values of the output. */
static inline __attribute__((always_inline)) void line_out(vector *out, const int step,
							   const vector *m)
{
	const vector a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];

	out[0] = m[0] + a + c;
	out[1 * step] = b + 2 * d;
	out[2 * step] = a + 4 * c;
	out[3 * step] = b + 8 * d + m[5];
}

/* Transforms 36 pixels, row by row, of 'channels' channels to v[i * step + c]. */
static void winograd_in(float *v, size_t step, const float *const *pixels, int channels)
{
	for (int c = 0; c < channels; c += LANES) {
		vector line[SIDE], half[SIDE * SIDE], out[SIDE];

#pragma GCC unroll 6
		for (int y = 0; y < SIDE; y++) {
#pragma GCC unroll 6
			for (int x = 0; x < SIDE; x++)
				line[x] = *(const vector *)(pixels[y * SIDE + x] + c);
			line_in(half + y, SIDE, line);
		}
#pragma GCC unroll 6
		for (int x = 0; x < SIDE; x++) {
			line_in(out, 1, half + x * SIDE);
#pragma GCC unroll 6
			for (int y = 0; y < SIDE; y++)
				*(vector *)(v + (size_t)(y * SIDE + x) * step + c) = out[y];
		}
	}
}

#if LANES == 16
#define TALL 8
#else
#define TALL 4
#endif
#define WIDE 3

static inline __attribute__((always_inline)) void
winograd_rows(float *m, const float *v, const float *u, int depth, int columns, const int rows)
{
	const int lanes = LANES;
	int j = 0;

	for (; j + WIDE * lanes <= columns; j += WIDE * lanes)
		product_part(m + j, v, (size_t)depth, 1, u + j, depth, (size_t)columns, rows, WIDE,
			     false);
	if (j + 2 * lanes <= columns) {
		product_part(m + j, v, (size_t)depth, 1, u + j, depth, (size_t)columns, rows, 2,
			     false);
		j += 2 * lanes;
	}
	if (j < columns)
		product_part(m + j, v, (size_t)depth, 1, u + j, depth, (size_t)columns, rows, 1,
			     false);
}

/* Computes m (tiles, columns) = v (tiles, depth) u (depth, columns). */
static void winograd_multiply(float *m, const float *v, const float *u, int tiles, int depth,
			      int columns)
{
	int i = 0;

	for (; i + TALL <= tiles; i += TALL)
		winograd_rows(m + (size_t)i * (size_t)columns, v + (size_t)i * (size_t)depth, u,
			      depth, columns, TALL);
	for (; i < tiles; i++)
		winograd_rows(m + (size_t)i * (size_t)columns, v + (size_t)i * (size_t)depth, u,
			      depth, columns, 1);
}

static inline vector positive(vector x)
{
	return (vector)((mask)x & (x > 0));
}

/* Returns what becomes of a result and its residual, which may be NULL. */
static inline __attribute__((always_inline)) vector
winograd_end(const struct fvsr_winograd_tile *tile, vector value, const float *residual)
{
	if (tile->end == FVSR_END_SILU)
		return value * sigmoid(value);
	if (tile->end == FVSR_END_GATE)
		return (value + *(const vector *)residual) * (sigmoid(value) - 0.5f);
	if (residual)
		value += *(const vector *)residual;
	return tile->relu ? positive(value) : value;
}

/* Transforms m[i * step + c] back to pixels of the result. */
static void winograd_out(const struct fvsr_winograd_tile *tile, const float *m, size_t step)
{
	for (int c = 0; c < tile->channels; c += LANES) {
		const vector bias = tile->bias ? *(const vector *)(tile->bias + c) : (vector){0};
		vector line[SIDE], half[4 * SIDE], out[4];

#pragma GCC unroll 6
		for (int x = 0; x < SIDE; x++) {
#pragma GCC unroll 6
			for (int y = 0; y < SIDE; y++)
				line[y] = *(const vector *)(m + (size_t)(y * SIDE + x) * step + c);
			line_out(half + x, SIDE, line);
		}
		for (int y = 0; y < tile->height; y++) {
			line_out(out, 1, half + y * SIDE);
			for (int x = 0; x < tile->width; x++) {
				const size_t at =
					(size_t)y * tile->row + (size_t)x * tile->pixel + (size_t)c;
				vector value = out[x] + bias;

				*(vector *)(tile->dst + at) = winograd_end(
					tile, value, tile->residual ? tile->residual + at : NULL);
			}
		}
	}
}
