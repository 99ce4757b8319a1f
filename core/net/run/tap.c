/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shows intermediate tensors to a caller, in the shapes and under the names of the golden streams.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/run/run.h"

struct fvsr_tap_state {
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

int fvsr_tap_open(struct fvsr_tap_state **out, const struct fvsr_run *run,
		  const struct fvsr_tap *tap)
{
	const struct fvsr_config *c = &run->net->config;
	size_t slices = FVSR_CHUNK0_SLICES, keys = (size_t)(run->kv.kept + 3) * run->blocks;
	const size_t sizes[] = {
		slices * run->rows * c->dim,
		slices * 2 * run->lh * run->lw * c->in_dim,
		slices * c->num_heads * run->blocks * keys,
		(size_t)3 * run->pad_width * run->pad_height,
	};
	size_t floats = largest_of(sizes, 4), lists = (size_t)c->num_heads * run->blocks;
	struct fvsr_tap_state *state = malloc(sizeof(*state));

	if (!state || !(state->values = malloc((2 * floats + lists) * sizeof(float)))) {
		free(state);
		return FVSR_ERR_MEMORY;
	}
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

static bool wanted(const struct fvsr_run *run, char name[64], int64_t k, const char *what)
{
	const struct fvsr_tap_state *state = run->tap;

	if (!state || run->queue->planning)
		return false;
	snprintf(name, 64, "chunk%lld.%s", (long long)k, what);
	return !state->tap.wants || state->tap.wants(state->tap.opaque, name);
}

static void show(const struct fvsr_run *run, const char *name, int rank, const int64_t *shape)
{
	const struct fvsr_tap_state *state = run->tap;

	if (!run->queue->error)
		state->tap.tensor(state->tap.opaque, name, rank, shape, state->values);
}

void fvsr_tap_tokens(struct fvsr_run *run, int64_t k, const char *what, const void *tokens)
{
	int64_t shape[3] = {1, (int64_t)fvsr_chunk_slices(k) * run->rows, run->net->config.dim};
	char name[64];

	if (!wanted(run, name, k, what))
		return;
	run->backend->download(run->queue, run->tap->values, tokens, FVSR_ACT,
			       (size_t)(shape[1] * shape[2]));
	show(run, name, 3, shape);
}

void fvsr_tap_mask(struct fvsr_run *run, int64_t k, int i, int key_slices)
{
	size_t blocks = (size_t)run->blocks, heads = (size_t)run->net->config.num_heads;
	size_t keys = key_slices * blocks, queries = fvsr_chunk_slices(k) * blocks;
	int64_t shape[3] = {(int64_t)heads, (int64_t)queries, (int64_t)keys};
	struct fvsr_tap_state *state = run->tap;
	char name[64];

	if (!wanted(run, name, k, "mask_block0"))
		return;
	if (i == 0)
		memset(state->values, 0, heads * queries * keys * sizeof(float));
	run->backend->download(run->queue, state->count, run->transformer.count, FVSR_I32,
			       heads * blocks);
	run->backend->download(run->queue, state->raw, run->transformer.index, FVSR_I32,
			       heads * blocks * keys);
	for (size_t row = 0; row < heads * blocks && !run->queue->error; row++) {
		size_t query = row / blocks * queries + i * blocks + row % blocks;

		for (size_t j = 0; j < (size_t)state->count[row]; j++)
			state->values[query * keys + (size_t)state->raw[row * keys + j]] = 1;
	}
	if (i == fvsr_chunk_slices(k) - 1)
		show(run, name, 3, shape);
}

/* (2, lh, lw, c) of slice i into (c, frames, lh, lw) of the chunk. */
static void planar(const struct fvsr_run *run, int64_t k, int i)
{
	size_t c = (size_t)run->net->config.in_dim, area = (size_t)run->lh * run->lw;
	size_t frames = 2 * (size_t)fvsr_chunk_slices(k);

	for (size_t n = 0; n < 2 * area * c; n++) {
		size_t frame = 2 * (size_t)i + n / (area * c), position = n / c % area;

		run->tap->values[(n % c * frames + frame) * area + position] = run->tap->raw[n];
	}
}

void fvsr_tap_latent(struct fvsr_run *run, int64_t k, int i)
{
	size_t slice = (size_t)2 * run->lh * run->lw * run->net->config.in_dim;
	int64_t shape[5] = {1, run->net->config.in_dim, 2 * (int64_t)fvsr_chunk_slices(k), run->lh,
			    run->lw};
	char name[64];

	if (!wanted(run, name, k, "latent"))
		return;
	run->backend->download(run->queue, run->tap->raw, (const float *)run->latent + i * slice,
			       FVSR_F32, slice);
	planar(run, k, i);
	if (i == fvsr_chunk_slices(k) - 1)
		show(run, name, 5, shape);
}

void fvsr_tap_picture(struct fvsr_run *run, int64_t n, const char *what, const void *picture,
		      int width, int height)
{
	int64_t k = n <= 20 ? 0 : (n - 13) / 8, shape[3] = {3, height, width};
	char name[64], numbered[32];

	snprintf(numbered, sizeof(numbered), "%s.%d", what, (int)(k ? n - (8 * k + 13) : n));
	if (!wanted(run, name, k, numbered))
		return;
	run->backend->download(run->queue, run->tap->values, picture, FVSR_F32,
			       (size_t)3 * width * height);
	show(run, name, 3, shape);
}
