/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block mask by its definition, attention as a dense masked softmax (sections 5 and 6). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "reference.h"

static int descending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

static bool inside(int q, int k, int range)
{
	return k >= q - range / 2 && k <= q - range / 2 + range - 1;
}

/* Computes the softmax of one row of scores, -INFINITY where there is nothing to see. */
static void softmax(double *row, int count)
{
	double largest = -INFINITY, sum = 0;

	for (int i = 0; i < count; i++)
		largest = fmax(largest, row[i]);
	for (int i = 0; i < count; i++)
		sum += row[i] = isinf(row[i]) ? 0 : exp(row[i] - largest);
	for (int i = 0; i < count; i++)
		row[i] /= sum > 0 ? sum : 1;
}

/* Makes the mask (query blocks of a slice, key blocks), and measures how near the threshold it is.
 */
static double brute_force(const struct fvsr_block_select *a, int head, int slice,
			  unsigned char *mask)
{
	int nb = a->block_rows * a->block_columns, keys = nb * a->key_slices;
	int head_dim = a->dim / a->heads;
	size_t n = (size_t)nb * keys;
	double *map = room(2 * n * sizeof(*map)), *sorted = map + n, limit, nearest = 1;
	int64_t k = a->topk < (int64_t)n - 1 ? a->topk : (int64_t)n - 1;

	for (size_t i = 0; i < n; i++) {
		int q = (int)(i / keys), key = (int)(i % keys), b = key % nb;
		const float *x = (const float *)a->q_mean + ((size_t)slice * nb + q) * a->dim;
		const float *y =
			(const float *)a->k_mean + ((size_t)a->slot[key / nb] * nb + b) * a->dim;

		for (int c = head * head_dim; c < (head + 1) * head_dim; c++)
			map[i] += (double)x[c] * y[c] / sqrt(head_dim);
		if (!inside(q / a->block_columns, b / a->block_columns, a->local_range) ||
		    !inside(q % a->block_columns, b % a->block_columns, a->local_range))
			map[i] = -INFINITY;
	}
	for (int q = 0; q < nb; q++)
		softmax(map + (size_t)q * keys, keys);
	for (size_t i = 0; i < n; i++)
		sorted[i] = map[i];
	qsort(sorted, n, sizeof(*sorted), descending);
	limit = sorted[k > 0 ? k : 0];
	for (size_t i = 0; i < n; i++) {
		mask[i] = map[i] > limit;
		if (map[i] != limit)
			nearest = fmin(nearest, fabs(map[i] - limit) / fmax(map[i], limit));
	}
	free(map);
	return nearest;
}

static bool same_mask(const struct fvsr_block_select *a, const int32_t *index, const int32_t *count,
		      const unsigned char *mask, int head, int slice)
{
	int nb = a->block_rows * a->block_columns, keys = nb * a->key_slices;

	for (int q = 0; q < nb; q++) {
		size_t row = ((size_t)head * a->query_slices + slice) * nb + q;
		int n = 0;

		for (int key = 0; key < keys; key++) {
			if (!mask[(size_t)q * keys + key])
				continue;
			if (n >= count[row] || index[row * keys + n] != key)
				return false;
			n++;
		}
		if (n != count[row])
			return false;
	}
	return true;
}

static bool check_select(struct fvsr_block_select *a)
{
	int nb = a->block_rows * a->block_columns, keys = nb * a->key_slices;
	size_t rows = (size_t)a->heads * a->query_slices * nb;
	int32_t *index = room(rows * keys * sizeof(*index)), *count = room(rows * sizeof(*count));
	unsigned char *mask = room((size_t)nb * keys);
	bool good = true;

	a->index = index, a->count = count;
	CALL(block_select, a);
	for (int head = 0; head < a->heads; head++)
		for (int slice = 0; slice < a->query_slices; slice++) {
			/* A value within rounding of the threshold may fall on either side. */
			if (brute_force(a, head, slice, mask) > 1e-5 &&
			    !same_mask(a, index, count, mask, head, slice)) {
				printf("FAILED mask: head %d slice %d, %d x %d blocks, %d keys, "
				       "range %d, topk %lld\n",
				       head, slice, a->block_rows, a->block_columns, keys,
				       a->local_range, (long long)a->topk);
				good = false;
			}
		}
	free(index), free(count), free(mask);
	return good;
}

static struct fvsr_block_select random_select(void)
{
	struct fvsr_block_select a = {
		.query_slices = pick_int(1, 3),
		.block_rows = pick_int(1, 5),
		.block_columns = pick_int(1, 5),
		.heads = pick_int(1, 3),
		.local_range = pick_int(1, 11),
	};

	a.key_slices = pick_int(a.query_slices, 5);
	a.dim = a.heads * 2 * pick_int(1, 20);
	a.topk = pick_int(-1, a.block_rows * a.block_columns * a.block_rows * a.block_columns * 2);
	for (int i = 0; i < a.key_slices; i++)
		a.slot[i] = (i * 5 + 2) % 7; /* distinct, out of order */
	return a;
}

bool reference_block_select(void)
{
	struct fvsr_block_select a = random_select();
	size_t slice = (size_t)a.block_rows * a.block_columns * a.dim;
	float *q = random_floats(a.query_slices * slice), *k = random_floats(7 * slice);
	bool good;

	for (size_t i = 0; i < 7 * slice; i++)
		k[i] *= 4;
	a.q_mean = q, a.k_mean = k;
	good = check_select(&a);
	free(q), free(k);
	return good;
}

/* Makes all scores equal: everything inside the window ties, and all or nothing is kept. */
bool reference_block_select_ties(void)
{
	struct fvsr_block_select a = random_select();
	size_t slice = (size_t)a.block_rows * a.block_columns * a.dim;
	float *q = room(a.query_slices * slice * sizeof(*q)), *k = random_floats(7 * slice);
	bool good;

	if (pick_int(0, 1))
		a.local_range = 2 * (a.block_rows + a.block_columns);
	a.q_mean = q, a.k_mean = k;
	good = check_select(&a);
	free(q), free(k);
	return good;
}

/* ------------------------------------------------------------------------------------------- */

/* Returns the index in token order of place i of a slice in window order. */
static size_t token_of(int i, int h, int w)
{
	int block = i / 128, f = i % 128 / 64, y = i % 64 / 8, x = i % 8, columns = w / 8;

	y += block / columns * 8, x += block % columns * 8;
	return ((size_t)f * h + y) * w + x;
}

/* Computes a row of softmax(q k^T) v over all keys but those with seen[key] == 0. */
static void dense_row(double *out, const float *q, const float *k, const float *v, size_t stride,
		      const unsigned char *seen, const float *bias, int keys, int head_dim)
{
	double *row = room((size_t)keys * sizeof(*row));

	for (int i = 0; i < keys; i++) {
		for (int c = 0; c < head_dim; c++)
			row[i] += (double)q[c] * k[i * stride + c] / sqrt(head_dim);
		row[i] += bias ? bias[i] : 0;
		if (seen && !seen[i])
			row[i] = -INFINITY;
	}
	softmax(row, keys);
	for (int c = 0; c < head_dim; c++) {
		out[c] = 0;
		for (int i = 0; i < keys; i++)
			out[c] += row[i] * v[i * stride + c];
	}
	free(row);
}

/* Picks a list of blocks, empty now and then, also as a boolean for each token of all slots. */
static void random_row(const struct fvsr_block_attention *a, int32_t *index, int32_t *count,
		       unsigned char *seen)
{
	int nb = a->h / 8 * (a->w / 8), keys = nb * a->key_slices, percent = pick_int(0, 3) * 33;

	*count = 0;
	for (int key = 0; key < keys; key++) {
		if (pick_int(0, 99) >= percent)
			continue;
		index[(*count)++] = key;
		for (int i = 0; i < 128; i++)
			seen[(a->slot[key / nb] * nb + key % nb) * 128 + i] = 1;
	}
}

bool reference_block_attention(void)
{
	enum { SLOTS = 4 };
	struct fvsr_block_attention a = {.query_slices = pick_int(1, 2),
					 .h = 8,
					 .w = 8 * pick_int(1, 2),
					 .heads = pick_int(1, 2)};
	int head_dim = 2 * pick_int(1, 12), nb = a.w / 8;
	int rows, keys, all = SLOTS * nb * 128;
	size_t queries, count;
	bool good;

	a.dim = a.heads * head_dim, a.key_slices = pick_int(a.query_slices, 3);
	for (int i = 0; i < a.key_slices; i++)
		a.slot[i] = SLOTS - 1 - i;
	rows = a.heads * a.query_slices * nb, keys = a.key_slices * nb;
	queries = (size_t)a.query_slices * nb * 128, count = queries * a.dim;
	float *q = random_floats(count), *k = random_floats((size_t)all * a.dim);
	float *v = random_floats((size_t)all * a.dim), *dst = random_floats(count);
	double *want = room(count * sizeof(*want));
	int32_t *index = room((size_t)rows * keys * sizeof(*index));
	int32_t *counts = room((size_t)rows * sizeof(*counts));
	unsigned char *seen = room((size_t)rows * all);

	a.q = q, a.k = k, a.v = v, a.dst = dst, a.index = index, a.count = counts;
	for (int row = 0; row < rows; row++)
		random_row(&a, index + (size_t)row * keys, counts + row, seen + (size_t)row * all);
	CALL(block_attention, &a);
	for (size_t i = 0; i < queries * a.heads; i++) {
		size_t token = i / a.heads, head = i % a.heads, at = head * head_dim;
		size_t row = head * a.query_slices * nb + token / 128, slice = token / (nb * 128);
		size_t place = slice * nb * 128 + token_of((int)(token % (nb * 128)), a.h, a.w);

		dense_row(want + place * a.dim + at, q + token * a.dim + at, k + at, v + at,
			  (size_t)a.dim, seen + row * all, NULL, all, head_dim);
	}
	good = close_to("block_attention", dst, want, count, 1e-6);
	free(q), free(k), free(v), free(dst), free(want), free(index), free(counts), free(seen);
	return good;
}

bool reference_cross_attention(void)
{
	struct fvsr_cross_attention a = {
		.tokens = pick_int(1, 50), .keys = pick_int(1, 60), .heads = pick_int(1, 3)};
	int head_dim = 2 * pick_int(1, 20);
	size_t count, keys;
	bool good;

	a.dim = a.heads * head_dim;
	count = (size_t)a.tokens * a.dim, keys = (size_t)a.keys * a.dim;
	float *q = random_floats(count), *k = random_floats(keys), *v = random_floats(keys);
	float *bias = random_floats((size_t)a.keys), *dst = random_floats(count);
	double *want = room(count * sizeof(*want));

	a.q = q, a.k = k, a.v = v, a.bias = bias, a.dst = dst;
	for (int i = 0; i < a.tokens * a.heads; i++) {
		size_t at = (size_t)(i % a.heads) * head_dim, row = (size_t)(i / a.heads) * a.dim;

		dense_row(want + row + at, q + row + at, k + at, v + at, (size_t)a.dim, NULL, bias,
			  a.keys, head_dim);
	}
	CALL(cross_attention, &a);
	good = close_to("cross_attention", dst, want, count, 1e-6);
	free(q), free(k), free(v), free(bias), free(dst), free(want);
	return good;
}
