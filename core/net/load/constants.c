/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timestep is always 1000 and the prompts never change: everything that follows from them is
 * computed here, once, when a model is loaded (section 5).
 */
#include "net/load/constants.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMESTEP 1000.0
#define NORM_EPS 1e-6f

static float silu(float x)
{
	return x / (1 + expf(-x));
}

/* Computes y = W x + b on the host, the weights read row by row. */
static void host_linear(struct fvsr_loader *l, float *y, const float *x, const char *prefix, int n,
			int k)
{
	char name[96];
	struct fvsr_weight weight;

	snprintf(name, sizeof(name), "%s.bias", prefix);
	fvsr_loader_host(l, y, name, (uint64_t)n);
	snprintf(name, sizeof(name), "%s.weight", prefix);
	if (l->error || (l->error = fvsr_weights_find(l->weights, name, &weight, l->err)) < 0)
		return;
	for (int i = 0; i < n && !l->error; i++) {
		double sum = 0;

		l->error = fvsr_weights_read(l->weights, &weight, (uint64_t)i * k, (uint64_t)k,
					     l->staging, l->err);
		for (int j = 0; j < k; j++)
			sum += (double)l->staging[j] * x[j];
		y[i] += (float)sum;
	}
}

int fvsr_constants_time(struct fvsr_constants *constants, struct fvsr_loader *l)
{
	const struct fvsr_config *c = &l->net->config;
	size_t dim = (size_t)c->dim;
	int half = c->freq_dim / 2;
	float *sinusoid = malloc(((size_t)c->freq_dim + dim) * sizeof(float)), *hidden;

	constants->t = malloc(7 * dim * sizeof(float));
	if (!sinusoid || !constants->t) {
		free(sinusoid);
		return fvsr_fail(l->err, FVSR_ERR_MEMORY, "out of memory");
	}
	constants->t_mod = constants->t + dim;
	hidden = sinusoid + c->freq_dim;
	for (int i = 0; i < half; i++) {
		double angle = TIMESTEP * pow(10000.0, -(double)i / half);

		sinusoid[i] = (float)cos(angle);
		sinusoid[half + i] = (float)sin(angle);
	}
	host_linear(l, hidden, sinusoid, "dit.time_embedding.0", c->dim, c->freq_dim);
	for (size_t i = 0; i < dim; i++)
		hidden[i] = silu(hidden[i]);
	host_linear(l, constants->t, hidden, "dit.time_embedding.2", c->dim, c->dim);
	for (size_t i = 0; i < dim; i++)
		hidden[i] = silu(constants->t[i]);
	host_linear(l, constants->t_mod, hidden, "dit.time_projection.1", 6 * c->dim, c->dim);
	free(sinusoid);
	return l->error;
}

/*
 * Keeps the first of equal rows and counts the others, which is exact: softmax sums equal terms.
 */
static int merge_rows(float *rows, float *count, int n, int width)
{
	size_t bytes = (size_t)width * sizeof(*rows);
	int kept = 0;

	for (int i = 0; i < n; i++) {
		const float *row = rows + (size_t)i * width;
		int j = 0;

		while (j < kept && memcmp(rows + (size_t)j * width, row, bytes))
			j++;
		if (j == kept) {
			memmove(rows + (size_t)kept++ * width, row, bytes);
			count[j] = 0;
		}
		count[j] += 1;
	}
	return kept;
}

int fvsr_constants_prompt(struct fvsr_constants *constants, struct fvsr_loader *l)
{
	const struct fvsr_config *c = &l->net->config;
	size_t rows = (size_t)c->prompts * c->text_len, elements = rows * c->text_dim;
	int *first = constants->prompt_first;

	constants->prompt = malloc((elements + rows) * sizeof(float));
	if (!constants->prompt)
		return fvsr_fail(l->err, FVSR_ERR_MEMORY, "out of memory");
	constants->prompt_bias = constants->prompt + elements;
	fvsr_loader_host(l, constants->prompt, "prompt", elements);
	if (l->error)
		return l->error;
	for (int i = 0; i < c->prompts; i++) {
		float *to = constants->prompt + (size_t)first[i] * c->text_dim;

		memmove(to, constants->prompt + (size_t)i * c->text_len * c->text_dim,
			(size_t)c->text_len * c->text_dim * sizeof(*to));
		first[i + 1] = first[i] + merge_rows(to, constants->prompt_bias + first[i],
						     c->text_len, c->text_dim);
	}
	for (int i = 0; i < first[c->prompts]; i++)
		constants->prompt_bias[i] = logf(constants->prompt_bias[i]);
	return 0;
}

/* Device memory that is needed only while keys and values are computed. */
struct cross_room {
	struct fvsr_queue *queue;
	void *memory, *scratch;
	size_t bytes;
	void *weight, *bias, *norm, *prompt, *hidden, *context;
};

static void place_room(struct cross_room *r, const struct fvsr_loader *l, struct fvsr_arena *arena)
{
	const struct fvsr_config *c = &l->net->config;
	size_t act = l->net->backend->act_bytes, keys = (size_t)fvsr_net_keys(l->net);
	size_t widest = (size_t)(c->text_dim > c->dim ? c->text_dim : c->dim);

	r->weight = fvsr_arena_take(arena, c->dim * widest * act);
	r->bias = fvsr_arena_take(arena, (size_t)c->dim * sizeof(float));
	r->norm = fvsr_arena_take(arena, (size_t)c->dim * sizeof(float));
	r->prompt = fvsr_arena_take(arena, keys * c->text_dim * act);
	r->hidden = fvsr_arena_take(arena, keys * c->dim * act);
	r->context = fvsr_arena_take(arena, keys * c->dim * act);
}

static int open_room(struct cross_room *r, struct fvsr_loader *l)
{
	const struct fvsr_backend *backend = l->net->backend;
	struct fvsr_arena arena = {0};
	int result;

	memset(r, 0, sizeof(*r));
	result = backend->queue_open(&r->queue, l->net->device, l->err);
	if (result < 0)
		return result;
	place_room(r, l, &arena);
	r->bytes = arena.used;
	r->memory = backend->alloc(l->net->device, r->bytes);
	if (!r->memory)
		return fvsr_fail(l->err, FVSR_ERR_MEMORY, "out of memory on %s", backend->name);
	arena = (struct fvsr_arena){.base = r->memory};
	place_room(r, l, &arena);
	return 0;
}

static void close_room(struct cross_room *r, struct fvsr_loader *l)
{
	const struct fvsr_backend *backend = l->net->backend;

	backend->queue_close(r->queue);
	if (r->memory)
		backend->forget(l->net->device, r->memory, r->bytes);
	backend->free(l->net->device, r->scratch);
	backend->free(l->net->device, r->memory);
}

/*
 * Multiplies by a weight of the file. The memory of weights is used again and again, so whatever a
 * backend has made of the last ones is out of date.
 */
static void device_linear(struct cross_room *r, struct fvsr_loader *l, void *y, const void *x,
			  const char *prefix, int k, enum fvsr_activation activation)
{
	const struct fvsr_backend *backend = l->net->backend;
	struct fvsr_linear a = {
		.y = y,
		.x = x,
		.weight = r->weight,
		.bias = r->bias,
		.m = fvsr_net_keys(l->net),
		.n = l->net->config.dim,
		.k = k,
		.activation = activation,
	};
	char name[128];

	if (r->queue->planning) {
		backend->linear(r->queue, &a);
		return;
	}
	backend->finish(r->queue);
	backend->forget(l->net->device, r->memory, r->bytes);
	snprintf(name, sizeof(name), "%s.weight", prefix);
	fvsr_loader_rows(l, r->weight, FVSR_ACT, name, (uint64_t)a.n, (uint64_t)k, NULL);
	snprintf(name, sizeof(name), "%s.bias", prefix);
	fvsr_loader_rows(l, r->bias, FVSR_F32, name, 1, (uint64_t)a.n, NULL);
	if (!l->error)
		backend->linear(r->queue, &a);
}

static void compute_layer(struct cross_room *r, struct fvsr_loader *l, int layer)
{
	const struct fvsr_backend *backend = l->net->backend;
	const struct fvsr_layer_param *p = &l->net->layers[layer];
	int dim = l->net->config.dim;
	char name[96];

	snprintf(name, sizeof(name), "dit.blocks.%d.cross_attn.norm_k.weight", layer);
	if (!r->queue->planning)
		fvsr_loader_rows(l, r->norm, FVSR_F32, name, 1, (uint64_t)dim, NULL);
	snprintf(name, sizeof(name), "dit.blocks.%d.cross_attn.k", layer);
	device_linear(r, l, p->cross_key, r->context, name, dim, FVSR_ACT_NONE);
	backend->rms_norm(r->queue, p->cross_key, p->cross_key, r->norm, fvsr_net_keys(l->net), dim,
			  NORM_EPS);
	snprintf(name, sizeof(name), "dit.blocks.%d.cross_attn.v", layer);
	device_linear(r, l, p->cross_value, r->context, name, dim, FVSR_ACT_NONE);
	backend->finish(r->queue);
}

static void compute(struct cross_room *r, struct fvsr_loader *l)
{
	const struct fvsr_config *c = &l->net->config;
	int layers = r->queue->planning ? 1 : c->num_layers;

	device_linear(r, l, r->hidden, r->prompt, "dit.text_embedding.0", c->text_dim,
		      FVSR_ACT_GELU_TANH);
	device_linear(r, l, r->context, r->hidden, "dit.text_embedding.2", c->dim, FVSR_ACT_NONE);
	for (int i = 0; i < layers && !l->error && !r->queue->error; i++)
		compute_layer(r, l, i);
}

static int plan_and_compute(struct cross_room *r, const struct fvsr_constants *constants,
			    struct fvsr_loader *l)
{
	const struct fvsr_backend *backend = l->net->backend;

	r->queue->planning = true;
	compute(r, l);
	r->queue->planning = false;
	if (r->queue->scratch_bytes) {
		r->scratch = backend->alloc(l->net->device, r->queue->scratch_bytes);
		if (!r->scratch)
			return fvsr_fail(l->err, FVSR_ERR_MEMORY, "out of memory on %s",
					 backend->name);
	}
	r->queue->scratch = r->scratch;
	fvsr_loader_put(l, l->net->prompt_bias, FVSR_F32, constants->prompt_bias,
			(size_t)fvsr_net_keys(l->net));
	fvsr_loader_put(l, r->prompt, FVSR_ACT, constants->prompt,
			(size_t)fvsr_net_keys(l->net) * l->net->config.text_dim);
	if (!l->error)
		compute(r, l);
	if (!l->error && backend->finish(r->queue) < 0)
		return fvsr_fail(l->err, r->queue->error, "%s", r->queue->message.text);
	return l->error;
}

int fvsr_constants_cross(const struct fvsr_constants *constants, struct fvsr_loader *l)
{
	struct cross_room room;
	int result = open_room(&room, l);

	if (!result)
		result = plan_and_compute(&room, constants, l);
	close_room(&room, l);
	return result;
}

void fvsr_constants_clear(struct fvsr_constants *constants)
{
	free(constants->t);
	free(constants->prompt);
}
