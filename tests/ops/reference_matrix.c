/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linear layers, norms and rotary embedding, in double precision (sections 4 and 5). */
#include <math.h>
#include <stdlib.h>

#include "reference.h"

static double silu(double x)
{
	return x / (1 + exp(-x));
}

static double gelu_tanh(double x)
{
	return 0.5 * x * (1 + tanh(sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
}

bool reference_linear(void)
{
	int m = pick_int(1, 40), n = pick_int(1, 40), k = pick_int(1, 200);
	float *x = random_floats((size_t)m * k), *w = random_floats((size_t)n * k);
	float *b = random_floats((size_t)n), *r = random_floats((size_t)m * n);
	float *y = room((size_t)m * n * sizeof(*y));
	double *want = room((size_t)m * n * sizeof(*want));
	enum fvsr_activation activation = (enum fvsr_activation)pick_int(1, 3);
	struct fvsr_linear a = {.y = y,
				.x = x,
				.weight = w,
				.bias = b,
				.residual = pick_int(0, 1) ? r : NULL,
				.m = m,
				.n = n,
				.k = k,
				.activation = activation};
	bool good;

	for (int i = 0; i < m * n; i++) {
		double sum = b[i % n];

		for (int j = 0; j < k; j++)
			sum += (double)x[i / n * k + j] * w[i % n * k + j];
		if (activation == FVSR_ACT_SILU)
			sum = silu(sum);
		else if (activation == FVSR_ACT_GELU_TANH)
			sum = gelu_tanh(sum);
		want[i] = sum + (a.residual ? r[i] : 0);
	}
	CALL(linear, &a);
	good = close_to("linear", y, want, (size_t)m * n, 1e-6);
	free(x), free(w), free(b), free(r), free(y), free(want);
	return good;
}

bool reference_norms(void)
{
	int rows = pick_int(1, 30), dim = pick_int(1, 200), offset = pick_int(-5, 5);
	size_t count = (size_t)rows * dim;
	float *x = random_floats(count), *w = random_floats((size_t)dim);
	float *b = random_floats((size_t)dim), *y = room(count * sizeof(*y));
	double *layer = room(3 * count * sizeof(*layer)), *rms = layer + count, *l2 = rms + count;
	bool good;

	for (size_t i = 0; i < count; i++)
		x[i] += (float)offset;
	for (int row = 0; row < rows; row++) {
		const float *v = x + (size_t)row * dim;
		double mean = 0, variance = 0, square = 0;

		for (int c = 0; c < dim; c++) {
			mean += v[c] / (double)dim;
			square += (double)v[c] * v[c];
		}
		for (int c = 0; c < dim; c++)
			variance += (v[c] - mean) * (v[c] - mean) / dim;
		for (int c = 0; c < dim; c++) {
			size_t i = (size_t)row * dim + c;

			layer[i] = (v[c] - mean) / sqrt(variance + 1e-6) * w[c] + b[c];
			rms[i] = v[c] / sqrt(square / dim + 1e-6) * w[c];
			l2[i] = silu(v[c] / fmax(sqrt(square), 1e-12) * sqrt(dim) * w[c]);
		}
	}
	CALL(layer_norm, y, x, w, b, rows, dim, 1e-6f);
	good = close_to("layer_norm", y, layer, count, 2e-5);
	CALL(rms_norm, y, x, w, rows, dim, 1e-6f);
	good = close_to("rms_norm", y, rms, count, 1e-6) && good;
	CALL(rms_silu, y, x, w, rows, dim);
	good = close_to("rms_silu", y, l2, count, 1e-6) && good;
	free(x), free(w), free(b), free(y), free(layer);
	return good;
}

struct rope_sizes {
	int h, w, dim, heads;
	int64_t first_frame;
};

/* Returns component c of a normed token: pairs (2j, 2j+1) turn by position / 10000^.. */
static double turned(const double *token, const struct rope_sizes *s, int c, int frame, int row,
		     int column)
{
	int head_dim = s->dim / s->heads, third = head_dim / 3, in_head = c % head_dim;
	int first = head_dim - 2 * third, part = first, at = in_head, pair;
	double position = (double)(s->first_frame + frame), angle;

	if (in_head >= first + third) {
		position = column, part = third, at = in_head - first - third;
	} else if (in_head >= first) {
		position = row, part = third, at = in_head - first;
	}
	pair = at / 2;
	angle = position * pow(10000, -2.0 * pair / part);
	if (c % 2)
		return token[c - 1] * sin(angle) + token[c] * cos(angle);
	return token[c] * cos(angle) - token[c + 1] * sin(angle);
}

/* Norms over the whole dim, turns, puts in window order; computes the mean of each block. */
static void expect_rope(double *want, double *mean, const float *qkv, const float *weight,
			const struct rope_sizes *s)
{
	double *token = room((size_t)s->dim * sizeof(*token));

	for (int n = 0; n < 2 * s->h * s->w; n++) {
		int f = n / (s->h * s->w), y = n / s->w % s->h, x = n % s->w;
		size_t block = (size_t)(y / 8) * (s->w / 8) + x / 8;
		size_t i = block * 128 + f * 64 + y % 8 * 8 + x % 8;
		const float *in = qkv + (size_t)n * 3 * s->dim;
		double square = 0;

		for (int c = 0; c < s->dim; c++)
			square += (double)in[c] * in[c];
		for (int c = 0; c < s->dim; c++)
			token[c] = in[c] / sqrt(square / s->dim + 1e-6) * weight[c];
		for (int c = 0; c < s->dim; c++) {
			double value = turned(token, s, c, f, y, x);

			want[i * s->dim + c] = value;
			mean[block * s->dim + c] += value / 128;
		}
	}
	free(token);
}

bool reference_qk_rope(void)
{
	static const int head_dims[] = {12, 48, 128, 24};
	struct rope_sizes s = {.h = 8 * pick_int(1, 2),
			       .w = 8 * pick_int(1, 3),
			       .heads = pick_int(1, 3),
			       .first_frame = (int64_t)pick_int(0, 1000000) * 1000};
	int head_dim = head_dims[pick_int(0, 3)], third = head_dim / 3;
	int first = head_dim - 2 * third, blocks = s.h * s.w / 64;
	size_t count, means;
	bool good;

	s.dim = s.heads * head_dim;
	count = (size_t)2 * s.h * s.w * s.dim, means = (size_t)blocks * s.dim;
	float *qkv = random_floats(3 * count), *norm = random_floats((size_t)s.dim);
	float *tables = room((size_t)(2 * first + (s.h + s.w) * third) * sizeof(*tables));
	float *out = room((3 * count + 2 * means) * sizeof(*out));
	double *want = room((count + means) * sizeof(*want));
	struct fvsr_qk_rope a = {
		.qkv = qkv,
		.q = out,
		.k = out + count,
		.v = out + 2 * count,
		.q_mean = out + 3 * count,
		.k_mean = out + 3 * count + means,
		.norm_q = norm,
		.norm_k = norm,
		.rope_frame = tables,
		.rope_row = tables + 2 * first,
		.rope_column = tables + 2 * first + s.h * third,
		.h = s.h,
		.w = s.w,
		.dim = s.dim,
		.heads = s.heads,
		.eps = 1e-6f,
	};

	CALL(rope_table, tables, s.first_frame, 2, first);
	CALL(rope_table, tables + 2 * first, 0, s.h, third);
	CALL(rope_table, tables + 2 * first + s.h * third, 0, s.w, third);
	CALL(qk_rope, &a);
	expect_rope(want, want + count, qkv, norm, &s);
	good = close_to("q", a.q, want, count, 1e-6) &&
	       close_to("mean of q", a.q_mean, want + count, means, 1e-5);
	for (size_t i = 0; i < count + means; i++)
		want[i] = 0;
	expect_rope(want, want + count, qkv + s.dim, norm, &s);
	good = close_to("k", a.k, want, count, 1e-6) &&
	       close_to("mean of k", a.k_mean, want + count, means, 1e-5) && good;
	free(qkv), free(norm), free(tables), free(out), free(want);
	return good;
}
