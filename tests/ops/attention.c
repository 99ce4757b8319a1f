/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cases: block selection and attention, with slots of the cache in any order. */
#include <math.h>
#include <stdlib.h>

#include "ops.h"

/* Picks distinct slots out of 'slots'. */
static void pick_slots(struct trial *t, int *slot, int count, int slots)
{
	int order[32];

	for (int i = 0; i < slots; i++)
		order[i] = i;
	for (int i = 0; i < count; i++) {
		int j = pick(t, i, slots - 1), swap = order[i];

		order[i] = order[j];
		order[j] = swap;
		slot[i] = order[i];
	}
}

static void block_select(struct trial *t)
{
	struct fvsr_block_select a = {
		.query_slices = pick(t, 1, 3),
		.block_rows = pick(t, 1, 5),
		.block_columns = pick(t, 1, 6),
		.heads = pick(t, 1, 4),
		.local_range = pick(t, 1, 11),
	};
	int slots, blocks, keys, n;

	a.key_slices = pick(t, a.query_slices, FVSR_MAX_SLICES);
	a.dim = a.heads * 2 * pick(t, 1, 32);
	a.topk = pick(t, -1, 2 * a.block_rows * a.block_columns * a.block_rows * a.block_columns);
	if (t->bench) {
		a.query_slices = 1, a.block_rows = 3, a.block_columns = 5, a.heads = 2;
		a.local_range = 11, a.key_slices = 4, a.dim = 96, a.topk = 1799;
	}
	slots = a.key_slices + pick(t, 0, 4);
	pick_slots(t, a.slot, a.key_slices, slots);
	blocks = a.block_rows * a.block_columns;
	keys = a.key_slices * blocks;
	n = a.heads * a.query_slices * blocks;
	shape(t, "slices %d of %d blocks %d x %d heads %d dim %d range %d topk %lld",
	      a.query_slices, a.key_slices, a.block_rows, a.block_columns, a.heads, a.dim,
	      a.local_range, (long long)a.topk);
	a.q_mean = input(t, FVSR_F32, (size_t)a.query_slices * blocks * a.dim, -2, 2);
	a.k_mean = input(t, FVSR_F32, (size_t)slots * blocks * a.dim, -2, 2);
	a.index = list(t, FVSR_I32, (size_t)n * keys);
	a.count = list(t, FVSR_I32, (size_t)n);
	t->side->backend->block_select(t->side->queue, &a);
}

/* Marks a row's kept keys; false if the list is not one of ascending keys. */
static bool read_row(const float *index, float count, size_t keys, unsigned char *kept)
{
	float last = -1;

	if (!(count >= 0 && count <= (float)keys))
		return false;
	for (size_t i = 0; i < keys; i++)
		kept[i] = 0;
	for (size_t i = 0; i < (size_t)count; i++) {
		if (!(index[i] > last && index[i] < (float)keys))
			return false;
		last = index[i];
		kept[(size_t)index[i]] = 1;
	}
	return true;
}

/* Compares masks: sums in another order may move a value across the threshold, but rarely. */
static void judge_select(struct trial *t, const struct side *plain, const struct side *other)
{
	size_t rows = plain->operand[3].count, keys = plain->operand[2].count / rows;
	const struct side *sides[2] = {plain, other};
	unsigned char *kept = malloc(2 * keys);
	size_t differ = 0;

	for (size_t row = 0; kept && row < rows; row++) {
		for (int i = 0; i < 2; i++)
			if (!read_row(result(sides[i], 2) + row * keys, result(sides[i], 3)[row],
				      keys, kept + i * keys))
				fail(t, "%s: row %zu is not a list", sides[i]->backend->name, row);
		for (size_t i = 0; i < keys; i++)
			differ += kept[i] != kept[keys + i];
	}
	if (!kept)
		fail(t, "out of memory");
	free(kept);
	if (differ > 1 + rows * keys / 1000)
		fail(t, "masks differ at %zu of %zu places", differ, rows * keys);
}

/* Picks random lists, some of them empty, some full. */
static void pick_lists(struct trial *t, struct fvsr_block_attention *a, int rows, int keys)
{
	float *index = malloc((size_t)rows * keys * sizeof(*index));
	float *count = malloc((size_t)rows * sizeof(*count));

	for (int row = 0; index && count && row < rows; row++) {
		int percent = t->bench ? 100 : chance(t, 15) ? 0 : chance(t, 15) ? 100 : 40;
		int n = 0;

		for (int key = 0; key < keys; key++)
			if (chance(t, percent))
				index[(size_t)row * keys + n++] = (float)key;
		count[row] = (float)n;
		for (; n < keys; n++)
			index[(size_t)row * keys + n] = 1e6f;
	}
	a->index = values(t, FVSR_I32, (size_t)rows * keys, index);
	a->count = values(t, FVSR_I32, (size_t)rows, count);
	free(count);
	free(index);
}

static void block_attention(struct trial *t)
{
	static const int heads_and_dims[][2] = {{2, 48}, {12, 128}, {1, 16}, {3, 18}, {2, 64}};
	int i = pick(t, 0, 4), heads = heads_and_dims[i][0], head_dim = heads_and_dims[i][1];
	struct fvsr_block_attention a = {
		.query_slices = pick(t, 1, 2),
		.h = 8 * pick(t, 1, 2),
		.w = 8 * pick(t, 1, 2),
	};
	int slots, blocks;
	size_t tokens;

	a.key_slices = pick(t, a.query_slices, 4);
	if (t->bench) {
		a.query_slices = 1, a.key_slices = 4, a.h = 24, a.w = 40;
		heads = 2, head_dim = 48;
	}
	a.heads = heads, a.dim = heads * head_dim;
	slots = a.key_slices + pick(t, 0, 2);
	pick_slots(t, a.slot, a.key_slices, slots);
	blocks = a.h / 8 * (a.w / 8);
	tokens = (size_t)blocks * FVSR_BLOCK_TOKENS;
	shape(t, "slices %d of %d h %d w %d heads %d head_dim %d", a.query_slices, a.key_slices,
	      a.h, a.w, heads, head_dim);
	pick_lists(t, &a, heads * a.query_slices * blocks, a.key_slices * blocks);
	a.q = input(t, FVSR_ACT, a.query_slices * tokens * a.dim, -2, 2);
	a.k = input(t, FVSR_ACT, slots * tokens * a.dim, -2, 2);
	a.v = input(t, FVSR_ACT, slots * tokens * a.dim, -2, 2);
	a.dst = output(t, FVSR_ACT, a.query_slices * tokens * a.dim);
	t->side->backend->block_attention(t->side->queue, &a);
}

static void cross_attention(struct trial *t)
{
	struct fvsr_cross_attention a = {
		.tokens = pick(t, 1, 300),
		.keys = pick(t, 1, 200),
		.heads = pick(t, 1, 4),
	};

	a.dim = a.heads * (pick(t, 0, 1) ? 64 * pick(t, 1, 2) : 2 * pick(t, 1, 64));
	if (t->bench)
		a.tokens = 1920, a.keys = 8, a.heads = 2, a.dim = 96;
	shape(t, "tokens %d keys %d heads %d dim %d", a.tokens, a.keys, a.heads, a.dim);
	a.k = weight(t, FVSR_ACT, (size_t)a.keys * a.dim, -2, 2);
	a.v = weight(t, FVSR_ACT, (size_t)a.keys * a.dim, -2, 2);
	a.bias = weight(t, FVSR_F32, (size_t)a.keys, 0, 6);
	a.q = input(t, FVSR_ACT, (size_t)a.tokens * a.dim, -2, 2);
	a.dst = output(t, FVSR_ACT, (size_t)a.tokens * a.dim);
	t->side->backend->cross_attention(t->side->queue, &a);
}

const struct op_test attention_tests[] = {
	{"block_select", block_select, judge_select, 0, 0, 1},
	{"block_attention", block_attention, NULL, 2e-5, 1e-2, 1},
	{"cross_attention", cross_attention, NULL, 2e-5, 1e-2, 1},
	{0},
};
