/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tensors go to the device piece by piece, in the order in which the ops want their elements.
 */
#include "net/load/loader.h"

#include <stdlib.h>

#include "base/dtype.h"

#define STAGING_FLOATS ((uint64_t)4 << 20)

/* Returns the size of the staging buffer, which a row of the widest tensor must fit. */
static uint64_t staging_floats(const struct fvsr_config *c)
{
	uint64_t hidden = (uint64_t)c->lq_hidden1, widest = 36 * FVSR_TOKEN_SAMPLES;
	uint64_t input = (uint64_t)(FVSR_CONDITION_SAMPLES + c->in_dim + 2 * c->dec_channels[0]);

	if (widest < 36 * hidden)
		widest = 36 * hidden;
	if (widest < (uint64_t)c->ffn_dim)
		widest = (uint64_t)c->ffn_dim;
	if (widest < (uint64_t)c->text_dim)
		widest = (uint64_t)c->text_dim;
	if (widest < 9 * input)
		widest = 9 * input;
	return widest > STAGING_FLOATS ? widest : STAGING_FLOATS;
}

int fvsr_loader_init(struct fvsr_loader *l, struct fvsr_net *net,
		     const struct fvsr_weights *weights, const struct fvsr_progress *progress,
		     struct fvsr_error *err)
{
	uint64_t floats = staging_floats(&net->config);
	size_t dim = (size_t)net->config.dim;

	*l = (struct fvsr_loader){
		.net = net,
		.weights = weights,
		.progress = progress,
		.err = err,
		.measuring = true,
	};
	l->staging = malloc((2 * floats + 7 * dim) * sizeof(float));
	if (!l->staging)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	l->permuted = l->staging + floats;
	l->row = l->permuted + floats;
	l->modulation = l->row + dim;
	return 0;
}

void fvsr_loader_clear(struct fvsr_loader *l)
{
	free(l->staging);
}

bool fvsr_loader_skip(const struct fvsr_loader *l)
{
	return l->measuring || l->error;
}

static bool find(struct fvsr_loader *l, const char *name, struct fvsr_weight *weight)
{
	if (!l->error)
		l->error = fvsr_weights_find(l->weights, name, weight, l->err);
	return !l->error;
}

static bool find_sized(struct fvsr_loader *l, const char *name, uint64_t count,
		       struct fvsr_weight *weight)
{
	if (!find(l, name, weight))
		return false;
	if (weight->count != count)
		l->error = fvsr_fail(l->err, FVSR_ERR_FORMAT, "tensor %s has a wrong size", name);
	return !l->error;
}

static bool fetch(struct fvsr_loader *l, const struct fvsr_weight *weight, uint64_t first,
		  uint64_t count, float *dst)
{
	if (l->error)
		return false;
	l->error = fvsr_weights_read(l->weights, weight, first, count, dst, l->err);
	l->done += count;
	if (!l->error && !l->measuring &&
	    !fvsr_progress(l->progress, l->done, fvsr_weights_parameters(l->weights), "loading"))
		l->error = fvsr_fail(l->err, FVSR_ERR_CANCELLED, "cancelled");
	return !l->error;
}

uint64_t fvsr_loader_count(struct fvsr_loader *l, const char *name)
{
	struct fvsr_weight weight;

	return find(l, name, &weight) ? weight.count : 0;
}

void *fvsr_loader_place(struct fvsr_loader *l, enum fvsr_kind kind, uint64_t count)
{
	size_t bytes = kind == FVSR_ACT ? l->net->backend->act_bytes : sizeof(float);

	return fvsr_arena_take(&l->arena, count * bytes);
}

static void upload(struct fvsr_loader *l, void *dst, enum fvsr_kind kind, const float *src,
		   size_t count)
{
	if (!fvsr_loader_skip(l))
		l->error = l->net->backend->upload(l->net->device, dst, kind, src, count, l->err);
}

void fvsr_loader_put(struct fvsr_loader *l, void *dst, enum fvsr_kind kind, const float *src,
		     size_t count)
{
	if (!fvsr_loader_skip(l) && fvsr_find_nonfinite(src, count) < count)
		l->error = fvsr_fail(l->err, FVSR_ERR_FORMAT,
				     "the model's weights are too large: products of them are not "
				     "finite numbers");
	upload(l, dst, kind, src, count);
}

void fvsr_loader_host(struct fvsr_loader *l, float *dst, const char *name, uint64_t count)
{
	struct fvsr_weight weight;

	if (find_sized(l, name, count, &weight))
		fetch(l, &weight, 0, count, dst);
}

static void scale_rows(float *values, uint64_t rows, uint64_t columns, const float *gate)
{
	for (uint64_t i = 0; i < rows; i++)
		for (uint64_t j = 0; j < columns; j++)
			values[i * columns + j] *= gate[i];
}

void fvsr_loader_rows(struct fvsr_loader *l, void *dst, enum fvsr_kind kind, const char *name,
		      uint64_t rows, uint64_t columns, const float *gate)
{
	size_t bytes = kind == FVSR_ACT ? l->net->backend->act_bytes : sizeof(float);
	struct fvsr_weight weight;
	uint64_t step;

	if (fvsr_loader_skip(l) || !find_sized(l, name, rows * columns, &weight))
		return;
	step = columns < STAGING_FLOATS ? STAGING_FLOATS / columns : 1;
	for (uint64_t row = 0; row < rows; row += step) {
		uint64_t n = rows - row < step ? rows - row : step;

		if (!fetch(l, &weight, row * columns, n * columns, l->staging))
			return;
		if (gate)
			scale_rows(l->staging, n, columns, gate + row);
		if (gate)
			fvsr_loader_put(l, fvsr_at(dst, row * columns * bytes), kind, l->staging,
					n * columns);
		else
			upload(l, fvsr_at(dst, row * columns * bytes), kind, l->staging,
			       n * columns);
	}
}

static void channels_last(float *dst, const float *src, int cin, int taps)
{
	for (int tap = 0; tap < taps; tap++)
		for (int c = 0; c < cin; c++)
			*dst++ = src[(size_t)c * taps + tap];
}

void fvsr_loader_channels_last(struct fvsr_loader *l, void *dst, const char *name, int cout,
			       int cin, int taps)
{
	uint64_t kernel = (uint64_t)cin * taps;
	int step = (int)(kernel < STAGING_FLOATS ? STAGING_FLOATS / kernel : 1);
	struct fvsr_weight weight;

	if (fvsr_loader_skip(l) || !find_sized(l, name, kernel * cout, &weight))
		return;
	for (int row = 0; row < cout; row += step) {
		int n = cout - row < step ? cout - row : step;

		if (!fetch(l, &weight, row * kernel, n * kernel, l->staging))
			return;
		for (int i = 0; i < n; i++)
			channels_last(l->permuted + i * kernel, l->staging + i * kernel, cin, taps);
		upload(l, fvsr_at(dst, row * kernel * l->net->backend->act_bytes), FVSR_ACT,
		       l->permuted, n * kernel);
	}
}
