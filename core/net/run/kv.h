/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The KV cache (section 5): keys, values and block means of keys of the slices that the layers of
 * the transformer keep, in slots of a pool that is never moved or concatenated.
 */
#ifndef FVSR_NET_KV_H
#define FVSR_NET_KV_H

#include "net/arena.h"
#include "net/run/context.h"

/* Memory of slices by slot; k_mean is always the device's. */
struct fvsr_kv_pool {
	void *k, *v;  /* ACT (slots, nb * 128, dim) */
	void *k_mean; /* F32 (slots, nb, dim) */
	int slots;
	int *free_slots, free_count;
};

/*
 * A slot is free or belongs to one slice of one layer. One slot more than the layers keep is
 * enough: a layer's oldest slice is dropped before the next layer needs room.
 */
struct fvsr_kv {
	const struct fvsr_context *ctx;
	int most;     /* slices that a layer may hold between chunks; fixed when it is opened */
	int keep;     /* slices that a layer does hold, at most 'most' */
	int resident; /* the first so many layers are in pool[0], the others away, in pool[1] */
	struct fvsr_kv_pool pool[2];
	void *host; /* keys and values of pool[1] */
	struct {
		void *k, *v;
	} stage[2]; /* a layer that is away computes in one of these, by turns */
	int *held;  /* (layers, most + 2): slots, oldest first */
	int *held_count;
};

/* Where one slice's keys, values and block means of keys are written to. */
struct fvsr_kv_slice {
	void *k, *v, *mean;
};

/* All slices of a layer, oldest first. */
struct fvsr_kv_view {
	const void *k, *v, *k_mean;
	int slot[FVSR_MAX_SLICES], mean_slot[FVSR_MAX_SLICES];
	int slices;
};

/* Allocates the lists, for layers that are all on the device. FVSR_ERR_MEMORY is possible. */
int fvsr_kv_open(struct fvsr_kv *kv, const struct fvsr_context *ctx, int kv_ratio);
void fvsr_kv_close(struct fvsr_kv *kv);
/* Sends the last 'layers_away' layers to host memory; before placing. */
void fvsr_kv_split(struct fvsr_kv *kv, int layers_away);
void fvsr_kv_place(struct fvsr_kv *kv, struct fvsr_arena *arena);
/* Returns the bytes of host memory that the layers that are away take. */
size_t fvsr_kv_host_bytes(const struct fvsr_kv *kv);
/* Allocates those; FVSR_ERR_MEMORY is possible. */
int fvsr_kv_allocate_host(struct fvsr_kv *kv);
/* Drops all slices. */
void fvsr_kv_reset(struct fvsr_kv *kv);
/* Changes how many slices are kept from the next chunk on; at most as many as at first. */
void fvsr_kv_set_ratio(struct fvsr_kv *kv, int kv_ratio);

/* Begins a layer's turn: its slices are there afterwards, those of the next are on their way. */
void fvsr_kv_enter(struct fvsr_kv *kv, int layer);
/* Adds a slice, which the caller writes; fvsr_kv_added() follows when a chunk's are written. */
struct fvsr_kv_slice fvsr_kv_add(struct fvsr_kv *kv, int layer);
void fvsr_kv_added(struct fvsr_kv *kv, int layer, int slices);
struct fvsr_kv_view fvsr_kv_view(const struct fvsr_kv *kv, int layer);
/* Ends a layer's turn, which drops the slices that it keeps no longer. */
void fvsr_kv_leave(struct fvsr_kv *kv, int layer);

#endif
