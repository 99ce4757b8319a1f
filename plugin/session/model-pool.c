/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sharing models and taking turns: see model-pool.h. There is one lock, which is never held while a
 * model is loaded or a chunk is computed, and one condition for everything that is waited for,
 * since waiting is rare.
 */
#include "session/model-pool.h"

#include "system.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_MS      100    /* how often a cancelled wait is noticed without being told */
#define HOLD_MOST_NS 500000 /* a picture of OBS that takes longer does not stop the engines */

struct entry {
	struct entry *next;
	char spec[1024], backend[16];
	fvsr_model *model; /* NULL while it is being loaded */
	unsigned users;
	bool forgotten;
	uint64_t done, total; /* of loading */
};

struct model_pool {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned owners;
	struct entry *entries;
	struct model_pool_turn *line; /* all devices, oldest first */
	atomic_llong held_ns;         /* when model_pool_hold() was called; 0: let go */
};

struct model_pool *model_pool_create(void)
{
	struct model_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->owners = 1;
	atomic_init(&pool->held_ns, 0);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->changed, NULL);
	return pool;
}

struct model_pool *model_pool_ref(struct model_pool *pool)
{
	if (!pool)
		return NULL;
	pthread_mutex_lock(&pool->lock);
	pool->owners++;
	pthread_mutex_unlock(&pool->lock);
	return pool;
}

void model_pool_unref(struct model_pool *pool)
{
	bool last;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	last = --pool->owners == 0;
	pthread_mutex_unlock(&pool->lock);
	if (!last)
		return;
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* Waits for a change. The wait ends by itself after a while, in case nobody tells of one. */
static void wait_a_while(struct model_pool *pool)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += POLL_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
}

/* ---- models -------------------------------------------------------------------------------- */

static struct entry *find_spec(struct model_pool *pool, const char *spec, const char *backend)
{
	struct entry *entry = pool->entries;

	while (entry && (entry->forgotten || strcmp(entry->spec, spec) != 0 ||
			 strcmp(entry->backend, backend) != 0))
		entry = entry->next;
	return entry;
}

static struct entry *find_model(struct model_pool *pool, const fvsr_model *model)
{
	struct entry *entry = pool->entries;

	while (entry && entry->model != model)
		entry = entry->next;
	return entry;
}

static void remove_entry(struct model_pool *pool, struct entry *entry)
{
	struct entry **at = &pool->entries;

	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	free(entry);
}

struct loading {
	struct model_pool *pool;
	struct entry *entry;
	struct fvsr_progress progress; /* the caller's */
};

static bool note_progress(void *opaque, uint64_t done, uint64_t total, const char *what)
{
	struct loading *loading = opaque;

	pthread_mutex_lock(&loading->pool->lock);
	loading->entry->done = done;
	loading->entry->total = total;
	pthread_mutex_unlock(&loading->pool->lock);
	return !loading->progress.report ||
	       loading->progress.report(loading->progress.opaque, done, total, what);
}

static bool is_held(void *opaque)
{
	const struct model_pool *pool = opaque;
	const int64_t since_ns = atomic_load(&pool->held_ns);

	return since_ns && system_now_ns() - since_ns < HOLD_MOST_NS;
}

/* Called and left with the lock held. */
static int load(struct model_pool *pool, struct entry *entry, fvsr_model **out,
		const struct fvsr_model_options *options, struct fvsr_error *err)
{
	struct loading loading = {pool, entry, options->progress};
	struct fvsr_model_options own = *options;
	fvsr_model *model = NULL;
	int code;

	own.progress = (struct fvsr_progress){note_progress, &loading};
	own.hold = (struct fvsr_hold){is_held, pool};
	pthread_mutex_unlock(&pool->lock);
	code = fvsr_model_open(&model, entry->spec, &own, err);
	pthread_mutex_lock(&pool->lock);
	pthread_cond_broadcast(&pool->changed);
	if (code < 0) {
		remove_entry(pool, entry);
		return code;
	}
	entry->model = model;
	entry->users = 1;
	*out = model;
	return code;
}

/* Called and left with the lock held. False: cancelled. */
static bool wait_for_other(struct model_pool *pool, const struct entry *entry,
			   const struct fvsr_progress *progress)
{
	const uint64_t done = entry->done, total = entry->total;
	bool go_on = true;

	wait_a_while(pool);
	if (!progress->report)
		return true;
	pthread_mutex_unlock(&pool->lock);
	go_on = progress->report(progress->opaque, done, total, "");
	pthread_mutex_lock(&pool->lock);
	return go_on;
}

static struct entry *add_entry(struct model_pool *pool, const char *spec, const char *backend)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	snprintf(entry->spec, sizeof(entry->spec), "%s", spec);
	snprintf(entry->backend, sizeof(entry->backend), "%s", backend);
	entry->next = pool->entries;
	pool->entries = entry;
	return entry;
}

static int out_of_memory(struct fvsr_error *err)
{
	snprintf(err->text, sizeof(err->text), "out of memory");
	return FVSR_ERR_MEMORY;
}

int model_pool_open(struct model_pool *pool, fvsr_model **out, const char *spec,
		    const struct fvsr_model_options *options, struct fvsr_error *err)
{
	const char *backend = options->backend ? options->backend : "auto";
	struct entry *entry;
	int code = FVSR_ERR_AGAIN;

	if (!pool)
		return fvsr_model_open(out, spec, options, err);
	pthread_mutex_lock(&pool->lock);
	while (code == FVSR_ERR_AGAIN) {
		entry = find_spec(pool, spec, backend);
		if (!entry) {
			entry = add_entry(pool, spec, backend);
			code = entry ? load(pool, entry, out, options, err) : out_of_memory(err);
		} else if (entry->model) {
			entry->users++;
			*out = entry->model;
			code = FVSR_OK;
		} else if (!wait_for_other(pool, entry, &options->progress)) {
			code = FVSR_ERR_CANCELLED;
		}
	}
	pthread_mutex_unlock(&pool->lock);
	return code;
}

void model_pool_close(struct model_pool *pool, fvsr_model *model)
{
	struct entry *entry;
	bool last = true;

	if (!model)
		return;
	if (pool) {
		pthread_mutex_lock(&pool->lock);
		entry = find_model(pool, model);
		last = !entry || --entry->users == 0;
		if (entry && last)
			remove_entry(pool, entry);
		pthread_mutex_unlock(&pool->lock);
	}
	if (last)
		fvsr_model_unref(model);
}

void model_pool_forget(struct model_pool *pool, const fvsr_model *model)
{
	struct entry *entry;

	if (!pool || !model)
		return;
	pthread_mutex_lock(&pool->lock);
	entry = find_model(pool, model);
	if (entry)
		entry->forgotten = true;
	pthread_mutex_unlock(&pool->lock);
}

unsigned model_pool_count(struct model_pool *pool)
{
	unsigned count = 0;

	pthread_mutex_lock(&pool->lock);
	for (const struct entry *entry = pool->entries; entry; entry = entry->next)
		count += entry->model != NULL;
	pthread_mutex_unlock(&pool->lock);
	return count;
}

unsigned model_pool_users(struct model_pool *pool)
{
	unsigned users = 0;

	if (!pool)
		return 1;
	pthread_mutex_lock(&pool->lock);
	for (const struct entry *entry = pool->entries; entry; entry = entry->next)
		users += entry->users;
	pthread_mutex_unlock(&pool->lock);
	return users ? users : 1;
}

void model_pool_hold(struct model_pool *pool)
{
	if (pool)
		atomic_store(&pool->held_ns, system_now_ns());
}

void model_pool_let_go(struct model_pool *pool)
{
	if (pool)
		atomic_store(&pool->held_ns, 0);
}

/* ---- turns --------------------------------------------------------------------------------- */

/* Returns true when it is this worker's turn: when it is the first in the line for its device. */
static bool first_in_line(const struct model_pool *pool, const struct model_pool_turn *turn)
{
	const struct model_pool_turn *other = pool->line;

	while (strcmp(other->device, turn->device) != 0)
		other = other->next;
	return other == turn;
}

static void leave_line(struct model_pool *pool, struct model_pool_turn *turn)
{
	struct model_pool_turn **at = &pool->line;

	while (*at != turn)
		at = &(*at)->next;
	*at = turn->next;
	pthread_cond_broadcast(&pool->changed);
}

bool model_pool_begin_turn(struct model_pool *pool, struct model_pool_turn *turn,
			   const char *device, bool (*stop)(void *opaque), void *opaque)
{
	struct model_pool_turn **at;
	bool mine;

	if (!pool)
		return true;
	*turn = (struct model_pool_turn){0};
	snprintf(turn->device, sizeof(turn->device), "%s", device);
	pthread_mutex_lock(&pool->lock);
	for (at = &pool->line; *at; at = &(*at)->next)
		;
	*at = turn;
	while (!first_in_line(pool, turn) && !stop(opaque))
		wait_a_while(pool);
	mine = first_in_line(pool, turn);
	if (!mine)
		leave_line(pool, turn);
	pthread_mutex_unlock(&pool->lock);
	return mine;
}

void model_pool_end_turn(struct model_pool *pool, struct model_pool_turn *turn)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	leave_line(pool, turn);
	pthread_mutex_unlock(&pool->lock);
}

void model_pool_wake(struct model_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
}
