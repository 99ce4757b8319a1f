/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens to every pixel of every frame: canvas, decoder's features, colour (sections 3, 7 and
 * 8). The arithmetic is that of the plain ops, but row by row, so that a row stays in the cache
 * between the steps.
 */
#include "backend/cpu/fast/fast.h"

#include "backend/cpu/plain/plain.h"

#include <math.h>
#include <string.h>

/* Makes row y of the canvas of its visible pixels, the last one repeated to the right. */
static void canvas_row(const struct fvsr_ingest *a, const struct fvsr_loops *loops,
		       const uint8_t *pixels, int y)
{
	size_t plane = (size_t)a->pad_width * a->pad_height;
	float *row = (float *)a->canvas + (size_t)y * a->pad_width;
	bool swap = a->src->format == FVSR_FORMAT_BGRA8;

	loops->planes(row + (swap ? 2 * plane : 0), row + plane, row + (swap ? 0 : 2 * plane),
		      (uint8_t *)a->alpha + (size_t)y * a->width, pixels, (size_t)a->width);
	for (int c = 0; c < 3; c++, row += plane)
		for (int x = a->width; x < a->pad_width; x++)
			row[x] = row[a->width - 1];
}

static void repeat_last_row(const struct fvsr_ingest *a)
{
	size_t stride = (size_t)a->pad_width;

	for (int c = 0; c < 3; c++) {
		float *plane = (float *)a->canvas + c * stride * a->pad_height;

		for (int y = a->height; y < a->pad_height; y++)
			memcpy(plane + y * stride, plane + (a->height - 1) * stride,
			       stride * sizeof(*plane));
	}
}

void fvsr_fast_ingest(struct fvsr_queue *queue, const struct fvsr_ingest *a)
{
	const struct fvsr_cpu_queue *cpu = (const struct fvsr_cpu_queue *)queue;
	const struct fvsr_loops *loops = fvsr_fast_loops(queue);
	size_t row_bytes = (size_t)a->width * 4;
	uint8_t *rows = queue->scratch, *finished;

	fvsr_queue_scratch(queue, row_bytes * ((size_t)a->src->height + fvsr_cpu_threads(queue)));
	if (queue->planning || a->src->format == FVSR_FORMAT_RGBF32P ||
	    a->src->memory != FVSR_MEMORY_HOST) {
		fvsr_plain_ingest(queue, a);
		return;
	}
	if (fvsr_queue_idle(queue))
		return;
	finished = rows + row_bytes * a->src->height;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int y = 0; y < a->src->height; y++)
		loops->resize_row(rows + y * row_bytes,
				  (const uint8_t *)a->src->data + y * a->src->stride,
				  &cpu->horizontal);
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int y = 0; y < a->height; y++) {
		uint8_t *pixels = finished + fvsr_cpu_thread() * row_bytes;

		loops->resize_column(pixels, rows, row_bytes, &cpu->vertical, y);
		canvas_row(a, loops, pixels, y);
	}
	repeat_last_row(a);
}

void fvsr_fast_decoder_input(struct fvsr_queue *queue, const struct fvsr_decoder_input *a)
{
	const struct fvsr_loops *loops = fvsr_fast_loops(queue);
	size_t channels = FVSR_CONDITION_SAMPLES + (size_t)a->channels, width = (size_t)a->lw * 8;
	size_t plane = width * a->lh * 8;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int i = 0; i < a->lh * a->lw; i++) {
		float *out = (float *)a->dst + i * channels;
		size_t corner = (size_t)(i / a->lw) * 8 * width + (size_t)(i % a->lw) * 8;

		for (size_t n = 0; n < 96; n++) {
			const float *canvas = a->canvas[n / 8 % 4];

			memcpy(out + n * 8, canvas + n / 32 * plane + corner + n % 8 * width,
			       8 * sizeof(*out));
		}
		memcpy(out + FVSR_CONDITION_SAMPLES,
		       (const float *)a->latent + (size_t)i * a->channels,
		       (size_t)a->channels * sizeof(*out));
		loops->soft_clamp(out, channels);
	}
}

/* ------------------------------------------------------------------------------------------- */
/* Colour                                                                                      */

/*
 * Measures mean and deviation of the visible part of the picture's and the canvas's planes; 'room'
 * holds 12 doubles a row.
 */
static void measure(struct fvsr_queue *queue, const struct fvsr_color_finish *a, double *room,
		    float result[6][2])
{
	const struct fvsr_loops *loops = fvsr_fast_loops(queue);
	size_t plane = (size_t)a->pad_width * a->pad_height;
	double n = (double)a->width * a->height;

#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int y = 0; y < a->height; y++) {
		double *sums = room + (size_t)y * 12;

		for (int i = 0; i < 12; i++)
			sums[i] = 0;
		for (int i = 0; i < 6; i++)
			loops->statistics(sums + 2 * i,
					  (const float *)(i < 3 ? a->decoded : a->canvas) +
						  i % 3 * plane + (size_t)y * a->pad_width,
					  (size_t)a->width);
	}
	for (int i = 0; i < 6; i++) {
		double sum = 0, squares = 0, variance;

		for (int y = 0; y < a->height; y++) {
			sum += room[(size_t)y * 12 + 2 * i];
			squares += room[(size_t)y * 12 + 2 * i + 1];
		}
		sum /= n;
		variance = fmax(squares / n - sum * sum, 0);
		result[i][0] = (float)sum;
		result[i][1] = (float)sqrt(variance + 1e-5);
	}
}

/* Copies a finished row to wherever it is wanted. */
static void finish_row(const struct fvsr_color_finish *a, const struct fvsr_loops *loops,
		       float *const row[3], int y)
{
	size_t n = (size_t)a->width * a->height, at = (size_t)y * a->width;
	bool swap = a->format == FVSR_FORMAT_BGRA8;

	for (int c = 0; c < 3; c++) {
		if (a->final)
			memcpy((float *)a->final + c * n + at, row[c],
			       (size_t)a->width * sizeof(float));
		if (a->format == FVSR_FORMAT_RGBF32P)
			memcpy((float *)a->dst + c * n + at, row[c],
			       (size_t)a->width * sizeof(float));
	}
	if (a->format != FVSR_FORMAT_RGBF32P)
		loops->pixels((uint8_t *)a->dst + at * 4, row[swap ? 2 : 0], row[1],
			      row[swap ? 0 : 2], (const uint8_t *)a->alpha + at, (size_t)a->width,
			      a->nearest ? 0.5f : 0.0f);
}

/* Blurs a plane for one level of the wavelet; 'rows' is room for the first pass. */
static void blur_plane(struct fvsr_queue *queue, const struct fvsr_color_finish *a, float *plane,
		       float *rows, int step)
{
	const struct fvsr_loops *loops = fvsr_fast_loops(queue);
	size_t width = (size_t)a->width;
	int last = a->height - 1;

#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int y = 0; y < a->height; y++)
		loops->blur_row(rows + y * width, plane + y * width, a->width, step);
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int y = 0; y < a->height; y++)
		loops->blur_column(plane + y * width, rows + (y < step ? 0 : y - step) * width,
				   rows + y * width,
				   rows + (y + step < last ? y + step : last) * width, width);
}

/*
 * Makes the canvas's low frequencies less the picture's, three planes; 'low' has room for a fourth.
 */
static void low_frequencies(struct fvsr_queue *queue, const struct fvsr_color_finish *a, float *low)
{
	size_t plane = (size_t)a->pad_width * a->pad_height, n = (size_t)a->width * a->height;

	for (int c = 0; c < 3; c++) {
		float *out = low + c * n;

#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
		for (int y = 0; y < a->height; y++) {
			size_t at = c * plane + (size_t)y * a->pad_width;

			for (int x = 0; x < a->width; x++)
				out[(size_t)y * a->width + x] =
					fvsr_picture_sample(((const float *)a->canvas)[at + x]) -
					fvsr_picture_sample(((const float *)a->decoded)[at + x]);
		}
		for (int level = 0; level < 5; level++)
			blur_plane(queue, a, out, low + 3 * n, 1 << level);
	}
}

/* What the rows of the result are made of. */
struct correction {
	float statistics[6][2]; /* adain: mean and deviation of picture and canvas */
	const float *low;       /* wavelet */
};

static void correct_row(const struct fvsr_color_finish *a, const struct fvsr_loops *loops,
			const struct correction *correction, float *out, int c, int y)
{
	static const float same[2] = {0, 1};
	const float *x = (const float *)a->decoded + ((size_t)c * a->pad_height + y) * a->pad_width;
	size_t n = (size_t)a->width;

	if (a->mode == FVSR_COLOR_WAVELET)
		loops->lift(out, x, correction->low + ((size_t)c * a->height + y) * n, n);
	else if (a->mode == FVSR_COLOR_ADAIN)
		loops->follow(out, x, n, correction->statistics[c], correction->statistics[3 + c]);
	else
		loops->follow(out, x, n, same, same);
}

void fvsr_fast_color_finish(struct fvsr_queue *queue, const struct fvsr_color_finish *a)
{
	const struct fvsr_loops *loops = fvsr_fast_loops(queue);
	size_t width = (size_t)a->width;
	size_t sums = (size_t)a->height * 12 * sizeof(double);
	size_t planes = 4 * width * a->height * sizeof(float);
	size_t room = fvsr_cpu_aligned(a->mode == FVSR_COLOR_WAVELET ? planes : sums);
	struct correction correction = {.low = queue->scratch};
	float *rows;

	fvsr_queue_scratch(queue, room + 3 * width * fvsr_cpu_threads(queue) * sizeof(float));
	if (fvsr_queue_idle(queue))
		return;
	rows = (float *)((char *)queue->scratch + room);
	if (a->mode == FVSR_COLOR_WAVELET)
		low_frequencies(queue, a, queue->scratch);
	else if (a->mode == FVSR_COLOR_ADAIN)
		measure(queue, a, queue->scratch, correction.statistics);
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int y = 0; y < a->height; y++) {
		float *first = rows + 3 * width * fvsr_cpu_thread();
		float *const row[3] = {first, first + width, first + 2 * width};

		for (int c = 0; c < 3; c++)
			correct_row(a, loops, &correction, row[c], c, y);
		finish_row(a, loops, row, y);
	}
}
