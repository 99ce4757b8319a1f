/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the workers of all filters share: the open models, each opened once however many filters use
 * it, and the order in which they compute on a device. There is one pool, made with the module.
 *
 * All functions may be called from any thread. A pool may be NULL: then nothing is shared.
 */
#ifndef FLASHVSR_MODEL_POOL_H
#define FLASHVSR_MODEL_POOL_H

#include "fvsr/fvsr.h"

struct model_pool;

/* Creates a pool with one owner. NULL: out of memory. */
struct model_pool *model_pool_create(void);
/* Adds an owner and returns 'pool'. */
struct model_pool *model_pool_ref(struct model_pool *pool);
/* Removes an owner; the last one frees the pool. All models must have been closed by then. */
void model_pool_unref(struct model_pool *pool);

/*
 * Opens a model as fvsr_model_open() does. A model that is open already is returned at once. A
 * model that another worker is loading is waited for; options->progress tells how far that is, and
 * may cancel the waiting.
 */
int model_pool_open(struct model_pool *pool, fvsr_model **out, const char *spec,
		    const struct fvsr_model_options *options, struct fvsr_error *err);
/* Closes a model when no other worker uses it. NULL is allowed. */
void model_pool_close(struct model_pool *pool, fvsr_model *model);
/* Takes a model whose device has failed out of use: from now on another one is opened instead. */
void model_pool_forget(struct model_pool *pool, const fvsr_model *model);
/* Returns how many models are open. */
unsigned model_pool_count(struct model_pool *pool);
/* Returns how many workers use a model, at least 1. */
unsigned model_pool_users(struct model_pool *pool);

/*
 * Keeps the models' engines from beginning anything on a graphics card until model_pool_let_go(),
 * for half a millisecond at most: the render thread calls the card's driver meanwhile, and would
 * have to wait for the engines' locks in it. For the render thread only; neither function waits.
 * NULL is allowed.
 */
void model_pool_hold(struct model_pool *pool);
void model_pool_let_go(struct model_pool *pool);

/* A worker's place in the line for a device; the pool's while the worker waits or computes. */
struct model_pool_turn {
	struct model_pool_turn *next;
	char device[16];
};

/*
 * Waits until it is this worker's turn on 'device' (a backend's name): first come, first served.
 * False: it is not, because stop(opaque) has become true; model_pool_wake() has that looked at.
 */
bool model_pool_begin_turn(struct model_pool *pool, struct model_pool_turn *turn,
			   const char *device, bool (*stop)(void *opaque), void *opaque);
/* Lets the next worker in the line compute. */
void model_pool_end_turn(struct model_pool *pool, struct model_pool_turn *turn);
/* Has all waits look at whether they are to stop. */
void model_pool_wake(struct model_pool *pool);

#endif
