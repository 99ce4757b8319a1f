/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all filters of the module share, as their type's data: the open models and the store.
 */
#ifndef FLASHVSR_SHARED_H
#define FLASHVSR_SHARED_H

#include "session/model-pool.h"
#include "models/store.h"

struct shared {
	struct model_pool *pool;
	struct model_store *store; /* NULL: data/models.json cannot be read */
	struct model_list list;
};

/* With one owner. */
struct shared *shared_create(void);
struct shared *shared_ref(struct shared *shared);
/* NULL is allowed. */
void shared_unref(struct shared *shared);

#endif
