/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The KV cache (section 5). Layers whose keys and values do not fit on the device keep them in
 * host memory: a layer's are brought back while the layer before it computes, into one of two
 * stages, and what it adds leaves again while it goes on computing. Nothing is approximated by it.
 */
#include "net/run/kv.h"

#include <stdlib.h>
#include <string.h>

/* Returns the most slots that a layer holds while it computes, or one more. */
static size_t list_size(const struct fvsr_kv *kv)
{
	return (size_t)kv->most + 2;
}

static bool away(const struct fvsr_kv *kv, int layer)
{
	return layer >= kv->resident;
}

static struct fvsr_kv_pool *pool_of(struct fvsr_kv *kv, int layer)
{
	return &kv->pool[away(kv, layer)];
}

static int *held_by(const struct fvsr_kv *kv, int layer)
{
	return kv->held + (size_t)layer * list_size(kv);
}

/* Returns the bytes of the keys, or the values, of one slice. */
static size_t slice_bytes(const struct fvsr_kv *kv)
{
	return fvsr_act_bytes(kv->ctx, (size_t)kv->ctx->rows * kv->ctx->net->config.dim);
}

static size_t mean_bytes(const struct fvsr_kv *kv)
{
	return (size_t)kv->ctx->blocks * kv->ctx->net->config.dim * sizeof(float);
}

int fvsr_kv_open(struct fvsr_kv *kv, const struct fvsr_context *ctx, int kv_ratio)
{
	size_t layers = (size_t)ctx->net->config.num_layers;

	kv->ctx = ctx;
	kv->most = kv->keep = fvsr_kept_slices(kv_ratio);
	kv->held = calloc(layers * list_size(kv), sizeof(int));
	kv->held_count = calloc(layers, sizeof(int));
	for (int i = 0; i < 2; i++)
		kv->pool[i].free_slots = calloc(layers * (size_t)kv->most + 1, sizeof(int));
	fvsr_kv_split(kv, 0);
	return kv->held && kv->held_count && kv->pool[0].free_slots && kv->pool[1].free_slots
		       ? 0
		       : FVSR_ERR_MEMORY;
}

void fvsr_kv_close(struct fvsr_kv *kv)
{
	if (kv->host)
		kv->ctx->backend->host_free(kv->ctx->net->device, kv->host);
	for (int i = 0; i < 2; i++)
		free(kv->pool[i].free_slots);
	free(kv->held);
	free(kv->held_count);
}

/* Gives a pool one slot more than its layers keep, unless it has no layers: see struct fvsr_kv. */
void fvsr_kv_split(struct fvsr_kv *kv, int layers_away)
{
	kv->resident = kv->ctx->net->config.num_layers - layers_away;
	kv->pool[0].slots = kv->resident ? kv->resident * kv->most + 1 : 0;
	kv->pool[1].slots = layers_away ? layers_away * kv->most + 1 : 0;
}

void fvsr_kv_place(struct fvsr_kv *kv, struct fvsr_arena *arena)
{
	size_t slots = (size_t)kv->pool[0].slots, stages = kv->pool[1].slots ? 2 : 0;
	size_t slices = (size_t)fvsr_attended_slices(kv->most);

	kv->pool[0].k = fvsr_arena_take(arena, slots * slice_bytes(kv));
	kv->pool[0].v = fvsr_arena_take(arena, slots * slice_bytes(kv));
	for (int i = 0; i < 2; i++)
		kv->pool[i].k_mean =
			fvsr_arena_take(arena, (size_t)kv->pool[i].slots * mean_bytes(kv));
	for (size_t i = 0; i < stages; i++) {
		kv->stage[i].k = fvsr_arena_take(arena, slices * slice_bytes(kv));
		kv->stage[i].v = fvsr_arena_take(arena, slices * slice_bytes(kv));
	}
}

size_t fvsr_kv_host_bytes(const struct fvsr_kv *kv)
{
	return (size_t)kv->pool[1].slots * 2 * slice_bytes(kv);
}

int fvsr_kv_allocate_host(struct fvsr_kv *kv)
{
	size_t bytes = fvsr_kv_host_bytes(kv);

	if (!bytes)
		return 0;
	kv->host = kv->ctx->backend->host_alloc(kv->ctx->net->device, bytes);
	kv->pool[1].k = kv->host;
	kv->pool[1].v = fvsr_at(kv->host, bytes / 2);
	return kv->host ? 0 : FVSR_ERR_MEMORY;
}

void fvsr_kv_reset(struct fvsr_kv *kv)
{
	for (int i = 0; i < 2; i++) {
		struct fvsr_kv_pool *pool = &kv->pool[i];

		pool->free_count = pool->slots;
		for (int j = 0; j < pool->slots; j++)
			pool->free_slots[j] = pool->slots - 1 - j;
	}
	memset(kv->held_count, 0, (size_t)kv->ctx->net->config.num_layers * sizeof(int));
}

/* Returns where place 'j' of a layer that is away is, while the layer computes. */
static struct fvsr_kv_slice staged(const struct fvsr_kv *kv, int layer, int j)
{
	return (struct fvsr_kv_slice){
		.k = fvsr_at(kv->stage[layer % 2].k, (size_t)j * slice_bytes(kv)),
		.v = fvsr_at(kv->stage[layer % 2].v, (size_t)j * slice_bytes(kv)),
	};
}

static struct fvsr_kv_slice pooled(const struct fvsr_kv *kv, const struct fvsr_kv_pool *pool,
				   int slot)
{
	return (struct fvsr_kv_slice){
		.k = fvsr_at(pool->k, (size_t)slot * slice_bytes(kv)),
		.v = fvsr_at(pool->v, (size_t)slot * slice_bytes(kv)),
		.mean = fvsr_at(pool->k_mean, (size_t)slot * mean_bytes(kv)),
	};
}

static void bring_back(struct fvsr_kv *kv, int layer)
{
	for (int j = 0; j < kv->held_count[layer]; j++) {
		struct fvsr_kv_slice to = staged(kv, layer, j);
		struct fvsr_kv_slice from = pooled(kv, &kv->pool[1], held_by(kv, layer)[j]);

		kv->ctx->backend->reload(kv->ctx->queue, to.k, from.k, slice_bytes(kv));
		kv->ctx->backend->reload(kv->ctx->queue, to.v, from.v, slice_bytes(kv));
	}
}

void fvsr_kv_enter(struct fvsr_kv *kv, int layer)
{
	if (layer == 0 && away(kv, 0))
		bring_back(kv, 0);
	if (away(kv, layer))
		kv->ctx->backend->join(kv->ctx->queue);
	if (layer + 1 < kv->ctx->net->config.num_layers && away(kv, layer + 1))
		bring_back(kv, layer + 1);
}

struct fvsr_kv_slice fvsr_kv_add(struct fvsr_kv *kv, int layer)
{
	struct fvsr_kv_pool *pool = pool_of(kv, layer);
	int slot = pool->free_slots[--pool->free_count], place = kv->held_count[layer]++;
	struct fvsr_kv_slice slice = pooled(kv, pool, slot), stage;

	held_by(kv, layer)[place] = slot;
	if (away(kv, layer)) {
		stage = staged(kv, layer, place);
		slice.k = stage.k;
		slice.v = stage.v;
	}
	return slice;
}

void fvsr_kv_added(struct fvsr_kv *kv, int layer, int slices)
{
	int held = kv->held_count[layer];

	for (int j = held - slices; j < held && away(kv, layer); j++) {
		struct fvsr_kv_slice from = staged(kv, layer, j);
		struct fvsr_kv_slice to = pooled(kv, &kv->pool[1], held_by(kv, layer)[j]);

		kv->ctx->backend->offload(kv->ctx->queue, to.k, from.k, slice_bytes(kv));
		kv->ctx->backend->offload(kv->ctx->queue, to.v, from.v, slice_bytes(kv));
	}
}

struct fvsr_kv_view fvsr_kv_view(const struct fvsr_kv *kv, int layer)
{
	const struct fvsr_kv_pool *pool = &kv->pool[away(kv, layer)];
	struct fvsr_kv_view view = {
		.k = away(kv, layer) ? kv->stage[layer % 2].k : pool->k,
		.v = away(kv, layer) ? kv->stage[layer % 2].v : pool->v,
		.k_mean = pool->k_mean,
		.slices = kv->held_count[layer],
	};

	for (int j = 0; j < view.slices; j++) {
		view.mean_slot[j] = held_by(kv, layer)[j];
		view.slot[j] = away(kv, layer) ? j : view.mean_slot[j];
	}
	return view;
}

void fvsr_kv_set_ratio(struct fvsr_kv *kv, int kv_ratio)
{
	kv->keep = fvsr_kept_slices(kv_ratio);
}

/* Drops one slice a chunk; more than one only after the ratio was lowered. */
void fvsr_kv_leave(struct fvsr_kv *kv, int layer)
{
	struct fvsr_kv_pool *pool = pool_of(kv, layer);
	int *held = held_by(kv, layer);

	while (kv->held_count[layer] > kv->keep) {
		pool->free_slots[pool->free_count++] = held[0];
		memmove(held, held + 1, (size_t)--kv->held_count[layer] * sizeof(int));
	}
}
