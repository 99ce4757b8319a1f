/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the workers of all filters share: models that are open, each once however many filters use
 * it, and whose turn it is to compute on a device. One pool for the module, made when it is loaded.
 *
 * All functions may be called from any thread. A pool may be NULL: then nothing is shared.
 */
#ifndef FLASHVSR_MODEL_POOL_H
#define FLASHVSR_MODEL_POOL_H

#include "fvsr/fvsr.h"

struct model_pool;

/* With one owner. NULL: out of memory. */
struct model_pool *model_pool_create(void);
struct model_pool *model_pool_ref(struct model_pool *pool);
/* The last owner frees it; all models must have been closed. */
void model_pool_unref(struct model_pool *pool);

/*
 * As fvsr_model_open(). A model that is open already is given at once; one that another worker is
 * loading is waited for, while options->progress tells of that and may cancel the waiting.
 */
int model_pool_open(struct model_pool *pool, fvsr_model **out, const char *spec,
		    const struct fvsr_model_options *options, struct fvsr_error *err);
/* NULL is allowed. */
void model_pool_close(struct model_pool *pool, fvsr_model *model);
/* Its device failed: whoever opens this model from now on gets another. */
void model_pool_forget(struct model_pool *pool, const fvsr_model *model);
/* How many models are open. */
unsigned model_pool_count(struct model_pool *pool);
/* How many workers use one, at least 1. */
unsigned model_pool_users(struct model_pool *pool);

/*
 * Between these two the models' engines begin nothing on a graphics card, for half a millisecond at
 * most: the render thread calls the card's driver, whose locks it would have to wait for. For that
 * thread only; neither waits. NULL is allowed.
 */
void model_pool_hold(struct model_pool *pool);
void model_pool_let_go(struct model_pool *pool);

/* A worker's place in the line for a device; the pool's while it waits or computes. */
struct model_pool_turn {
	struct model_pool_turn *next;
	char device[16];
};

/*
 * Waits until it is this worker's turn on 'device' (a backend's name): first come, first served.
 * False, and no turn, when stop(opaque) becomes true; model_pool_wake() makes it look.
 */
bool model_pool_begin_turn(struct model_pool *pool, struct model_pool_turn *turn,
			   const char *device, bool (*stop)(void *opaque), void *opaque);
void model_pool_end_turn(struct model_pool *pool, struct model_pool_turn *turn);
void model_pool_wake(struct model_pool *pool);

#endif
