/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The KV cache (section 5). Layers whose keys and values do not fit on the device keep them in
 * host memory: a layer's are brought back while the layer before it computes, into one of two
 * stages, and what it adds leaves again while it goes on computing. Nothing is approximated by it.
 */
#include <stdlib.h>
#include <string.h>

#include "net/run/arena.h"
#include "net/run/run.h"

/* Slices that are attended to at once: those kept and the chunk's own. */
static int attended(const struct fvsr_kv *kv)
{
	return kv->kept + 1 > FVSR_CHUNK0_SLICES ? kv->kept + 1 : FVSR_CHUNK0_SLICES;
}

static bool away(const struct fvsr_kv *kv, int layer)
{
	return layer >= kv->resident;
}

static struct fvsr_kv_pool *pool_of(struct fvsr_kv *kv, int layer)
{
	return &kv->pool[away(kv, layer)];
}

static int *held_by(struct fvsr_kv *kv, int layer)
{
	return kv->held + (size_t)layer * (size_t)(kv->kept + 2);
}

/* Bytes of the keys, or the values, of one slice. */
static size_t slice_bytes(const struct fvsr_run *run)
{
	return fvsr_run_act(run, (size_t)run->rows * run->net->config.dim);
}

static size_t mean_bytes(const struct fvsr_run *run)
{
	return (size_t)run->blocks * run->net->config.dim * sizeof(float);
}

int fvsr_kv_open(struct fvsr_run *run, int kv_ratio)
{
	struct fvsr_kv *kv = &run->kv;
	size_t layers = (size_t)run->net->config.num_layers;

	kv->kept = kv_ratio > 2 ? kv_ratio : 2;
	kv->held = calloc(layers * (size_t)(kv->kept + 2), sizeof(int));
	kv->held_count = calloc(layers, sizeof(int));
	for (int i = 0; i < 2; i++)
		kv->pool[i].free_slots = calloc(layers * (size_t)kv->kept + 1, sizeof(int));
	fvsr_kv_split(run, 0);
	return kv->held && kv->held_count && kv->pool[0].free_slots && kv->pool[1].free_slots
		       ? 0
		       : FVSR_ERR_MEMORY;
}

void fvsr_kv_close(struct fvsr_run *run)
{
	struct fvsr_kv *kv = &run->kv;

	if (kv->host)
		run->backend->host_free(run->net->device, kv->host);
	for (int i = 0; i < 2; i++)
		free(kv->pool[i].free_slots);
	free(kv->held);
	free(kv->held_count);
}

/* One slot more than the layers keep, unless there are none: see struct fvsr_kv. */
void fvsr_kv_split(struct fvsr_run *run, int layers_away)
{
	struct fvsr_kv *kv = &run->kv;

	kv->resident = run->net->config.num_layers - layers_away;
	kv->pool[0].slots = kv->resident ? kv->resident * kv->kept + 1 : 0;
	kv->pool[1].slots = layers_away ? layers_away * kv->kept + 1 : 0;
}

void fvsr_kv_place(struct fvsr_run *run, struct fvsr_arena *arena)
{
	struct fvsr_kv *kv = &run->kv;
	size_t slots = (size_t)kv->pool[0].slots, stages = kv->pool[1].slots ? 2 : 0;

	kv->pool[0].k = fvsr_arena_take(arena, slots * slice_bytes(run));
	kv->pool[0].v = fvsr_arena_take(arena, slots * slice_bytes(run));
	for (int i = 0; i < 2; i++)
		kv->pool[i].k_mean =
			fvsr_arena_take(arena, (size_t)kv->pool[i].slots * mean_bytes(run));
	for (size_t i = 0; i < stages; i++) {
		kv->stage[i].k = fvsr_arena_take(arena, (size_t)attended(kv) * slice_bytes(run));
		kv->stage[i].v = fvsr_arena_take(arena, (size_t)attended(kv) * slice_bytes(run));
	}
}

size_t fvsr_kv_host_bytes(const struct fvsr_run *run)
{
	return (size_t)run->kv.pool[1].slots * 2 * slice_bytes(run);
}

int fvsr_kv_allocate_host(struct fvsr_run *run)
{
	struct fvsr_kv *kv = &run->kv;
	size_t bytes = fvsr_kv_host_bytes(run);

	if (!bytes)
		return 0;
	kv->host = run->backend->host_alloc(run->net->device, bytes);
	kv->pool[1].k = kv->host;
	kv->pool[1].v = fvsr_at(kv->host, bytes / 2);
	return kv->host ? 0 : FVSR_ERR_MEMORY;
}

void fvsr_kv_reset(struct fvsr_run *run)
{
	struct fvsr_kv *kv = &run->kv;

	for (int i = 0; i < 2; i++) {
		struct fvsr_kv_pool *pool = &kv->pool[i];

		pool->free_count = pool->slots;
		for (int j = 0; j < pool->slots; j++)
			pool->free_slots[j] = pool->slots - 1 - j;
	}
	memset(kv->held_count, 0, (size_t)run->net->config.num_layers * sizeof(int));
}

/* Where place 'j' of a layer that is away is, while the layer computes. */
static struct fvsr_kv_slice staged(const struct fvsr_run *run, int layer, int j)
{
	const struct fvsr_kv *kv = &run->kv;

	return (struct fvsr_kv_slice){
		.k = fvsr_at(kv->stage[layer % 2].k, (size_t)j * slice_bytes(run)),
		.v = fvsr_at(kv->stage[layer % 2].v, (size_t)j * slice_bytes(run)),
	};
}

static struct fvsr_kv_slice pooled(const struct fvsr_run *run, const struct fvsr_kv_pool *pool,
				   int slot)
{
	return (struct fvsr_kv_slice){
		.k = fvsr_at(pool->k, (size_t)slot * slice_bytes(run)),
		.v = fvsr_at(pool->v, (size_t)slot * slice_bytes(run)),
		.mean = fvsr_at(pool->k_mean, (size_t)slot * mean_bytes(run)),
	};
}

static void bring_back(struct fvsr_run *run, int layer)
{
	struct fvsr_kv *kv = &run->kv;

	for (int j = 0; j < kv->held_count[layer]; j++) {
		struct fvsr_kv_slice to = staged(run, layer, j);
		struct fvsr_kv_slice from = pooled(run, &kv->pool[1], held_by(kv, layer)[j]);

		run->backend->reload(run->queue, to.k, from.k, slice_bytes(run));
		run->backend->reload(run->queue, to.v, from.v, slice_bytes(run));
	}
}

void fvsr_kv_enter(struct fvsr_run *run, int layer)
{
	struct fvsr_kv *kv = &run->kv;

	if (layer == 0 && away(kv, 0))
		bring_back(run, 0);
	if (away(kv, layer))
		run->backend->join(run->queue);
	if (layer + 1 < run->net->config.num_layers && away(kv, layer + 1))
		bring_back(run, layer + 1);
}

struct fvsr_kv_slice fvsr_kv_add(struct fvsr_run *run, int layer)
{
	struct fvsr_kv *kv = &run->kv;
	struct fvsr_kv_pool *pool = pool_of(kv, layer);
	int slot = pool->free_slots[--pool->free_count], place = kv->held_count[layer]++;
	struct fvsr_kv_slice slice = pooled(run, pool, slot), stage;

	held_by(kv, layer)[place] = slot;
	if (away(kv, layer)) {
		stage = staged(run, layer, place);
		slice.k = stage.k;
		slice.v = stage.v;
	}
	return slice;
}

void fvsr_kv_added(struct fvsr_run *run, int layer, int slices)
{
	struct fvsr_kv *kv = &run->kv;
	int held = kv->held_count[layer];

	for (int j = held - slices; j < held && away(kv, layer); j++) {
		struct fvsr_kv_slice from = staged(run, layer, j);
		struct fvsr_kv_slice to = pooled(run, &kv->pool[1], held_by(kv, layer)[j]);

		run->backend->offload(run->queue, to.k, from.k, slice_bytes(run));
		run->backend->offload(run->queue, to.v, from.v, slice_bytes(run));
	}
}

struct fvsr_kv_view fvsr_kv_view(struct fvsr_run *run, int layer)
{
	struct fvsr_kv *kv = &run->kv;
	const struct fvsr_kv_pool *pool = pool_of(kv, layer);
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

/*
 * One slice is dropped a chunk, so that at least two stay whatever kv_ratio says; more than one
 * only after kv_ratio was lowered.
 */
void fvsr_kv_leave(struct fvsr_run *run, int layer)
{
	struct fvsr_kv *kv = &run->kv;
	struct fvsr_kv_pool *pool = pool_of(kv, layer);
	int *held = held_by(kv, layer), keep = run->set.kv_ratio > 2 ? run->set.kv_ratio : 2;

	while (kv->held_count[layer] > keep) {
		pool->free_slots[pool->free_count++] = held[0];
		memmove(held, held + 1, (size_t)--kv->held_count[layer] * sizeof(int));
	}
}
