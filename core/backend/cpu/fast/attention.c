/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attention in tiles of 128 queries (a query block, or 128 tokens towards the prompt) whose scores
 * stay in the cache: the score matrix is never whole in memory (sections 5 and 6).
 */
#include "backend/cpu/fast/fast.h"

#include <math.h>
#include <string.h>

static size_t room_floats(int head_dim)
{
	return ((size_t)2 * head_dim + FVSR_TILE + 2) * FVSR_TILE;
}

/* Returns a tile in the calling thread's part of the scratch memory. */
static struct fvsr_attend tile_room(const struct fvsr_queue *queue, int head_dim)
{
	float *room = (float *)queue->scratch + room_floats(head_dim) * (size_t)fvsr_cpu_thread();
	size_t part = (size_t)head_dim * FVSR_TILE;

	return (struct fvsr_attend){
		.query = room,
		.sums = room + part,
		.scores = room + 2 * part,
		.largest = room + 2 * part + FVSR_TILE * FVSR_TILE,
		.total = room + 2 * part + FVSR_TILE * FVSR_TILE + FVSR_TILE,
		.head_dim = head_dim,
	};
}

/*
 * Begins a tile of 'count' <= 128 rows of queries, 'stride' apart; further columns of the tile
 * become zero.
 */
static void begin_tile(struct fvsr_attend *tile, const float *q, size_t stride, int count)
{
	float scale = 1 / sqrtf((float)tile->head_dim);
	size_t part = (size_t)tile->head_dim * FVSR_TILE;

	if (count < FVSR_TILE)
		memset(tile->query, 0, part * sizeof(float));
	for (int i = 0; i < count; i++)
		for (int c = 0; c < tile->head_dim; c++)
			tile->query[c * FVSR_TILE + i] = q[i * stride + c] * scale;
	memset(tile->sums, 0, part * sizeof(float));
	for (int i = 0; i < FVSR_TILE; i++) {
		tile->largest[i] = -INFINITY;
		tile->total[i] = 0;
	}
}

/* Writes row i of the tile's result; zero if there was no key. */
static void end_row(const struct fvsr_attend *tile, int i, float *dst)
{
	float scale = tile->total[i] > 0 ? 1 / tile->total[i] : 0;

	for (int c = 0; c < tile->head_dim; c++)
		dst[c] = tile->sums[c * FVSR_TILE + i] * scale;
}

static void attend_block(const struct fvsr_block_attention *a, const struct fvsr_loops *loops,
			 struct fvsr_attend *tile, int head, int query_block)
{
	int columns = a->w / 8, blocks = a->h / 8 * columns, head_dim = tile->head_dim;
	int slice = query_block / blocks, block = query_block % blocks;
	size_t dim = (size_t)a->dim, offset = (size_t)head * head_dim;
	size_t row = (size_t)head * a->query_slices * blocks + query_block;
	const int32_t *index = (const int32_t *)a->index + row * a->key_slices * blocks;
	int count = ((const int32_t *)a->count)[row];

	begin_tile(tile, (const float *)a->q + query_block * FVSR_BLOCK_TOKENS * dim + offset, dim,
		   FVSR_BLOCK_TOKENS);
	for (int j = 0; j < count; j++) {
		size_t slot = (size_t)a->slot[index[j] / blocks];
		size_t at = (slot * blocks + index[j] % blocks) * FVSR_BLOCK_TOKENS * dim + offset;

		loops->attend(tile, (const float *)a->k + at, (const float *)a->v + at, dim,
			      FVSR_BLOCK_TOKENS, NULL);
	}
	for (int i = 0; i < FVSR_BLOCK_TOKENS; i++) {
		size_t token = (size_t)slice * 2 + i / 64;

		token = token * a->h + block / columns * 8 + i / 8 % 8;
		token = token * a->w + block % columns * 8 + i % 8;
		end_row(tile, i, (float *)a->dst + token * dim + offset);
	}
}

/* Hands blocks to threads one by one: they keep different numbers of keys. */
void fvsr_fast_block_attention(struct fvsr_queue *queue, const struct fvsr_block_attention *a)
{
	const struct fvsr_loops *loops = fvsr_fast_loops(queue);
	int queries = a->query_slices * (a->h / 8) * (a->w / 8), head_dim = a->dim / a->heads;
	int threads = fvsr_cpu_threads(queue);

	fvsr_queue_scratch(queue, room_floats(head_dim) * threads * sizeof(float));
	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
	for (int i = 0; i < a->heads * queries; i++) {
		struct fvsr_attend tile = tile_room(queue, head_dim);

		attend_block(a, loops, &tile, i / queries, i % queries);
	}
}

static void attend_prompt(const struct fvsr_cross_attention *a, const struct fvsr_loops *loops,
			  struct fvsr_attend *tile, int head, int first)
{
	int count = a->tokens - first < FVSR_TILE ? a->tokens - first : FVSR_TILE;
	size_t dim = (size_t)a->dim, offset = (size_t)head * tile->head_dim;
	size_t at = first * dim + offset;

	begin_tile(tile, (const float *)a->q + at, dim, count);
	for (int key = 0; key < a->keys; key += FVSR_TILE) {
		size_t from = key * dim + offset;

		loops->attend(tile, (const float *)a->k + from, (const float *)a->v + from, dim,
			      a->keys - key < FVSR_TILE ? a->keys - key : FVSR_TILE,
			      (const float *)a->bias + key);
	}
	for (int i = 0; i < count; i++)
		end_row(tile, i, (float *)a->dst + at + i * dim);
}

void fvsr_fast_cross_attention(struct fvsr_queue *queue, const struct fvsr_cross_attention *a)
{
	const struct fvsr_loops *loops = fvsr_fast_loops(queue);
	int tiles = (a->tokens + FVSR_TILE - 1) / FVSR_TILE, head_dim = a->dim / a->heads;
	int threads = fvsr_cpu_threads(queue);

	fvsr_queue_scratch(queue, room_floats(head_dim) * threads * sizeof(float));
	if (fvsr_queue_idle(queue))
		return;
#pragma omp parallel for num_threads(threads)
	for (int i = 0; i < a->heads * tiles; i++) {
		struct fvsr_attend tile = tile_room(queue, head_dim);

		attend_prompt(a, loops, &tile, i / tiles, i % tiles * FVSR_TILE);
	}
}
