/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The diffusion transformer (section 5), one chunk in one step, slice by slice: token-wise work
 * has one shape whatever the chunk, and attention reads keys and values where they lie.
 */
#include "net/run/transformer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/noise.h"

static size_t mean_bytes(const struct fvsr_context *ctx)
{
	return (size_t)ctx->blocks * ctx->net->config.dim * sizeof(float);
}

/* Returns the bytes of a slice's tokens. */
static size_t slice_bytes(const struct fvsr_context *ctx)
{
	return fvsr_act_bytes(ctx, (size_t)ctx->rows * ctx->net->config.dim);
}

static void *mean_at(const struct fvsr_transformer *t, void *base, int place)
{
	return fvsr_at(base, place * mean_bytes(t->ctx));
}

static void *slice_at(const struct fvsr_transformer *t, void *base, int place)
{
	return fvsr_at(base, place * slice_bytes(t->ctx));
}

static void *latent_at(const struct fvsr_transformer *t, void *base, int place)
{
	return fvsr_at(base, place * fvsr_latent_bytes(t->ctx));
}

void fvsr_transformer_set_topk(struct fvsr_transformer *t, double topk_ratio)
{
	t->topk = (int64_t)floor((double)t->ctx->blocks * t->ctx->blocks * topk_ratio) - 1;
}

void fvsr_transformer_place(struct fvsr_transformer *t, struct fvsr_arena *arena)
{
	t->latent = fvsr_arena_take(arena, FVSR_CHUNK0_SLICES * fvsr_latent_bytes(t->ctx));
	fvsr_kv_place(&t->kv, arena);
}

void fvsr_transformer_place_work(struct fvsr_transformer *t, struct fvsr_arena *arena)
{
	const struct fvsr_context *ctx = t->ctx;
	const struct fvsr_config *c = &ctx->net->config;
	size_t slices = FVSR_CHUNK0_SLICES, rows = (size_t)ctx->rows;
	size_t lists = (size_t)c->num_heads * ctx->blocks;
	size_t keys = (size_t)fvsr_attended_slices(t->kv.most) * ctx->blocks;
	size_t wide = (size_t)(3 * c->dim > c->ffn_dim ? 3 * c->dim : c->ffn_dim);
	int head_dim = c->dim / c->num_heads;
	size_t frame = (size_t)fvsr_rope_frame(head_dim), side = (size_t)fvsr_rope_side(head_dim);

	t->x = fvsr_arena_take(arena, slices * slice_bytes(ctx));
	t->q = fvsr_arena_take(arena, slices * slice_bytes(ctx));
	t->a = fvsr_arena_take(arena, slice_bytes(ctx));
	t->wide = fvsr_arena_take(arena, fvsr_act_bytes(ctx, rows * wide));
	t->q_mean = fvsr_arena_take(arena, slices * mean_bytes(ctx));
	t->index = fvsr_arena_take(arena, lists * keys * sizeof(int32_t));
	t->count = fvsr_arena_take(arena, lists * sizeof(int32_t));
	for (size_t i = 0; i < slices; i++)
		t->rope_frame[i] =
			fvsr_arena_take(arena, FVSR_SLICE_LATENTS * frame * sizeof(float));
	t->rope_row = fvsr_arena_take(arena, ctx->h * side * sizeof(float));
	t->rope_column = fvsr_arena_take(arena, ctx->w * side * sizeof(float));
	t->noise = fvsr_arena_take(arena, slices * fvsr_latent_bytes(ctx));
	t->patches = fvsr_arena_take(arena, fvsr_act_bytes(ctx, rows * c->in_dim * FVSR_PATCH));
}

const void *fvsr_transformer_latent(const struct fvsr_transformer *t, int64_t s)
{
	return latent_at(t, t->latent, fvsr_slice_place(s));
}

/* Computes y = residual + activation(x W + b) for the rows of a slice. */
static void linear(const struct fvsr_transformer *t, void *y, const void *x,
		   const struct fvsr_linear_param *p, const void *residual,
		   enum fvsr_activation activation)
{
	const struct fvsr_context *ctx = t->ctx;
	struct fvsr_linear a = {
		.y = y,
		.x = x,
		.weight = p->weight,
		.bias = p->bias,
		.residual = residual,
		.m = ctx->rows,
		.n = p->n,
		.k = p->k,
		.activation = activation,
	};

	ctx->backend->linear(ctx->queue, &a);
}

/* Returns which slice of the whole video slice i of chunk k is. */
static int64_t whole_slice(const struct fvsr_transformer *t, int64_t k, int i)
{
	return t->first_slice + fvsr_chunk_slice(k) + i;
}

/* Makes the tables of angles for the slices of chunk k. */
static void rope_tables(const struct fvsr_transformer *t, int64_t k)
{
	const struct fvsr_context *ctx = t->ctx;
	int head_dim = ctx->net->config.dim / ctx->net->config.num_heads;
	int frame = fvsr_rope_frame(head_dim), side = fvsr_rope_side(head_dim);

	for (int i = 0; i < fvsr_chunk_slices(k); i++)
		ctx->backend->rope_table(ctx->queue, t->rope_frame[i],
					 fvsr_slice_latent(whole_slice(t, k, i)),
					 FVSR_SLICE_LATENTS, frame);
	ctx->backend->rope_table(ctx->queue, t->rope_row, 0, ctx->h, side);
	ctx->backend->rope_table(ctx->queue, t->rope_column, 0, ctx->w, side);
}

/* Embeds the patches of noise of slice i, and adds the LQ tokens of layer 0. */
static void embed(const struct fvsr_transformer *t, int64_t k, int i)
{
	const struct fvsr_context *ctx = t->ctx;
	const struct fvsr_config *c = &ctx->net->config;
	int64_t s = whole_slice(t, k, i), chunk = fvsr_slice_chunk(s);
	char name[32];
	struct fvsr_noise_slice a = {
		.latent = latent_at(t, t->noise, i),
		.patches = t->patches,
		.kind = t->noise_kind,
		.lh = ctx->lh,
		.lw = ctx->lw,
		.channels = c->in_dim,
		.first_frame = (int)fvsr_slice_latent(fvsr_slice_place(s)),
		.frames = FVSR_SLICE_LATENTS * fvsr_chunk_slices(chunk),
	};

	snprintf(name, sizeof(name), "noise%lld", (long long)chunk);
	a.key = fvsr_noise_key(name, t->seed);
	ctx->backend->noise_slice(ctx->queue, &a);
	linear(t, slice_at(t, t->x, i), t->patches, &ctx->net->patch, slice_at(t, t->tokens[0], i),
	       FVSR_ACT_NONE);
}

/* Does steps 1 to 5: the queries of slice i, its keys and values into a slot of the cache. */
static void make_qkv(struct fvsr_transformer *t, const struct fvsr_layer_param *p, int layer, int i)
{
	const struct fvsr_context *ctx = t->ctx;
	const struct fvsr_config *c = &ctx->net->config;
	struct fvsr_kv_slice slice = fvsr_kv_add(&t->kv, layer);
	void *x = slice_at(t, t->x, i);
	struct fvsr_qk_rope a = {
		.qkv = t->wide,
		.q = slice_at(t, t->q, i),
		.k = slice.k,
		.v = slice.v,
		.q_mean = mean_at(t, t->q_mean, i),
		.k_mean = slice.mean,
		.norm_q = p->norm_q,
		.norm_k = p->norm_k,
		.rope_frame = t->rope_frame[i],
		.rope_row = t->rope_row,
		.rope_column = t->rope_column,
		.h = ctx->h,
		.w = ctx->w,
		.dim = c->dim,
		.heads = c->num_heads,
		.eps = FVSR_EPS,
	};

	if (layer > 0 && layer < c->lq_layers)
		ctx->backend->add(ctx->queue, x, slice_at(t, t->tokens[layer], i),
				  (size_t)ctx->rows * c->dim);
	ctx->backend->layer_norm(ctx->queue, t->a, x, p->norm1_scale, p->norm1_shift, ctx->rows,
				 c->dim, FVSR_EPS);
	linear(t, t->wide, t->a, &p->qkv, NULL, FVSR_ACT_NONE);
	ctx->backend->qk_rope(ctx->queue, &a);
}

/* Does steps 6 and 7 for slice i of chunk k. */
static void self_attention(const struct fvsr_transformer *t, const struct fvsr_layer_param *p,
			   int64_t k, int layer, int i)
{
	const struct fvsr_context *ctx = t->ctx;
	const struct fvsr_config *c = &ctx->net->config;
	struct fvsr_kv_view kv = fvsr_kv_view(&t->kv, layer);
	void *x = slice_at(t, t->x, i);
	struct fvsr_block_select select = {
		.index = t->index,
		.count = t->count,
		.q_mean = mean_at(t, t->q_mean, i),
		.k_mean = kv.k_mean,
		.query_slices = 1,
		.key_slices = kv.slices,
		.block_rows = ctx->block_rows,
		.block_columns = ctx->block_columns,
		.dim = c->dim,
		.heads = c->num_heads,
		.local_range = t->local_range,
		.topk = t->topk,
	};
	struct fvsr_block_attention attention = {
		.dst = t->a,
		.q = slice_at(t, t->q, i),
		.k = kv.k,
		.v = kv.v,
		.index = t->index,
		.count = t->count,
		.query_slices = 1,
		.key_slices = select.key_slices,
		.h = ctx->h,
		.w = ctx->w,
		.dim = c->dim,
		.heads = c->num_heads,
	};

	memcpy(select.slot, kv.mean_slot, sizeof(select.slot));
	memcpy(attention.slot, kv.slot, sizeof(attention.slot));
	ctx->backend->block_select(ctx->queue, &select);
	if (layer == 0)
		fvsr_tap_mask(t->tap, k, i, &select);
	ctx->backend->block_attention(ctx->queue, &attention);
	linear(t, x, t->a, &p->out, x, FVSR_ACT_NONE);
}

/* Does step 8. */
static void prompt_attention(const struct fvsr_transformer *t, const struct fvsr_layer_param *p,
			     void *x)
{
	const struct fvsr_context *ctx = t->ctx;
	const struct fvsr_config *c = &ctx->net->config;
	const int *first = ctx->net->prompt_first + t->prompt;
	size_t before = fvsr_act_bytes(ctx, (size_t)*first * c->dim);
	struct fvsr_cross_attention a = {
		.dst = t->a,
		.q = t->wide,
		.k = fvsr_at(p->cross_key, before),
		.v = fvsr_at(p->cross_value, before),
		.bias = fvsr_at(ctx->net->prompt_bias, *first * sizeof(float)),
		.tokens = ctx->rows,
		.keys = first[1] - first[0],
		.dim = c->dim,
		.heads = c->num_heads,
	};

	ctx->backend->layer_norm(ctx->queue, t->a, x, p->norm3_weight, p->norm3_bias, ctx->rows,
				 c->dim, FVSR_EPS);
	linear(t, t->wide, t->a, &p->cross_query, NULL, FVSR_ACT_NONE);
	ctx->backend->rms_norm(ctx->queue, t->wide, t->wide, p->cross_norm_q, ctx->rows, c->dim,
			       FVSR_EPS);
	ctx->backend->cross_attention(ctx->queue, &a);
	linear(t, x, t->a, &p->cross_out, x, FVSR_ACT_NONE);
}

/* Does step 9. */
static void feed_forward(const struct fvsr_transformer *t, const struct fvsr_layer_param *p,
			 void *x)
{
	const struct fvsr_context *ctx = t->ctx;

	ctx->backend->layer_norm(ctx->queue, t->a, x, p->norm2_scale, p->norm2_shift, ctx->rows,
				 ctx->net->config.dim, FVSR_EPS);
	linear(t, t->wide, t->a, &p->ffn_in, NULL, FVSR_ACT_GELU_TANH);
	linear(t, x, t->wide, &p->ffn_out, x, FVSR_ACT_NONE);
}

static void run_layer(struct fvsr_transformer *t, int64_t k, int layer)
{
	const struct fvsr_layer_param *p = &t->ctx->net->layers[layer];
	int slices = fvsr_chunk_slices(k);

	fvsr_kv_enter(&t->kv, layer);
	for (int i = 0; i < slices; i++)
		make_qkv(t, p, layer, i);
	fvsr_kv_added(&t->kv, layer, slices);
	for (int i = 0; i < slices; i++) {
		void *x = slice_at(t, t->x, i);

		self_attention(t, p, k, layer, i);
		prompt_attention(t, p, x);
		feed_forward(t, p, x);
	}
	fvsr_kv_leave(&t->kv, layer);
}

/* Makes the latent frames of slice i of the velocity that the head gives. */
static void make_latent(const struct fvsr_transformer *t, int i)
{
	const struct fvsr_context *ctx = t->ctx;
	const struct fvsr_net *net = ctx->net;
	struct fvsr_unpatchify a = {
		.latent = latent_at(t, t->latent, i),
		.noise = latent_at(t, t->noise, i),
		.patches = t->patches,
		.lh = ctx->lh,
		.lw = ctx->lw,
		.channels = net->config.out_dim,
	};

	ctx->backend->layer_norm(ctx->queue, t->a, slice_at(t, t->x, i), net->head_scale,
				 net->head_shift, ctx->rows, net->config.dim, FVSR_EPS);
	linear(t, t->patches, t->a, &net->head, NULL, FVSR_ACT_NONE);
	ctx->backend->unpatchify(ctx->queue, &a);
}

void fvsr_transformer_chunk(struct fvsr_transformer *t, int64_t k)
{
	const struct fvsr_context *ctx = t->ctx;
	int slices = fvsr_chunk_slices(k);

	fvsr_tap_tokens(t->tap, k, "lq_tokens", t->tokens[0]);
	rope_tables(t, k);
	for (int i = 0; i < slices; i++)
		embed(t, k, i);
	for (int layer = 0; layer < ctx->net->config.num_layers; layer++) {
		run_layer(t, k, layer);
		fvsr_breathe(ctx);
		if (layer == 0)
			fvsr_tap_tokens(t->tap, k, "after_block0", t->x);
	}
	for (int i = 0; i < slices; i++) {
		make_latent(t, i);
		fvsr_tap_latent(t->tap, k, i, latent_at(t, t->latent, i));
	}
}
