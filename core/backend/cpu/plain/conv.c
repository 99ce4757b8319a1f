/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The convolutions of the projection (section 4), the decoder (section 7) and the trunk (section
 * 11), NHWC, tap by tap.
 */
#include "backend/cpu/plain/plain.h"

#include <math.h>

static bool within(int value, int limit)
{
	return value >= 0 && value < limit;
}

static float conv_frames_at(const struct fvsr_conv_frames *a, int output, int y, int x, int n)
{
	const float *weight = (const float *)a->weight + (size_t)n * 36 * a->cin;
	float sum = ((const float *)a->bias)[n];

	for (int t = 0; t < 4; t++) {
		const float *frame =
			(const float *)a->src + (size_t)a->taps[output][t] * a->h * a->w * a->cin;

		for (int i = 0; i < 9; i++, weight += a->cin) {
			size_t row = (size_t)fvsr_cpu_clamp_index(y + i / 3 - 1, a->h);
			size_t column = (size_t)fvsr_cpu_clamp_index(x + i % 3 - 1, a->w);

			sum += fvsr_plain_dot(frame + (row * a->w + column) * a->cin, weight,
					      a->cin);
		}
	}
	return sum;
}

void fvsr_plain_conv_frames(struct fvsr_queue *queue, const struct fvsr_conv_frames *a)
{
	float *dst = a->dst;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int row = 0; row < a->outputs * a->h; row++)
		for (int x = 0; x < a->w; x++)
			for (int n = 0; n < a->cout; n++)
				dst[((size_t)row * a->w + x) * a->cout + n] =
					conv_frames_at(a, row / a->h, row % a->h, x, n);
}

/* Returns the sum of a square kernel whose first tap is at (y, x), borders zero. */
static float window(const float *frame, const float *weight, size_t weight_step, int y, int x,
		    int size, int h, int w, int channels)
{
	float sum = 0;

	for (int i = 0; i < size * size; i++, weight += weight_step) {
		int row = y + i / size, column = x + i % size;

		if (within(row, h) && within(column, w))
			sum += fvsr_plain_dot(frame + ((size_t)row * w + column) * channels, weight,
					      channels);
	}
	return sum;
}

static float sigmoid(float x)
{
	return 1 / (1 + expf(-x));
}

static float conv3x3_at(const struct fvsr_conv3x3 *a, int frame, int y, int x, int n)
{
	size_t step = (size_t)a->cin * (a->past ? 2 : 1);
	size_t offset = (size_t)frame * a->h * a->w;
	const float *weight = (const float *)a->weight + (size_t)n * 9 * step;
	float sum = a->bias ? ((const float *)a->bias)[n] : 0, residual = 0;

	sum += window((const float *)a->src + offset * a->cin, weight, step, y - 1, x - 1, 3, a->h,
		      a->w, a->cin);
	if (a->past)
		sum += window((const float *)a->past + offset * a->cin, weight + a->cin, step,
			      y - 1, x - 1, 3, a->h, a->w, a->cin);
	if (a->end == FVSR_END_SILU)
		return sum * sigmoid(sum);
	if (a->residual)
		residual =
			((const float *)a->residual)[(offset + (size_t)y * a->w + x) * a->cout + n];
	if (a->end == FVSR_END_GATE)
		return (sum + residual) * (sigmoid(sum) - 0.5f);
	sum += residual;
	return a->relu && sum < 0 ? 0 : sum;
}

void fvsr_plain_conv3x3(struct fvsr_queue *queue, const struct fvsr_conv3x3 *a)
{
	float *dst = a->dst;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int row = 0; row < a->frames * a->h; row++)
		for (int x = 0; x < a->w; x++)
			for (int n = 0; n < a->cout; n++)
				dst[((size_t)row * a->w + x) * a->cout + n] =
					conv3x3_at(a, row / a->h, row % a->h, x, n);
}

static float upsample_at(const struct fvsr_upsample_conv *a, int frame, int y, int x, int n)
{
	int dy = y & 1, dx = x & 1, size = a->ksize;
	size_t step = (size_t)a->cin, taps = (size_t)size * size;
	size_t phase = (size_t)(frame % a->grow) * 4 + dy * 2 + dx;
	const float *weight = (const float *)a->weight + (phase * a->cout + n) * taps * step;
	const float *src = (const float *)a->src + (size_t)(frame / a->grow) * a->h * a->w * a->cin;
	float sum = window(src, weight, step, y / 2 - 1 + (size == 2 ? dy : 0),
			   x / 2 - 1 + (size == 2 ? dx : 0), size, a->h, a->w, a->cin);

	return a->relu && sum < 0 ? 0 : sum;
}

void fvsr_plain_upsample_conv(struct fvsr_queue *queue, const struct fvsr_upsample_conv *a)
{
	int height = 2 * a->h, width = 2 * a->w;
	float *dst = a->dst;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int row = 0; row < a->frames * a->grow * height; row++)
		for (int x = 0; x < width; x++)
			for (int n = 0; n < a->cout; n++)
				dst[((size_t)row * width + x) * a->cout + n] =
					upsample_at(a, row / height, row % height, x, n);
}

void fvsr_plain_conv_rgb(struct fvsr_queue *queue, const struct fvsr_conv_rgb *a)
{
	size_t plane = (size_t)a->h * a->w, kernel = (size_t)9 * a->cin;
	float *dst = a->dst;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int y = 0; y < a->h; y++) {
		for (int x = 0; x < a->w; x++) {
			for (int n = 0; n < 3; n++) {
				size_t at = n * plane + (size_t)y * a->w + x;
				float sum =
					((const float *)a->bias)[n] +
					window(a->src, (const float *)a->weight + n * kernel,
					       (size_t)a->cin, y - 1, x - 1, 3, a->h, a->w, a->cin);

				dst[at] = a->canvas ? ((const float *)a->canvas)[at] + sum
						    : sum * 2 - 1;
			}
		}
	}
}

static float mix_at(const struct fvsr_mix *a, size_t position, size_t positions, int n)
{
	const float *weight = (const float *)a->weight + (size_t)n * a->sources * a->cin;
	float sum = ((const float *)a->bias)[n];

	for (int i = 0; i < a->sources; i++, weight += a->cin)
		sum += fvsr_plain_dot((const float *)a->src + (i * positions + position) * a->cin,
				      weight, a->cin);
	return sum;
}

void fvsr_plain_mix(struct fvsr_queue *queue, const struct fvsr_mix *a)
{
	size_t positions = (size_t)a->h * a->w;
	float *dst = a->dst;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (size_t i = 0; i < positions; i++)
		for (int n = 0; n < a->cout; n++)
			dst[i * a->cout + n] = mix_at(a, i, positions, n);
}
