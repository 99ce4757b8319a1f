/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: see model-store.h. A thread lives as long as its job; 'lock' guards the status.
 */
#include "model-store.h"

#include "download.h"
#include "system.h"

#include <obs-data.h>
#include <util/bmem.h>
#include <util/platform.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct model_store {
	char folder[1024];
	struct model_list list;
	char source[1024]; /* of an import; empty: download first */

	pthread_mutex_t lock;
	struct model_store_status status;
	bool joinable; /* a thread was started and not joined yet */
	pthread_t thread;
	atomic_bool cancel;
};

/* ---- the list ------------------------------------------------------------------------------ */

static void copy_string(char *to, size_t size, obs_data_t *data, const char *key)
{
	snprintf(to, size, "%s", obs_data_get_string(data, key));
}

static void read_files(struct model_list *list, obs_data_array_t *files)
{
	const size_t count = obs_data_array_count(files);

	for (size_t i = 0; i < count && list->count < MODEL_STORE_FILES; i++) {
		struct model_list_file *file = &list->files[list->count++];
		obs_data_t *item = obs_data_array_item(files, i);

		copy_string(file->name, sizeof(file->name), item, "name");
		copy_string(file->url, sizeof(file->url), item, "url");
		copy_string(file->sha256, sizeof(file->sha256), item, "sha256");
		file->bytes = (uint64_t)obs_data_get_int(item, "bytes");
		obs_data_release(item);
	}
}

bool model_list_read(struct model_list *list, const char *path)
{
	obs_data_t *data = obs_data_create_from_json_file(path);
	obs_data_array_t *files;

	memset(list, 0, sizeof(*list));
	if (!data)
		return false;
	copy_string(list->name, sizeof(list->name), data, "name");
	copy_string(list->page, sizeof(list->page), data, "page");
	copy_string(list->packed, sizeof(list->packed), data, "packed");
	files = obs_data_get_array(data, "files");
	read_files(list, files);
	obs_data_array_release(files);
	obs_data_release(data);
	return list->count > 0 && list->packed[0];
}

/* ---- the job, on its thread ---------------------------------------------------------------- */

static void set_state(struct model_store *store, enum model_store_state state, const char *what)
{
	pthread_mutex_lock(&store->lock);
	store->status.state = state;
	store->status.done = store->status.total = 0;
	snprintf(store->status.what, sizeof(store->status.what), "%s", what);
	pthread_mutex_unlock(&store->lock);
}

/* While a file is hashed, download.c reports as much as there is to do, from the beginning. */
static bool note_progress(void *opaque, uint64_t done, uint64_t total, const char *what)
{
	struct model_store *store = opaque;
	struct model_store_status *status = &store->status;

	(void)what;
	pthread_mutex_lock(&store->lock);
	if (status->state == STORE_DOWNLOADING && total && done < status->done)
		status->state = STORE_CHECKING;
	status->done = done;
	status->total = total;
	pthread_mutex_unlock(&store->lock);
	return !atomic_load(&store->cancel);
}

static void path_of(const struct model_store *store, char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", store->folder, name);
}

static int download_all(struct model_store *store, struct fvsr_error *err)
{
	const struct fvsr_progress progress = {note_progress, store};
	int code = 0;

	for (unsigned i = 0; i < store->list.count && code == 0; i++) {
		const struct model_list_file *file = &store->list.files[i];
		char path[1280];
		const struct download download = {file->url, path, file->bytes, file->sha256};

		path_of(store, path, sizeof(path), file->name);
		set_state(store, STORE_DOWNLOADING, file->name);
		code = download_file(&download, &progress, err);
	}
	return code;
}

static int import(struct model_store *store, const char *source, struct fvsr_error *err)
{
	struct fvsr_import_options options;

	set_state(store, STORE_IMPORTING, store->list.name);
	fvsr_import_options_default(&options);
	options.name = store->list.name;
	options.progress = (struct fvsr_progress){note_progress, store};
	return fvsr_import(source, store->status.packed, &options, err);
}

/* They are twice as large as what was made of them. */
static void remove_downloads(struct model_store *store)
{
	for (unsigned i = 0; i < store->list.count; i++) {
		char path[1280];

		path_of(store, path, sizeof(path), store->list.files[i].name);
		os_unlink(path);
	}
}

static void finish(struct model_store *store, int code, const char *reason)
{
	pthread_mutex_lock(&store->lock);
	store->status.state = code == 0                    ? STORE_DONE
			      : code == FVSR_ERR_CANCELLED ? STORE_CANCELLED
							   : STORE_FAILED;
	snprintf(store->status.reason, sizeof(store->status.reason), "%s", code ? reason : "");
	pthread_mutex_unlock(&store->lock);
}

static void *run(void *opaque)
{
	struct model_store *store = opaque;
	const bool downloads = !store->source[0];
	struct fvsr_error err = {""};
	int code = 0;

	system_name_thread("flashvsr store");
	system_lower_thread_priority();
	os_mkdirs(store->folder);
	if (downloads)
		code = download_all(store, &err);
	if (code == 0)
		code = import(store, downloads ? store->folder : store->source, &err);
	if (code == 0 && downloads)
		remove_downloads(store);
	finish(store, code, err.text);
	return NULL;
}

/* ---- what the dialog calls ----------------------------------------------------------------- */

struct model_store *model_store_create(const char *folder, const struct model_list *list)
{
	struct model_store *store = bzalloc(sizeof(*store));

	snprintf(store->folder, sizeof(store->folder), "%s", folder);
	store->list = *list;
	store->status.state = STORE_IDLE;
	snprintf(store->status.packed, sizeof(store->status.packed), "%s/%s", folder, list->packed);
	atomic_init(&store->cancel, false);
	pthread_mutex_init(&store->lock, NULL);
	return store;
}

static void join(struct model_store *store)
{
	if (store->joinable)
		pthread_join(store->thread, NULL);
	store->joinable = false;
}

void model_store_destroy(struct model_store *store)
{
	if (!store)
		return;
	atomic_store(&store->cancel, true);
	join(store);
	pthread_mutex_destroy(&store->lock);
	bfree(store);
}

bool model_store_busy(const struct model_store_status *status)
{
	return status->state == STORE_DOWNLOADING || status->state == STORE_CHECKING ||
	       status->state == STORE_IMPORTING;
}

/* The lock also keeps two clicks apart. A thread that has ended is joined at once. */
static bool start(struct model_store *store, const char *source)
{
	bool started;

	pthread_mutex_lock(&store->lock);
	started = !model_store_busy(&store->status);
	if (started) {
		store->status.state = source[0] ? STORE_IMPORTING : STORE_DOWNLOADING;
		store->status.what[0] = store->status.reason[0] = 0;
		store->status.done = store->status.total = 0;
	}
	pthread_mutex_unlock(&store->lock);
	if (!started)
		return false;
	join(store);
	atomic_store(&store->cancel, false);
	snprintf(store->source, sizeof(store->source), "%s", source);
	store->joinable = pthread_create(&store->thread, NULL, run, store) == 0;
	if (!store->joinable)
		finish(store, FVSR_ERR_MEMORY, "no thread can be started");
	return store->joinable;
}

bool model_store_download(struct model_store *store)
{
	return start(store, "");
}

bool model_store_import(struct model_store *store, const char *folder)
{
	return folder[0] && start(store, folder);
}

void model_store_cancel(struct model_store *store)
{
	atomic_store(&store->cancel, true);
}

void model_store_get(struct model_store *store, struct model_store_status *status)
{
	pthread_mutex_lock(&store->lock);
	*status = store->status;
	pthread_mutex_unlock(&store->lock);
}
