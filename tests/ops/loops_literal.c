/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What loops.h says, as literally as it can be written: the baseline is compared with this.
 */
#include "loops_literal.h"

#include <math.h>
#include <stdbool.h>

#include "backend/backend.h"
#include "backend/cpu/fast/winograd.h"
#include "base/bicubic.h"

/* Attends with one query to all the keys, whose scores are given. */
static void attend_one(const struct fvsr_attend *a, int query, const double *scores, const float *v,
		       size_t stride, int keys)
{
	double largest = a->largest[query], shrink, total;

	for (int i = 0; i < keys; i++)
		largest = fmax(largest, scores[i]);
	shrink = exp(a->largest[query] - largest);
	total = a->total[query] * shrink;
	for (int i = 0; i < keys; i++)
		total += exp(scores[i] - largest);
	for (int c = 0; c < a->head_dim; c++) {
		double sum = a->sums[c * FVSR_TILE + query] * shrink;

		for (int i = 0; i < keys; i++)
			sum += exp(scores[i] - largest) * v[(size_t)i * stride + c];
		a->sums[c * FVSR_TILE + query] = (float)sum;
	}
	a->total[query] = (float)total;
	a->largest[query] = (float)largest;
}

static void attend(const struct fvsr_attend *a, const float *k, const float *v, size_t stride,
		   int keys, const float *bias)
{
	double scores[FVSR_TILE];

	for (int query = 0; query < FVSR_TILE; query++) {
		for (int i = 0; i < keys; i++) {
			scores[i] = bias ? bias[i] : 0;
			for (int c = 0; c < a->head_dim; c++)
				scores[i] += (double)a->query[c * FVSR_TILE + query] *
					     k[(size_t)i * stride + c];
		}
		attend_one(a, query, scores, v, stride, keys);
	}
}

static void soft_clamp(float *x, size_t count)
{
	for (size_t i = 0; i < count; i++)
		x[i] = (float)(3 * tanh(x[i] / 3.0));
}

static double clamped(double x, double limit)
{
	return fmin(fmax(x, -limit), limit);
}

static void statistics(double *sums, const float *x, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const double value = clamped(x[i], FVSR_PICTURE_LIMIT);

		sums[0] += value;
		sums[1] += value * value;
	}
}

static void follow(float *out, const float *x, size_t count, const float *from, const float *to)
{
	for (size_t i = 0; i < count; i++) {
		const double value = clamped(x[i], FVSR_PICTURE_LIMIT);

		out[i] = (float)clamped((value - from[0]) / from[1] * to[1] + to[0], 1);
	}
}

static void lift(float *out, const float *x, const float *low, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (float)clamped(clamped(x[i], FVSR_PICTURE_LIMIT) + low[i], 1);
}

static void blur_row(float *out, const float *x, int width, int step)
{
	for (int i = 0; i < width; i++) {
		const int left = i - step < 0 ? 0 : i - step;
		const int right = i + step >= width ? width - 1 : i + step;

		out[i] = (float)((x[left] + 2.0 * x[i] + x[right]) / 4);
	}
}

static void blur_column(float *out, const float *above, const float *here, const float *below,
			size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (float)((above[i] + 2.0 * here[i] + below[i]) / 4);
}

static uint8_t level(float x, float half)
{
	return (uint8_t)fmin(floor((x + 1) * 127.5 + half), 255);
}

static void pixels(uint8_t *dst, const float *red, const float *green, const float *blue,
		   const uint8_t *alpha, size_t count, float half)
{
	for (size_t i = 0; i < count; i++) {
		dst[4 * i] = level(red[i], half);
		dst[4 * i + 1] = level(green[i], half);
		dst[4 * i + 2] = level(blue[i], half);
		dst[4 * i + 3] = alpha[i];
	}
}

/* Rounds as the definition does (the plain ingest): it is one of bits. */
static float sample(uint8_t value)
{
	return (float)value / 255.0f * 2.0f - 1.0f;
}

static void planes(float *red, float *green, float *blue, uint8_t *alpha, const uint8_t *src,
		   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		red[i] = sample(src[4 * i]);
		green[i] = sample(src[4 * i + 1]);
		blue[i] = sample(src[4 * i + 2]);
		alpha[i] = src[4 * i + 3];
	}
}

/* Returns output 'i' of an axis, whose inputs are 'step' bytes apart. */
static uint8_t resized(const struct fvsr_resize_axis *axis, int i, const uint8_t *src, size_t step)
{
	int64_t sum = 1 << 21;

	for (int j = 0; j < axis->count[i]; j++)
		sum += (int64_t)src[(size_t)(axis->first[i] + j) * step] *
		       axis->weight[(size_t)i * axis->taps + j];
	sum >>= 22;
	return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

static void resize_row(uint8_t *dst, const uint8_t *src, const struct fvsr_resize_axis *axis)
{
	for (int i = 0; i < axis->out * 4; i++)
		dst[i] = resized(axis, i / 4, src + i % 4, 4);
}

static void resize_column(uint8_t *dst, const uint8_t *src, size_t bytes,
			  const struct fvsr_resize_axis *axis, int i)
{
	for (size_t x = 0; x < bytes; x++)
		dst[x] = resized(axis, i, src + x, bytes);
}

/* The transforms of F(4x4, 3x3), as in section 4.2 of the paper that winograd.h names. */
static const double input_transform[6][6] = {
	{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
	{0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1},
};
static const double output_transform[4][6] = {
	{1, 1, 1, 1, 1, 0},
	{0, 1, -1, 2, -2, 0},
	{0, 1, 1, 4, 4, 0},
	{0, 1, -1, 8, -8, 1},
};

static void winograd_in(float *v, size_t step, const float *const *source, int channels)
{
	for (int i = 0; i < FVSR_WINOGRAD_ALL; i++)
		for (int c = 0; c < channels; c++) {
			double sum = 0;

			for (int j = 0; j < FVSR_WINOGRAD_ALL; j++)
				sum += input_transform[i / 6][j / 6] *
				       input_transform[i % 6][j % 6] * source[j][c];
			v[(size_t)i * step + c] = (float)sum;
		}
}

static void winograd_multiply(float *m, const float *v, const float *u, int tiles, int depth,
			      int columns)
{
	for (int i = 0; i < tiles * columns; i++) {
		double sum = 0;

		for (int k = 0; k < depth; k++)
			sum += (double)v[i / columns * depth + k] * u[k * columns + i % columns];
		m[i] = (float)sum;
	}
}

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static double winograd_end(const struct fvsr_winograd_tile *tile, double sum, double residual)
{
	if (tile->end == FVSR_END_SILU)
		return sum * sigmoid(sum);
	if (tile->end == FVSR_END_GATE)
		return (sum + residual) * (sigmoid(sum) - 0.5);
	sum += residual;
	return tile->relu ? fmax(sum, 0) : sum;
}

static void gate(float *o, const float *x, size_t count)
{
	for (size_t i = 0; i < count; i++)
		o[i] = (float)(((double)o[i] + x[i]) * (sigmoid(o[i]) - 0.5));
}

static void winograd_out(const struct fvsr_winograd_tile *tile, const float *m, size_t step)
{
	for (int i = 0; i < tile->height * tile->width * tile->channels; i++) {
		const int c = i % tile->channels, x = i / tile->channels % tile->width;
		const int y = i / tile->channels / tile->width;
		const size_t at = (size_t)y * tile->row + (size_t)x * tile->pixel + (size_t)c;
		double sum = tile->bias ? tile->bias[c] : 0;

		for (int j = 0; j < FVSR_WINOGRAD_ALL; j++)
			sum += output_transform[y][j / 6] * output_transform[x][j % 6] *
			       m[(size_t)j * step + c];
		tile->dst[at] =
			(float)winograd_end(tile, sum, tile->residual ? tile->residual[at] : 0);
	}
}

const struct fvsr_loops literal_loops = {
	.name = "literal",
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
