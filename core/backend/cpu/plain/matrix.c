/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ops on rows: matrix products, norms and rotary embedding (sections 4 and 5).
 */
#include "backend/cpu/plain/plain.h"

#include <math.h>

#define PI 3.14159265358979323846

static float activate(float x, enum fvsr_activation activation)
{
	switch (activation) {
	case FVSR_ACT_SILU:
		return x / (1 + expf(-x));
	case FVSR_ACT_GELU_TANH:
		return 0.5f * x * (1 + tanhf(0.7978845608f * (x + 0.044715f * x * x * x)));
	case FVSR_ACT_NONE:
		break;
	}
	return x;
}

void fvsr_plain_linear(struct fvsr_queue *queue, const struct fvsr_linear *a)
{
	const float *x = a->x, *weight = a->weight, *bias = a->bias, *residual = a->residual;
	float *y = a->y;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int m = 0; m < a->m; m++) {
		const float *row = x + (size_t)m * a->k;

		for (int n = 0; n < a->n; n++) {
			size_t at = (size_t)m * a->n + n;
			float sum = fvsr_plain_dot(row, weight + (size_t)n * a->k, a->k) + bias[n];

			sum = activate(sum, a->activation);
			y[at] = residual ? residual[at] + sum : sum;
		}
	}
}

void fvsr_plain_rms_silu(struct fvsr_queue *queue, void *dst, const void *src, const void *gamma,
			 int rows, int channels)
{
	const float *g = gamma;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int i = 0; i < rows; i++) {
		const float *x = (const float *)src + (size_t)i * channels;
		float *y = (float *)dst + (size_t)i * channels;
		float scale = sqrtf((float)channels) /
			      fmaxf(sqrtf(fvsr_plain_dot(x, x, channels)), 1e-12f);

		for (int c = 0; c < channels; c++)
			y[c] = activate(x[c] * scale * g[c], FVSR_ACT_SILU);
	}
}

void fvsr_plain_layer_norm(struct fvsr_queue *queue, void *dst, const void *src, const void *scale,
			   const void *shift, int rows, int dim, float eps)
{
	const float *s = scale, *b = shift;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int i = 0; i < rows; i++) {
		const float *x = (const float *)src + (size_t)i * dim;
		float *y = (float *)dst + (size_t)i * dim;
		double sum = 0, squares = 0, mean;
		float inverse;

		for (int c = 0; c < dim; c++)
			sum += x[c];
		mean = sum / dim;
		for (int c = 0; c < dim; c++)
			squares += (x[c] - mean) * (x[c] - mean);
		inverse = (float)(1 / sqrt(squares / dim + eps));
		for (int c = 0; c < dim; c++)
			y[c] = (x[c] - (float)mean) * inverse * s[c] + b[c];
	}
}

static float rms_scale(const float *x, int dim, float eps)
{
	return 1 / sqrtf(fvsr_plain_dot(x, x, dim) / (float)dim + eps);
}

void fvsr_plain_rms_norm(struct fvsr_queue *queue, void *dst, const void *src, const void *weight,
			 int rows, int dim, float eps)
{
	const float *w = weight;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int i = 0; i < rows; i++) {
		const float *x = (const float *)src + (size_t)i * dim;
		float *y = (float *)dst + (size_t)i * dim;
		float scale = rms_scale(x, dim, eps);

		for (int c = 0; c < dim; c++)
			y[c] = x[c] * scale * w[c];
	}
}

void fvsr_plain_add(struct fvsr_queue *queue, void *dst, const void *src, size_t count)
{
	if (fvsr_queue_idle(queue))
		return;
	for (size_t i = 0; i < count; i++)
		((float *)dst)[i] += ((const float *)src)[i];
}

void fvsr_plain_rope_table(struct fvsr_queue *queue, void *dst, int64_t first, int positions,
			   int size)
{
	float *table = dst;

	if (fvsr_queue_idle(queue))
		return;
	for (int i = 0; i < positions; i++) {
		for (int j = 0; j < size / 2; j++) {
			double angle = (double)(first + i) * pow(10000.0, -2.0 * j / size);

			angle = fmod(angle, 2 * PI);
			*table++ = (float)cos(angle);
			*table++ = (float)sin(angle);
		}
	}
}

/* Rotates the pairs of one part of a head. */
static void rotate(float *x, const float *table, int size)
{
	for (int j = 0; j < size / 2; j++) {
		float even = x[2 * j], odd = x[2 * j + 1];

		x[2 * j] = even * table[2 * j] - odd * table[2 * j + 1];
		x[2 * j + 1] = even * table[2 * j + 1] + odd * table[2 * j];
	}
}

static void norm_and_rotate(const struct fvsr_qk_rope *a, float *dst, const float *src,
			    const float *weight, int frame, int row, int column)
{
	int head_dim = a->dim / a->heads;
	int part = fvsr_rope_side(head_dim), first = fvsr_rope_frame(head_dim);
	float scale = rms_scale(src, a->dim, a->eps);

	for (int c = 0; c < a->dim; c++)
		dst[c] = src[c] * scale * weight[c];
	for (int head = 0; head < a->heads; head++, dst += head_dim) {
		rotate(dst, (const float *)a->rope_frame + (size_t)frame * first, first);
		rotate(dst + first, (const float *)a->rope_row + (size_t)row * part, part);
		rotate(dst + first + part, (const float *)a->rope_column + (size_t)column * part,
		       part);
	}
}

static void block_mean(float *mean, const float *tokens, int dim)
{
	for (int c = 0; c < dim; c++) {
		double sum = 0;

		for (int i = 0; i < FVSR_BLOCK_TOKENS; i++)
			sum += tokens[(size_t)i * dim + c];
		mean[c] = (float)(sum / FVSR_BLOCK_TOKENS);
	}
}

void fvsr_plain_qk_rope(struct fvsr_queue *queue, const struct fvsr_qk_rope *a)
{
	int columns = a->w / 8, blocks = a->h / 8 * columns;
	size_t dim = (size_t)a->dim;

	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int block = 0; block < blocks; block++) {
		size_t base = (size_t)block * FVSR_BLOCK_TOKENS * dim;

		for (int i = 0; i < FVSR_BLOCK_TOKENS; i++) {
			int frame = i / 64;
			int row = block / columns * 8 + i / 8 % 8;
			int column = block % columns * 8 + i % 8;
			size_t token = ((size_t)frame * a->h + row) * a->w + column;
			const float *qkv = (const float *)a->qkv + token * 3 * dim;
			float *v = (float *)a->v + base + i * dim;

			norm_and_rotate(a, (float *)a->q + base + i * dim, qkv, a->norm_q, frame,
					row, column);
			norm_and_rotate(a, (float *)a->k + base + i * dim, qkv + dim, a->norm_k,
					frame, row, column);
			for (size_t c = 0; c < dim; c++)
				v[c] = qkv[2 * dim + c];
		}
		block_mean((float *)a->q_mean + block * dim, (float *)a->q + base, a->dim);
		block_mean((float *)a->k_mean + block * dim, (float *)a->k + base, a->dim);
	}
}
