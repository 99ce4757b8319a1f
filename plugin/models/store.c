/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's jobs: see store.h. Each has a thread that ends with it; 'lock' guards the status.
 */
#include "models/store.h"

#include "system.h"

#include <obs-data.h>
#include <util/base.h>
#include <util/bmem.h>
#include <util/platform.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct model_store {
	char folder[1024];
	struct model_list list;
	const struct download_rules *rules;
	char source[1024]; /* the folder to import from; empty: the files are downloaded first */

	pthread_mutex_t lock;
	struct model_store_status status;
	bool joinable; /* a thread was started and not joined yet */
	pthread_t thread;
	atomic_bool cancel;
};

/* ---- the list ------------------------------------------------------------------------------ */

/* Returns false when the text does not fit. */
static bool copy_string(char *to, size_t size, obs_data_t *data, const char *key)
{
	const int length = snprintf(to, size, "%s", obs_data_get_string(data, key));

	return length >= 0 && (size_t)length < size;
}

/*
 * True for the name of a file that lies in the store's folder itself, on every system: it has no
 * separator, no drive, and names no stream of NTFS.
 */
static bool plain_name(const char *name)
{
	return name[0] && name[0] != '.' && !strpbrk(name, "/\\:");
}

static bool read_file(struct model_list_file *file, obs_data_t *item)
{
	const long long bytes = obs_data_get_int(item, "bytes");

	file->bytes = bytes > 0 ? (uint64_t)bytes : 0;
	return copy_string(file->name, sizeof(file->name), item, "name") &&
	       copy_string(file->url, sizeof(file->url), item, "url") &&
	       copy_string(file->sha256, sizeof(file->sha256), item, "sha256") &&
	       plain_name(file->name) && download_url_valid(file->url) &&
	       download_sha256_valid(file->sha256) && file->bytes;
}

static bool read_files(struct model_list *list, obs_data_array_t *files)
{
	const size_t count = obs_data_array_count(files);
	bool valid = count > 0 && count <= MODEL_STORE_FILES;

	for (size_t i = 0; i < count && valid; i++) {
		obs_data_t *item = obs_data_array_item(files, i);

		valid = read_file(&list->files[list->count++], item);
		if (!valid)
			blog(LOG_WARNING,
			     "[obs-flashvsr] file %u of the list of models is not usable: it "
			     "needs name, https address, size and SHA-256",
			     list->count);
		obs_data_release(item);
	}
	return valid;
}

static bool read_list(struct model_list *list, obs_data_t *data)
{
	obs_data_array_t *files = obs_data_get_array(data, "files");
	const bool valid = copy_string(list->name, sizeof(list->name), data, "name") &&
			   copy_string(list->page, sizeof(list->page), data, "page") &&
			   copy_string(list->packed, sizeof(list->packed), data, "packed") &&
			   plain_name(list->packed) && read_files(list, files);

	obs_data_array_release(files);
	return valid;
}

bool model_list_read(struct model_list *list, const char *path)
{
	obs_data_t *data = obs_data_create_from_json_file(path);
	bool valid;

	memset(list, 0, sizeof(*list));
	if (!data)
		return false;
	valid = read_list(list, data);
	obs_data_release(data);
	return valid;
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

static bool note_progress(struct model_store *store, enum model_store_state state, uint64_t done,
			  uint64_t total)
{
	struct model_store_status *status = &store->status;

	pthread_mutex_lock(&store->lock);
	status->state = state;
	status->done = done;
	status->total = total;
	pthread_mutex_unlock(&store->lock);
	return !atomic_load(&store->cancel);
}

static bool note_download(void *opaque, enum download_phase phase, uint64_t done, uint64_t total)
{
	return note_progress(opaque,
			     phase == DOWNLOAD_CHECKING ? STORE_CHECKING : STORE_DOWNLOADING, done,
			     total);
}

static bool note_import(void *opaque, uint64_t done, uint64_t total, const char *what)
{
	(void)what;
	return note_progress(opaque, STORE_IMPORTING, done, total);
}

static void path_of(const struct model_store *store, char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", store->folder, name);
}

/*
 * Checks that the disk has room for what is still to be fetched, and for the packed file beside
 * it, which holds the same numbers in half the bytes. Where the system does not say how much is
 * free (it says 0), writing will tell.
 */
static int check_space(const struct model_store *store, struct fvsr_error *err)
{
	const uint64_t available = os_get_free_disk_space(store->folder);
	uint64_t needed = 0;

	for (unsigned i = 0; i < store->list.count; i++) {
		const struct model_list_file *file = &store->list.files[i];
		char path[1280];
		const struct download download = {.path = path, .bytes = file->bytes};

		path_of(store, path, sizeof(path), file->name);
		needed += file->bytes - download_bytes_there(&download) + file->bytes / 2;
	}
	if (!available || available >= needed)
		return 0;
	snprintf(err->text, sizeof(err->text),
		 "%.1f GB are needed for the download and the model made of it, and only %.1f GB "
		 "are free in %.380s",
		 (double)needed / 1e9, (double)available / 1e9, store->folder);
	return FVSR_ERR_IO;
}

static int download_all(struct model_store *store, struct fvsr_error *err)
{
	const struct download_progress progress = {note_download, store};
	int code = check_space(store, err);

	for (unsigned i = 0; i < store->list.count && code == 0; i++) {
		const struct model_list_file *file = &store->list.files[i];
		char path[1280];
		const struct download download = {file->url, path, file->bytes, file->sha256,
						  store->rules};

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
	options.progress = (struct fvsr_progress){note_import, store};
	return fvsr_import(source, store->status.packed, &options, err);
}

/* Removes the downloaded files, which are twice as large as what was made of them. */
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

struct model_store *model_store_create(const char *folder, const struct model_list *list,
				       const struct download_rules *rules)
{
	struct model_store *store = bzalloc(sizeof(*store));

	snprintf(store->folder, sizeof(store->folder), "%s", folder);
	store->list = *list;
	store->rules = rules;
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

/* Starts a job, unless there is one: the lock keeps two clicks apart. Joins the thread before. */
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
