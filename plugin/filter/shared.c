/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owning what is shared: see shared.h. The module owns it from the moment it is loaded, and each
 * filter as long as it lives, because filters may outlive the module's type.
 */
#include "filter/shared.h"

#include <obs-module.h>

#include <stdatomic.h>

struct counted_shared {
	struct shared shared; /* first: the same address */
	atomic_int owners;
};

struct shared *shared_create(void)
{
	struct counted_shared *counted = bzalloc(sizeof(*counted));
	char *list = obs_module_file("models.json");
	char *folder = obs_module_config_path("models");

	atomic_init(&counted->owners, 1);
	pthread_mutex_init(&counted->shared.place_lock, NULL);
	counted->shared.pool = model_pool_create();
	if (list && folder && model_list_read(&counted->shared.list, list))
		counted->shared.store = model_store_create(folder, &counted->shared.list, NULL);
	bfree(list);
	bfree(folder);
	return &counted->shared;
}

struct shared *shared_ref(struct shared *shared)
{
	atomic_fetch_add(&((struct counted_shared *)shared)->owners, 1);
	return shared;
}

void shared_unref(struct shared *shared)
{
	if (!shared || atomic_fetch_sub(&((struct counted_shared *)shared)->owners, 1) > 1)
		return;
	model_store_destroy(shared->store);
	model_pool_unref(shared->pool);
	pthread_mutex_destroy(&shared->place_lock);
	bfree(shared);
}
