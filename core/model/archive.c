/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zip and pickle are put together here: the pickle names storages, the archive has their bytes.
 * Each storage is read once, whole, with its checksum; tensors point into it.
 */
#include "model/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/common.h"
#include "model/archive_zip.h"
#include "base/dtype.h"
#include "model/pickle.h"

#define MAX_PICKLE_BYTES ((int64_t)1 << 20)

struct fvsr_archive_blob {
	char key[12];
	unsigned char *data;
	size_t bytes;
};

struct reader {
	struct fvsr_archive *archive;
	struct fvsr_zip *zip;
	const char *file;
	const struct fvsr_progress *progress;
	uint64_t done, total;
	struct fvsr_error *err;
};

static int no_memory(const struct reader *r)
{
	return fvsr_fail(r->err, FVSR_ERR_MEMORY, "%s: out of memory", r->file);
}

static int read_pickle(struct reader *r, struct fvsr_pickle *pickle)
{
	int64_t bytes = fvsr_zip_size(r->zip, "data.pkl");
	char *data;
	int result;

	if (bytes > MAX_PICKLE_BYTES)
		return fvsr_fail(r->err, FVSR_ERR_FORMAT, "%s: its data.pkl is above 1 MiB",
				 r->file);
	data = malloc(bytes ? (size_t)bytes : 1);
	if (!data)
		return no_memory(r);
	result = fvsr_zip_read(r->zip, "data.pkl", data, (size_t)bytes, NULL, 0, 0, r->err);
	if (result >= 0)
		result = fvsr_pickle_read(pickle, data, (size_t)bytes, r->file, r->err);
	free(data);
	return result;
}

static int by_key(const void *a, const void *b)
{
	const struct fvsr_archive_blob *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* Lists the storages that tensors refer to, each once, sorted by key. */
static int list_blobs(struct reader *r, const struct fvsr_pickle *pickle)
{
	struct fvsr_archive *a = r->archive;
	size_t i, n = 0;

	a->blobs = calloc(pickle->count ? pickle->count : 1, sizeof(*a->blobs));
	if (!a->blobs)
		return no_memory(r);
	for (i = 0; i < pickle->count; i++)
		memcpy(a->blobs[i].key, pickle->tensors[i].storage, sizeof(a->blobs[i].key));
	qsort(a->blobs, pickle->count, sizeof(*a->blobs), by_key);
	for (i = 0; i < pickle->count; i++)
		if (!n || strcmp(a->blobs[n - 1].key, a->blobs[i].key))
			a->blobs[n++] = a->blobs[i];
	a->blob_count = n;
	return 0;
}

static struct fvsr_archive_blob *find_blob(struct fvsr_archive *a, const char key[12])
{
	struct fvsr_archive_blob wanted = {.data = NULL};

	memcpy(wanted.key, key, sizeof(wanted.key));
	return bsearch(&wanted, a->blobs, a->blob_count, sizeof(wanted), by_key);
}

/* Checks that the archive's entry is as long as the pickle says the storage is. */
static int check_storage(struct reader *r, const struct fvsr_pickle_tensor *t)
{
	struct fvsr_archive_blob *blob = find_blob(r->archive, t->storage);
	uint64_t element = fvsr_dtype_size(t->dtype);
	char name[24], shown[64];
	int64_t size;

	snprintf(name, sizeof(name), "data/%s", t->storage);
	size = fvsr_zip_size(r->zip, name);
	fvsr_printable(shown, sizeof(shown), t->name, strlen(t->name));
	if (size < 0)
		return fvsr_fail(r->err, FVSR_ERR_FORMAT, "%s: tensor '%s': its %s is missing",
				 r->file, shown, name);
	if ((uint64_t)size % element || (uint64_t)size / element != t->storage_count)
		return fvsr_fail(r->err, FVSR_ERR_FORMAT,
				 "%s: tensor '%s': its %s is not as long as the pickle says",
				 r->file, shown, name);
	if (!blob->bytes) {
		blob->bytes = (size_t)size;
		r->total += (uint64_t)size;
	}
	return 0;
}

static int load_blob(struct reader *r, struct fvsr_archive_blob *blob)
{
	char name[24];
	int result;

	snprintf(name, sizeof(name), "data/%s", blob->key);
	blob->data = malloc(blob->bytes);
	if (!blob->data)
		return no_memory(r);
	result = fvsr_zip_read(r->zip, name, blob->data, blob->bytes, r->progress, r->done,
			       r->total, r->err);
	r->done += blob->bytes;
	return result;
}

static int load_tensors(struct reader *r, struct fvsr_pickle *pickle)
{
	struct fvsr_archive *a = r->archive;
	size_t i;
	int result = list_blobs(r, pickle);

	for (i = 0; i < pickle->count && result >= 0; i++)
		result = check_storage(r, &pickle->tensors[i]);
	for (i = 0; i < a->blob_count && result >= 0; i++)
		result = load_blob(r, &a->blobs[i]);
	if (result < 0)
		return result;
	a->tensors = calloc(pickle->count ? pickle->count : 1, sizeof(*a->tensors));
	if (!a->tensors)
		return no_memory(r);
	for (i = 0; i < pickle->count; i++) {
		const struct fvsr_pickle_tensor *from = &pickle->tensors[i];
		struct fvsr_archive_tensor *to = &a->tensors[a->count++];

		to->name = from->name;
		to->dtype = from->dtype;
		to->rank = from->rank;
		memcpy(to->shape, from->shape, sizeof(to->shape));
		to->count = from->count;
		to->data = find_blob(a, from->storage)->data +
			   from->offset * fvsr_dtype_size(from->dtype);
	}
	a->names = pickle->text;
	pickle->text = NULL;
	return 0;
}

int fvsr_archive_read(struct fvsr_archive *archive, struct fvsr_file *file,
		      const struct fvsr_progress *progress, struct fvsr_error *err)
{
	struct reader r = {
		.archive = archive,
		.file = fvsr_file_name(file),
		.progress = progress,
		.err = err,
	};
	struct fvsr_pickle pickle = {0};
	int result = fvsr_zip_open(&r.zip, file, err);

	memset(archive, 0, sizeof(*archive));
	if (result < 0)
		return result;
	result = read_pickle(&r, &pickle);
	if (result >= 0)
		result = load_tensors(&r, &pickle);
	fvsr_pickle_free(&pickle);
	fvsr_zip_close(r.zip);
	if (result < 0)
		fvsr_archive_free(archive);
	return result;
}

void fvsr_archive_free(struct fvsr_archive *archive)
{
	size_t i;

	for (i = 0; i < archive->blob_count; i++)
		free(archive->blobs[i].data);
	free(archive->blobs);
	free(archive->tensors);
	free(archive->names);
	memset(archive, 0, sizeof(*archive));
}

const struct fvsr_archive_tensor *fvsr_archive_find(const struct fvsr_archive *archive,
						    const char *name)
{
	size_t i;

	for (i = 0; i < archive->count; i++)
		if (!strcmp(archive->tensors[i].name, name))
			return &archive->tensors[i];
	return NULL;
}
