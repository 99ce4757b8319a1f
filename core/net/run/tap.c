/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tensors are brought to the host one by one and put into the order that the golden streams have.
 * What the network computes slice by slice is put together for the whole chunk.
 */
#include "net/run/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fvsr_tap_state {
	const struct fvsr_context *ctx;
	struct fvsr_tap tap;
	float *values, *raw, *count;
};

static size_t largest_of(const size_t *sizes, int n)
{
	size_t largest = 0;

	for (int i = 0; i < n; i++)
		largest = sizes[i] > largest ? sizes[i] : largest;
	return largest;
}

int fvsr_tap_open(struct fvsr_tap_state **out, const struct fvsr_context *ctx, int key_slices,
		  const struct fvsr_tap *tap)
{
	const struct fvsr_config *c = &ctx->net->config;
	size_t slices = FVSR_CHUNK0_SLICES, lists = (size_t)c->num_heads * ctx->blocks;
	const size_t sizes[] = {
		slices * ctx->rows * c->dim,
		slices * fvsr_latent_bytes(ctx) / sizeof(float),
		slices * lists * key_slices * ctx->blocks,
		(size_t)3 * ctx->pad_width * ctx->pad_height,
	};
	size_t floats = largest_of(sizes, 4);
	struct fvsr_tap_state *state = malloc(sizeof(*state));

	if (!state || !(state->values = malloc((2 * floats + lists) * sizeof(float)))) {
		free(state);
		return FVSR_ERR_MEMORY;
	}
	state->ctx = ctx;
	state->tap = *tap;
	state->raw = state->values + floats;
	state->count = state->raw + floats;
	*out = state;
	return 0;
}

void fvsr_tap_close(struct fvsr_tap_state *state)
{
	if (!state)
		return;
	free(state->values);
	free(state);
}

/* Tells whether the caller wants this tensor, whose full name goes to 'name'. */
static bool wanted(const struct fvsr_tap_state *state, char name[64], int64_t k, const char *what)
{
	if (!state || state->ctx->queue->planning)
		return false;
	snprintf(name, 64, "chunk%lld.%s", (long long)k, what);
	return !state->tap.wants || state->tap.wants(state->tap.opaque, name);
}

static void show(const struct fvsr_tap_state *state, const char *name, int rank,
		 const int64_t *shape)
{
	if (!state->ctx->queue->error)
		state->tap.tensor(state->tap.opaque, name, rank, shape, state->values);
}

static void download(const struct fvsr_tap_state *state, float *dst, const void *src,
		     enum fvsr_kind kind, size_t count)
{
	state->ctx->backend->download(state->ctx->queue, dst, src, kind, count);
}

void fvsr_tap_tokens(struct fvsr_tap_state *state, int64_t k, const char *what, const void *tokens)
{
	int64_t shape[3] = {1, fvsr_chunk_slices(k)};
	char name[64];

	if (!wanted(state, name, k, what))
		return;
	shape[1] *= state->ctx->rows;
	shape[2] = state->ctx->net->config.dim;
	download(state, state->values, tokens, FVSR_ACT, (size_t)(shape[1] * shape[2]));
	show(state, name, 3, shape);
}

void fvsr_tap_mask(struct fvsr_tap_state *state, int64_t k, int place,
		   const struct fvsr_block_select *select)
{
	size_t blocks = (size_t)select->block_rows * select->block_columns;
	size_t keys = select->key_slices * blocks, queries = fvsr_chunk_slices(k) * blocks;
	size_t lists = select->heads * blocks;
	int64_t shape[3] = {select->heads, (int64_t)queries, (int64_t)keys};
	char name[64];

	if (!wanted(state, name, k, "mask_block0"))
		return;
	if (place == 0)
		memset(state->values, 0, select->heads * queries * keys * sizeof(float));
	download(state, state->count, select->count, FVSR_I32, lists);
	download(state, state->raw, select->index, FVSR_I32, lists * keys);
	for (size_t row = 0; row < lists && !state->ctx->queue->error; row++) {
		size_t query = row / blocks * queries + place * blocks + row % blocks;

		for (size_t j = 0; j < (size_t)state->count[row]; j++)
			state->values[query * keys + (size_t)state->raw[row * keys + j]] = 1;
	}
	if (place == fvsr_chunk_slices(k) - 1)
		show(state, name, 3, shape);
}

/* Puts (2, lh, lw, c) of a slice into (c, frames, lh, lw) of the chunk. */
static void planar(const struct fvsr_tap_state *state, int64_t k, int place)
{
	size_t area = (size_t)state->ctx->lh * state->ctx->lw;
	size_t c = (size_t)state->ctx->net->config.in_dim;
	size_t frames = (size_t)(FVSR_SLICE_LATENTS * fvsr_chunk_slices(k));

	for (size_t n = 0; n < FVSR_SLICE_LATENTS * area * c; n++) {
		size_t frame = (size_t)fvsr_slice_latent(place) + n / (area * c);
		size_t position = n / c % area;

		state->values[(n % c * frames + frame) * area + position] = state->raw[n];
	}
}

void fvsr_tap_latent(struct fvsr_tap_state *state, int64_t k, int place, const void *latent)
{
	int64_t shape[5] = {1};
	char name[64];

	if (!wanted(state, name, k, "latent"))
		return;
	shape[1] = state->ctx->net->config.in_dim;
	shape[2] = (int64_t)FVSR_SLICE_LATENTS * fvsr_chunk_slices(k);
	shape[3] = state->ctx->lh;
	shape[4] = state->ctx->lw;
	download(state, state->raw, latent, FVSR_F32,
		 fvsr_latent_bytes(state->ctx) / sizeof(float));
	planar(state, k, place);
	if (place == fvsr_chunk_slices(k) - 1)
		show(state, name, 5, shape);
}

void fvsr_tap_picture(struct fvsr_tap_state *state, int64_t n, const char *what,
		      const void *picture, int width, int height)
{
	int64_t k = fvsr_picture_chunk(n), shape[3] = {3, height, width};
	char name[64], numbered[32];

	snprintf(numbered, sizeof(numbered), "%s.%d", what, (int)(n - fvsr_chunk_picture(k)));
	if (!wanted(state, name, k, numbered))
		return;
	download(state, state->values, picture, FVSR_F32, (size_t)3 * width * height);
	show(state, name, 3, shape);
}
