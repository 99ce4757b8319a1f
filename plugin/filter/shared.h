/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all filters of the module share: the open models, the store of models, and who changes scene
 * items. libobs hands it to each filter as the data of its type.
 */
#ifndef FLASHVSR_SHARED_H
#define FLASHVSR_SHARED_H

#include "session/model-pool.h"
#include "models/store.h"

#include <pthread.h>

struct shared {
	struct model_pool *pool;
	struct model_store *store; /* NULL: data/models.json cannot be read */
	struct model_list list;
	pthread_mutex_t place_lock; /* see place.h */
};

/* Creates it with one owner. */
struct shared *shared_create(void);
/* Adds an owner and returns 'shared'. */
struct shared *shared_ref(struct shared *shared);
/* Removes an owner; the last one frees it. NULL is allowed. */
void shared_unref(struct shared *shared);

#endif
