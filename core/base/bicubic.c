/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bicubic on the host: the tables of weights, and the two passes (sections 1 and 3).
 */
#include "base/bicubic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fvsr/fvsr.h"

#define RESIZE_BITS 22 /* Pillow's precision for 8-bit channels */

static double keys(double x)
{
	x = fabs(x);
	if (x < 1)
		return (1.5 * x - 2.5) * x * x + 1;
	if (x < 2)
		return ((-0.5 * x + 2.5) * x - 4) * x + 2;
	return 0;
}

int fvsr_resize_axis_init(struct fvsr_resize_axis *axis, int in, int out)
{
	double scale = (double)in / out, wide = scale > 1 ? scale : 1, support = 2 * wide;
	int taps = (int)ceil(support) * 2 + 1;
	double *weight;

	if (axis->in == in && axis->out == out)
		return 0;
	fvsr_resize_axis_clear(axis);
	weight = malloc((size_t)taps * sizeof(*weight));
	axis->first = malloc((size_t)out * sizeof(*axis->first));
	axis->count = malloc((size_t)out * sizeof(*axis->count));
	axis->weight = calloc((size_t)out * taps, sizeof(*axis->weight));
	if (!weight || !axis->first || !axis->count || !axis->weight) {
		free(weight);
		fvsr_resize_axis_clear(axis);
		return FVSR_ERR_MEMORY;
	}
	for (int i = 0; i < out; i++) {
		double center = (i + 0.5) * scale, sum = 0;
		int first = (int)(center - support + 0.5), end = (int)(center + support + 0.5);
		int count;

		first = first < 0 ? 0 : first;
		end = end > in ? in : end;
		count = end - first;
		for (int j = 0; j < count; j++)
			sum += weight[j] = keys((first + j - center + 0.5) / wide);
		for (int j = 0; j < count; j++)
			axis->weight[(size_t)i * taps + j] =
				(int32_t)lround(weight[j] / sum * (1 << RESIZE_BITS));
		axis->first[i] = first;
		axis->count[i] = count;
	}
	free(weight);
	axis->in = in, axis->out = out, axis->taps = taps;
	return 0;
}

void fvsr_resize_axis_clear(struct fvsr_resize_axis *axis)
{
	free(axis->first);
	free(axis->count);
	free(axis->weight);
	memset(axis, 0, sizeof(*axis));
}

/* Computes one output value of four channels; inputs are 'step' bytes apart. */
static void resize_at(uint8_t *dst, const uint8_t *src, size_t step,
		      const struct fvsr_resize_axis *axis, int i)
{
	const int32_t *weight = axis->weight + (size_t)i * axis->taps;
	int32_t sum[4];

	for (int c = 0; c < 4; c++)
		sum[c] = 1 << (RESIZE_BITS - 1);
	src += (size_t)axis->first[i] * step;
	for (int j = 0; j < axis->count[i]; j++, src += step)
		for (int c = 0; c < 4; c++)
			sum[c] += src[c] * weight[j];
	for (int c = 0; c < 4; c++) {
		int32_t value = sum[c] >> RESIZE_BITS;

		dst[c] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
	}
}

void fvsr_resize_u8x4(uint8_t *dst, uint8_t *rows, const uint8_t *src, size_t src_stride,
		      const struct fvsr_resize_axis *horizontal,
		      const struct fvsr_resize_axis *vertical, int threads)
{
	size_t row_bytes = (size_t)horizontal->out * 4;

	(void)threads; /* without OpenMP */
#pragma omp parallel for num_threads(threads)
	for (int y = 0; y < vertical->in; y++)
		for (int x = 0; x < horizontal->out; x++)
			resize_at(rows + y * row_bytes + (size_t)x * 4, src + y * src_stride, 4,
				  horizontal, x);
#pragma omp parallel for num_threads(threads)
	for (int y = 0; y < vertical->out; y++)
		for (int x = 0; x < horizontal->out; x++)
			resize_at(dst + y * row_bytes + (size_t)x * 4, rows + (size_t)x * 4,
				  row_bytes, vertical, y);
}
