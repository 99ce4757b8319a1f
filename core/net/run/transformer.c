/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The diffusion transformer (section 5), one chunk in one step, slice by slice: token-wise work
 * has one shape whatever the chunk, and attention reads keys and values where they lie.
 */
#include <stdio.h>
#include <string.h>

#include "net/run/arena.h"
#include "base/noise.h"
#include "net/run/run.h"

static void *mean_at(const struct fvsr_run *run, void *base, int slot)
{
	return fvsr_at(base, (size_t)slot * run->blocks * run->net->config.dim * sizeof(float));
}

static void *slice_at(const struct fvsr_run *run, void *base, int i)
{
	return fvsr_at(base, fvsr_run_act(run, (size_t)i * run->rows * run->net->config.dim));
}

static size_t latent_bytes(const struct fvsr_run *run)
{
	return (size_t)2 * run->lh * run->lw * run->net->config.in_dim * sizeof(float);
}

/* y = residual + activation(x W + b) for the rows of a slice. */
static void linear(struct fvsr_run *run, void *y, const void *x, const struct fvsr_linear_param *p,
		   const void *residual, enum fvsr_activation activation)
{
	struct fvsr_linear a = {
		.y = y,
		.x = x,
		.weight = p->weight,
		.bias = p->bias,
		.residual = residual,
		.m = run->rows,
		.n = p->n,
		.k = p->k,
		.activation = activation,
	};

	run->backend->linear(run->queue, &a);
}

static void rope_tables(struct fvsr_run *run, int64_t k)
{
	const struct fvsr_config *c = &run->net->config;
	struct fvsr_transformer *t = &run->transformer;
	int head_dim = c->dim / c->num_heads, part = head_dim / 3 & ~1;

	for (int i = 0; i < fvsr_chunk_slices(k); i++)
		run->backend->rope_table(run->queue, t->rope_frame[i],
					 2 * (fvsr_chunk_slice(k) + i), 2, head_dim - 2 * part);
	run->backend->rope_table(run->queue, t->rope_row, 0, run->h, part);
	run->backend->rope_table(run->queue, t->rope_column, 0, run->w, part);
}

/* Patch embedding of noise, plus the LQ tokens of layer 0. */
static void embed(struct fvsr_run *run, int64_t k, int i)
{
	const struct fvsr_config *c = &run->net->config;
	struct fvsr_transformer *t = &run->transformer;
	char name[32];
	struct fvsr_noise_slice a = {
		.latent = fvsr_at(t->noise, i * latent_bytes(run)),
		.patches = t->patches,
		.kind = run->set.noise,
		.lh = run->lh,
		.lw = run->lw,
		.channels = c->in_dim,
		.first_frame = 2 * i,
		.frames = 2 * fvsr_chunk_slices(k),
	};

	snprintf(name, sizeof(name), "noise%lld", (long long)k);
	a.key = fvsr_noise_key(name, run->set.seed);
	run->backend->noise_slice(run->queue, &a);
	linear(run, slice_at(run, t->x, i), t->patches, &run->net->patch,
	       slice_at(run, run->projection.tokens[0], i), FVSR_ACT_NONE);
}

/* Steps 1 to 5: queries of slice i, its keys and values into a slot of the cache. */
static void make_qkv(struct fvsr_run *run, const struct fvsr_layer_param *p, int layer, int i)
{
	const struct fvsr_config *c = &run->net->config;
	struct fvsr_transformer *t = &run->transformer;
	struct fvsr_kv_slice slice = fvsr_kv_add(run, layer);
	void *x = slice_at(run, t->x, i);
	struct fvsr_qk_rope a = {
		.qkv = t->wide,
		.q = slice_at(run, t->q, i),
		.k = slice.k,
		.v = slice.v,
		.q_mean = mean_at(run, t->q_mean, i),
		.k_mean = slice.mean,
		.norm_q = p->norm_q,
		.norm_k = p->norm_k,
		.rope_frame = t->rope_frame[i],
		.rope_row = t->rope_row,
		.rope_column = t->rope_column,
		.h = run->h,
		.w = run->w,
		.dim = c->dim,
		.heads = c->num_heads,
		.eps = FVSR_EPS,
	};

	if (layer > 0 && layer < c->lq_layers)
		run->backend->add(run->queue, x, slice_at(run, run->projection.tokens[layer], i),
				  (size_t)run->rows * c->dim);
	run->backend->layer_norm(run->queue, t->a, x, p->norm1_scale, p->norm1_shift, run->rows,
				 c->dim, FVSR_EPS);
	linear(run, t->wide, t->a, &p->qkv, NULL, FVSR_ACT_NONE);
	run->backend->qk_rope(run->queue, &a);
}

/* Steps 6 and 7 for slice i of chunk k. */
static void self_attention(struct fvsr_run *run, const struct fvsr_layer_param *p, int64_t k,
			   int layer, int i)
{
	const struct fvsr_config *c = &run->net->config;
	struct fvsr_transformer *t = &run->transformer;
	struct fvsr_kv_view kv = fvsr_kv_view(run, layer);
	void *x = slice_at(run, t->x, i);
	struct fvsr_block_select select = {
		.index = t->index,
		.count = t->count,
		.q_mean = mean_at(run, t->q_mean, i),
		.k_mean = kv.k_mean,
		.query_slices = 1,
		.key_slices = kv.slices,
		.block_rows = run->block_rows,
		.block_columns = run->block_columns,
		.dim = c->dim,
		.heads = c->num_heads,
		.local_range = run->set.local_range,
		.topk = run->topk,
	};
	struct fvsr_block_attention attention = {
		.dst = t->a,
		.q = slice_at(run, t->q, i),
		.k = kv.k,
		.v = kv.v,
		.index = t->index,
		.count = t->count,
		.query_slices = 1,
		.key_slices = select.key_slices,
		.h = run->h,
		.w = run->w,
		.dim = c->dim,
		.heads = c->num_heads,
	};

	memcpy(select.slot, kv.mean_slot, sizeof(select.slot));
	memcpy(attention.slot, kv.slot, sizeof(attention.slot));
	run->backend->block_select(run->queue, &select);
	if (layer == 0)
		fvsr_tap_mask(run, k, i, select.key_slices);
	run->backend->block_attention(run->queue, &attention);
	linear(run, x, t->a, &p->out, x, FVSR_ACT_NONE);
}

/* Step 8. */
static void prompt_attention(struct fvsr_run *run, const struct fvsr_layer_param *p, void *x)
{
	const struct fvsr_config *c = &run->net->config;
	struct fvsr_transformer *t = &run->transformer;
	const int *first = run->net->prompt_first + run->set.prompt;
	size_t before = fvsr_run_act(run, (size_t)*first * c->dim);
	struct fvsr_cross_attention a = {
		.dst = t->a,
		.q = t->wide,
		.k = fvsr_at(p->cross_key, before),
		.v = fvsr_at(p->cross_value, before),
		.bias = fvsr_at(run->net->prompt_bias, *first * sizeof(float)),
		.tokens = run->rows,
		.keys = first[1] - first[0],
		.dim = c->dim,
		.heads = c->num_heads,
	};

	run->backend->layer_norm(run->queue, t->a, x, p->norm3_weight, p->norm3_bias, run->rows,
				 c->dim, FVSR_EPS);
	linear(run, t->wide, t->a, &p->cross_query, NULL, FVSR_ACT_NONE);
	run->backend->rms_norm(run->queue, t->wide, t->wide, p->cross_norm_q, run->rows, c->dim,
			       FVSR_EPS);
	run->backend->cross_attention(run->queue, &a);
	linear(run, x, t->a, &p->cross_out, x, FVSR_ACT_NONE);
}

/* Step 9. */
static void feed_forward(struct fvsr_run *run, const struct fvsr_layer_param *p, void *x)
{
	struct fvsr_transformer *t = &run->transformer;

	run->backend->layer_norm(run->queue, t->a, x, p->norm2_scale, p->norm2_shift, run->rows,
				 run->net->config.dim, FVSR_EPS);
	linear(run, t->wide, t->a, &p->ffn_in, NULL, FVSR_ACT_GELU_TANH);
	linear(run, x, t->wide, &p->ffn_out, x, FVSR_ACT_NONE);
}

static void run_layer(struct fvsr_run *run, int64_t k, int layer)
{
	const struct fvsr_layer_param *p = &run->net->layers[layer];
	int slices = fvsr_chunk_slices(k);

	fvsr_kv_enter(run, layer);
	for (int i = 0; i < slices; i++)
		make_qkv(run, p, layer, i);
	fvsr_kv_added(run, layer, slices);
	for (int i = 0; i < slices; i++) {
		void *x = slice_at(run, run->transformer.x, i);

		self_attention(run, p, k, layer, i);
		prompt_attention(run, p, x);
		feed_forward(run, p, x);
	}
	fvsr_kv_leave(run, layer);
}

static void make_latent(struct fvsr_run *run, int i)
{
	const struct fvsr_net *net = run->net;
	struct fvsr_transformer *t = &run->transformer;
	struct fvsr_unpatchify a = {
		.latent = fvsr_at(run->latent, i * latent_bytes(run)),
		.noise = fvsr_at(t->noise, i * latent_bytes(run)),
		.patches = t->patches,
		.lh = run->lh,
		.lw = run->lw,
		.channels = net->config.out_dim,
	};

	run->backend->layer_norm(run->queue, t->a, slice_at(run, t->x, i), net->head_scale,
				 net->head_shift, run->rows, net->config.dim, FVSR_EPS);
	linear(run, t->patches, t->a, &net->head, NULL, FVSR_ACT_NONE);
	run->backend->unpatchify(run->queue, &a);
}

void fvsr_transformer_chunk(struct fvsr_run *run, int64_t k)
{
	int slices = fvsr_chunk_slices(k);

	fvsr_tap_tokens(run, k, "lq_tokens", run->projection.tokens[0]);
	rope_tables(run, k);
	for (int i = 0; i < slices; i++)
		embed(run, k, i);
	for (int layer = 0; layer < run->net->config.num_layers; layer++) {
		run_layer(run, k, layer);
		fvsr_run_breathe(run);
		if (layer == 0)
			fvsr_tap_tokens(run, k, "after_block0", run->transformer.x);
	}
	for (int i = 0; i < slices; i++) {
		make_latent(run, i);
		fvsr_tap_latent(run, k, i);
	}
}
