/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The locality-constrained block mask (section 6), attention over the blocks it keeps, and
 * cross-attention with the prompt (section 5).
 */
#include "backend/cpu/plain/plain.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int descending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x < y) - (x > y);
}

static bool inside_window(int query, int key, int range)
{
	int first = query - range / 2;

	return key >= first && key < first + range;
}

/* Keeps the differences of a softmax finite, see "NaN and infinity" in backend.h. */
static float tame(float score)
{
	return isnan(score) ? -INFINITY : fminf(score, FLT_MAX);
}

/*
 * Fills one row of the block map: the softmax over all key blocks of the scores inside the window.
 * A row without a score becomes all zero.
 */
static void score_row(const struct fvsr_block_select *a, float *row, int head, int query_slice,
		      int block)
{
	int blocks = a->block_rows * a->block_columns, keys = a->key_slices * blocks;
	int head_dim = a->dim / a->heads;
	const float *q = (const float *)a->q_mean +
			 ((size_t)query_slice * blocks + block) * a->dim + head * head_dim;
	float scale = 1 / sqrtf((float)head_dim), largest = -INFINITY, sum = 0;

	for (int key = 0; key < keys; key++) {
		int b = key % blocks, slot = a->slot[key / blocks];
		const float *k = (const float *)a->k_mean + ((size_t)slot * blocks + b) * a->dim +
				 head * head_dim;
		float score = 0;

		row[key] = -INFINITY;
		if (!inside_window(block / a->block_columns, b / a->block_columns,
				   a->local_range) ||
		    !inside_window(block % a->block_columns, b % a->block_columns, a->local_range))
			continue;
		for (int c = 0; c < head_dim; c++)
			score += q[c] * k[c];
		row[key] = tame(score * scale);
		largest = fmaxf(largest, row[key]);
	}
	for (int key = 0; key < keys; key++) {
		row[key] = row[key] > -INFINITY ? expf(row[key] - largest) : 0;
		sum += row[key];
	}
	for (int key = 0; sum > 0 && key < keys; key++)
		row[key] /= sum;
}

/* Returns the value that a kept one must exceed: the (k + 1)-th largest. */
static float threshold(float *sorted, const float *map, size_t n, int64_t topk)
{
	int64_t k = topk < (int64_t)n - 1 ? topk : (int64_t)n - 1;

	memcpy(sorted, map, n * sizeof(*map));
	qsort(sorted, n, sizeof(*sorted), descending);
	return sorted[k > 0 ? k : 0];
}

static void select_head(const struct fvsr_block_select *a, float *map, float *sorted, int head)
{
	int blocks = a->block_rows * a->block_columns, keys = a->key_slices * blocks;
	int queries = a->query_slices * blocks;

	for (int slice = 0; slice < a->query_slices; slice++) {
		float limit;

		for (int block = 0; block < blocks; block++)
			score_row(a, map + (size_t)block * keys, head, slice, block);
		limit = threshold(sorted, map, (size_t)blocks * keys, a->topk);
		for (int block = 0; block < blocks; block++) {
			size_t row = (size_t)head * queries + slice * blocks + block;
			int32_t *index = (int32_t *)a->index + row * keys;
			int32_t count = 0;

			for (int key = 0; key < keys; key++)
				if (map[(size_t)block * keys + key] > limit)
					index[count++] = key;
			((int32_t *)a->count)[row] = count;
		}
	}
}

void fvsr_plain_block_select(struct fvsr_queue *queue, const struct fvsr_block_select *a)
{
	size_t blocks = (size_t)a->block_rows * a->block_columns;
	size_t n = blocks * blocks * a->key_slices;
	float *scratch = queue->scratch;

	fvsr_queue_scratch(queue, (size_t)a->heads * 2 * n * sizeof(float));
	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(fvsr_cpu_threads(queue))
	for (int head = 0; head < a->heads; head++)
		select_head(a, scratch + (size_t)head * 2 * n, scratch + ((size_t)head * 2 + 1) * n,
			    head);
}

/* Computes dst = softmax(scores) v over 'count' keys, whose values are the rows. */
static void softmax_sum(float *dst, float *scores, const float *const *rows, int count,
			int head_dim)
{
	float largest = -INFINITY, sum = 0;

	for (int i = 0; i < count; i++)
		largest = fmaxf(largest, scores[i]);
	for (int i = 0; i < count; i++) {
		scores[i] = expf(scores[i] - largest);
		sum += scores[i];
	}
	for (int c = 0; c < head_dim; c++)
		dst[c] = 0;
	for (int i = 0; i < count; i++) {
		float weight = scores[i] / sum;

		for (int c = 0; c < head_dim; c++)
			dst[c] += weight * rows[i][c];
	}
}

/* The room of one thread: for every key a score and the address of its value. */
struct attention_room {
	float *scores;
	const float **values;
};

static size_t room_bytes(size_t keys)
{
	return keys * (sizeof(float *) + sizeof(float)) / 64 * 64 + 64;
}

static struct attention_room room_at(void *scratch, size_t keys, int thread)
{
	char *base = (char *)scratch + room_bytes(keys) * (size_t)thread;

	return (struct attention_room){
		.values = (const float **)base,
		.scores = (float *)(base + keys * sizeof(float *)),
	};
}

/* Returns the place in token order of token i of a block. */
static size_t token_of(const struct fvsr_block_attention *a, int slice, int block, int i)
{
	int columns = a->w / 8;
	int frame = slice * 2 + i / 64;
	int row = block / columns * 8 + i / 8 % 8, column = block % columns * 8 + i % 8;

	return ((size_t)frame * a->h + row) * a->w + column;
}

static void attend_block(const struct fvsr_block_attention *a, struct attention_room *room,
			 int head, int query_block)
{
	int blocks = a->h / 8 * (a->w / 8), head_dim = a->dim / a->heads;
	int queries = a->query_slices * blocks, all_keys = a->key_slices * blocks;
	size_t row = (size_t)head * queries + query_block, offset = (size_t)head * head_dim;
	const int32_t *index = (const int32_t *)a->index + row * all_keys;
	int count = ((const int32_t *)a->count)[row];
	float scale = 1 / sqrtf((float)head_dim);

	for (int i = 0; i < FVSR_BLOCK_TOKENS; i++) {
		const float *q = (const float *)a->q +
				 ((size_t)query_block * FVSR_BLOCK_TOKENS + i) * a->dim + offset;
		float *dst = (float *)a->dst + offset +
			     token_of(a, query_block / blocks, query_block % blocks, i) * a->dim;
		int n = 0;

		for (int j = 0; j < count; j++) {
			size_t slot = (size_t)a->slot[index[j] / blocks];
			size_t first = (slot * blocks + index[j] % blocks) * FVSR_BLOCK_TOKENS;

			for (int t = 0; t < FVSR_BLOCK_TOKENS; t++, n++) {
				size_t at = (first + t) * a->dim + offset;

				room->scores[n] =
					fvsr_plain_dot(q, (const float *)a->k + at, head_dim) *
					scale;
				room->values[n] = (const float *)a->v + at;
			}
		}
		softmax_sum(dst, room->scores, room->values, n, head_dim);
	}
}

void fvsr_plain_block_attention(struct fvsr_queue *queue, const struct fvsr_block_attention *a)
{
	int blocks = a->h / 8 * (a->w / 8), threads = fvsr_cpu_threads(queue);
	int queries = a->query_slices * blocks;
	size_t keys = (size_t)a->key_slices * blocks * FVSR_BLOCK_TOKENS;

	fvsr_queue_scratch(queue, room_bytes(keys) * threads);
	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(threads)
	for (int part = 0; part < threads; part++) {
		struct attention_room room = room_at(queue->scratch, keys, part);

		for (int i = part; i < a->heads * queries; i += threads)
			attend_block(a, &room, i / queries, i % queries);
	}
}

static void attend_prompt(const struct fvsr_cross_attention *a, struct attention_room *room,
			  int token, int head)
{
	int head_dim = a->dim / a->heads;
	size_t offset = (size_t)head * head_dim, at = (size_t)token * a->dim + offset;
	float scale = 1 / sqrtf((float)head_dim);

	for (int i = 0; i < a->keys; i++) {
		size_t key = (size_t)i * a->dim + offset;

		room->scores[i] = fvsr_plain_dot((const float *)a->q + at,
						 (const float *)a->k + key, head_dim) *
					  scale +
				  ((const float *)a->bias)[i];
		room->values[i] = (const float *)a->v + key;
	}
	softmax_sum((float *)a->dst + at, room->scores, room->values, a->keys, head_dim);
}

void fvsr_plain_cross_attention(struct fvsr_queue *queue, const struct fvsr_cross_attention *a)
{
	int threads = fvsr_cpu_threads(queue);

	fvsr_queue_scratch(queue, room_bytes((size_t)a->keys) * threads);
	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(threads)
	for (int part = 0; part < threads; part++) {
		struct attention_room room = room_at(queue->scratch, (size_t)a->keys, part);

		for (int i = part; i < a->tokens * a->heads; i += threads)
			attend_prompt(a, &room, i / a->heads, i % a->heads);
	}
}
