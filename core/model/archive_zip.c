/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libzip reads the archive through our own file (positional reads, no mapping, memory for tests),
 * and this file decides what an archive of weights may look like: only stored entries, since
 * that is all PyTorch writes, which rules out decompression bombs along with everything else.
 */
#include "model/archive_zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "base/common.h"

#define MAX_ENTRIES (1 << 17)
#define READ_BYTES  ((size_t)4 << 20) /* between two progress reports */

/* State of the zip source; libzip owns it through its reference to the source. */
struct input {
	struct fvsr_file *file;
	uint64_t at;
	zip_error_t error;
};

struct entry {
	const char *name; /* libzip's, behind the top folder */
	zip_uint64_t index;
	uint64_t size;
};

struct fvsr_zip {
	zip_t *zip;
	const char *file;
	struct entry *entries; /* sorted by name */
	size_t count;
	uint64_t file_bytes;
	char top[256]; /* "NAME/" */
	size_t top_length;
};

/* ------------------------------------------------------------------------------------------- */
/* A zip source over struct fvsr_file                                                          */

static zip_int64_t input_read(struct input *in, void *data, zip_uint64_t length)
{
	uint64_t left = fvsr_file_size(in->file) - in->at;

	if (length > left)
		length = left;
	if (fvsr_file_read(in->file, in->at, data, (size_t)length, NULL) < 0) {
		zip_error_set(&in->error, ZIP_ER_READ, 0);
		return -1;
	}
	in->at += length;
	return (zip_int64_t)length;
}

static zip_int64_t input_seek(struct input *in, void *data, zip_uint64_t length)
{
	zip_uint64_t size = fvsr_file_size(in->file);
	zip_int64_t to = zip_source_seek_compute_offset(in->at, size, data, length, &in->error);

	if (to < 0)
		return -1;
	in->at = (uint64_t)to;
	return 0;
}

static zip_int64_t input_stat(struct input *in, zip_stat_t *st)
{
	zip_stat_init(st);
	st->size = fvsr_file_size(in->file);
	st->valid |= ZIP_STAT_SIZE;
	return sizeof(*st);
}

static zip_int64_t input_call(void *opaque, void *data, zip_uint64_t length, zip_source_cmd_t cmd)
{
	struct input *in = opaque;

	switch (cmd) {
	case ZIP_SOURCE_OPEN:
		in->at = 0;
		return 0;
	case ZIP_SOURCE_READ:
		return input_read(in, data, length);
	case ZIP_SOURCE_SEEK:
		return input_seek(in, data, length);
	case ZIP_SOURCE_TELL:
		return (zip_int64_t)in->at;
	case ZIP_SOURCE_STAT:
		return input_stat(in, data);
	case ZIP_SOURCE_ERROR:
		return zip_error_to_data(&in->error, data, length);
	case ZIP_SOURCE_CLOSE:
		return 0;
	case ZIP_SOURCE_FREE:
		free(in);
		return 0;
	case ZIP_SOURCE_SUPPORTS:
		return zip_source_make_command_bitmap(
			ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
			ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL,
			ZIP_SOURCE_SUPPORTS, -1);
	default:
		zip_error_set(&in->error, ZIP_ER_OPNOTSUPP, 0);
		return -1;
	}
}

static int zip_failed(const char *file, zip_error_t *error, struct fvsr_error *err)
{
	int code = zip_error_code_zip(error);
	const char *why = zip_error_strerror(error);

	if (code == ZIP_ER_MEMORY)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "%s: out of memory", file);
	return fvsr_fail(err, code == ZIP_ER_READ ? FVSR_ERR_IO : FVSR_ERR_FORMAT, "%s: zip: %s",
			 file, why ? why : "invalid archive");
}

static int open_zip(struct fvsr_zip *z, struct fvsr_file *file, struct fvsr_error *err)
{
	struct input *in = calloc(1, sizeof(*in));
	zip_source_t *source;
	zip_error_t error;
	int result = 0;

	if (!in)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	in->file = file;
	zip_error_init(&in->error);
	zip_error_init(&error);
	source = zip_source_function_create(input_call, in, &error);
	if (!source) {
		free(in);
		result = zip_failed(z->file, &error, err);
		zip_error_fini(&error);
		return result;
	}
	z->zip = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
	if (!z->zip) {
		result = zip_failed(z->file, &error, err);
		zip_source_free(source);
	}
	zip_error_fini(&error);
	return result;
}

/* ------------------------------------------------------------------------------------------- */
/* Entries                                                                                     */

static int bad_entry(const struct fvsr_zip *z, const char *name, const char *why,
		     struct fvsr_error *err)
{
	char shown[64];

	fvsr_printable(shown, sizeof(shown), name, strlen(name));
	return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: entry '%s' %s", z->file, shown, why);
}

/* Tells whether a path stays in its folder: neither absolute nor upwards, on any system. */
static bool is_plain_path(const char *name)
{
	if (!*name || *name == '/' || strchr(name, '\\') || strchr(name, ':'))
		return false;
	return strncmp(name, "../", 3) && !strstr(name, "/../") && !strstr(name, "//");
}

/* Takes the top folder, which the first entry names and all others must be in, off a name. */
static int strip_top(struct fvsr_zip *z, const char **name, struct fvsr_error *err)
{
	if (!z->top_length) {
		const char *slash = strchr(*name, '/');
		size_t n = slash ? (size_t)(slash - *name) + 1 : 0;

		if (!n || n >= sizeof(z->top))
			return bad_entry(z, *name, "is in no folder", err);
		memcpy(z->top, *name, n);
		z->top_length = n;
	}
	if (strncmp(*name, z->top, z->top_length))
		return bad_entry(z, *name, "is not in the folder of the first", err);
	*name += z->top_length;
	return 0;
}

static int check_entry(struct fvsr_zip *z, const zip_stat_t *st, struct fvsr_error *err)
{
	const zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
				    ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD |
				    ZIP_STAT_CRC;

	if ((st->valid & ZIP_STAT_NAME) && !is_plain_path(st->name))
		return bad_entry(z, st->name, "has an unsafe name", err);
	if ((st->valid & needed) != needed)
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: an entry is not described fully",
				 z->file);
	if (st->encryption_method != ZIP_EM_NONE)
		return bad_entry(z, st->name, "is encrypted", err);
	if (st->comp_method != ZIP_CM_STORE)
		return bad_entry(z, st->name, "is compressed", err);
	if (st->size != st->comp_size)
		return bad_entry(z, st->name, "has two different sizes", err);
	return 0;
}

static int add_entry(struct fvsr_zip *z, zip_uint64_t index, uint64_t *total,
		     struct fvsr_error *err)
{
	struct entry *entry = &z->entries[z->count];
	zip_stat_t st;
	int result;

	if (zip_stat_index(z->zip, index, 0, &st) < 0)
		return zip_failed(z->file, zip_get_error(z->zip), err);
	result = check_entry(z, &st, err);
	if (result < 0)
		return result;
	/* Stored entries that do not overlap cannot be larger than the file together. */
	if (st.size > z->file_bytes - *total)
		return bad_entry(z, st.name, "is larger than the archive", err);
	*total += st.size;
	entry->name = st.name;
	entry->index = index;
	entry->size = st.size;
	result = strip_top(z, &entry->name, err);
	z->count += result >= 0;
	return result;
}

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int check_unique(struct fvsr_zip *z, struct fvsr_error *err)
{
	size_t i;

	qsort(z->entries, z->count, sizeof(*z->entries), by_name);
	for (i = 1; i < z->count; i++)
		if (!strcmp(z->entries[i - 1].name, z->entries[i].name))
			return bad_entry(z, z->entries[i].name, "is there twice", err);
	return 0;
}

/* Refuses a second "data.pkl": the top folder's is read, and another would be a disguise. */
static int check_pickles(struct fvsr_zip *z, struct fvsr_error *err)
{
	size_t i, pickles = 0;

	for (i = 0; i < z->count; i++)
		pickles += !strcmp(fvsr_path_base(z->entries[i].name), "data.pkl");
	if (pickles > 1)
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: holds several data.pkl", z->file);
	if (fvsr_zip_size(z, "data.pkl") < 0)
		return fvsr_fail(err, FVSR_ERR_FORMAT,
				 "%s: holds no data.pkl, so it is not a PyTorch archive", z->file);
	return 0;
}

static int check_byte_order(struct fvsr_zip *z, struct fvsr_error *err)
{
	int64_t size = fvsr_zip_size(z, "byteorder");
	char order[6] = "";
	int result = 0;

	if (size < 0)
		return 0; /* older versions of PyTorch do not write it */
	if (size == sizeof(order))
		result = fvsr_zip_read(z, "byteorder", order, sizeof(order), NULL, 0, 0, err);
	if (result < 0)
		return result;
	if (size != sizeof(order) || memcmp(order, "little", sizeof(order)))
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: its byte order is not little-endian",
				 z->file);
	return 0;
}

static int read_entries(struct fvsr_zip *z, struct fvsr_error *err)
{
	zip_int64_t n = zip_get_num_entries(z->zip, 0), i;
	uint64_t total = 0;
	int result = 0;

	if (n < 1 || n > MAX_ENTRIES)
		return fvsr_fail(err, FVSR_ERR_FORMAT, "%s: has %lld entries", z->file,
				 (long long)n);
	z->entries = calloc((size_t)n, sizeof(*z->entries));
	if (!z->entries)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "%s: out of memory", z->file);
	for (i = 0; i < n && result >= 0; i++)
		result = add_entry(z, (zip_uint64_t)i, &total, err);
	if (result >= 0)
		result = check_unique(z, err);
	if (result >= 0)
		result = check_pickles(z, err);
	return result < 0 ? result : check_byte_order(z, err);
}

int fvsr_zip_open(struct fvsr_zip **out, struct fvsr_file *file, struct fvsr_error *err)
{
	struct fvsr_zip *z = calloc(1, sizeof(*z));
	int result;

	if (!z)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	z->file = fvsr_file_name(file);
	z->file_bytes = fvsr_file_size(file);
	result = open_zip(z, file, err);
	if (result >= 0)
		result = read_entries(z, err);
	if (result < 0) {
		fvsr_zip_close(z);
		return result;
	}
	*out = z;
	return 0;
}

void fvsr_zip_close(struct fvsr_zip *zip)
{
	if (!zip)
		return;
	if (zip->zip)
		zip_discard(zip->zip);
	free(zip->entries);
	free(zip);
}

static const struct entry *find_entry(const struct fvsr_zip *zip, const char *name)
{
	struct entry key = {.name = name};

	return bsearch(&key, zip->entries, zip->count, sizeof(key), by_name);
}

int64_t fvsr_zip_size(const struct fvsr_zip *zip, const char *name)
{
	const struct entry *entry = find_entry(zip, name);

	return entry ? (int64_t)entry->size : -1;
}

/* Reads once more, which finds nothing left and makes libzip compare the checksum. */
static int read_to_end(struct fvsr_zip *z, zip_file_t *zf, const char *name, unsigned char *to,
		       size_t bytes, const struct fvsr_progress *progress, uint64_t done,
		       uint64_t total, struct fvsr_error *err)
{
	unsigned char extra;

	while (bytes) {
		size_t wanted = bytes < READ_BYTES ? bytes : READ_BYTES;
		zip_int64_t n = zip_fread(zf, to, wanted);

		if (n < 0)
			return zip_failed(z->file, zip_file_get_error(zf), err);
		if (!n)
			return bad_entry(z, name, "is shorter than it says", err);
		to += n;
		bytes -= (size_t)n;
		done += (uint64_t)n;
		if (!fvsr_progress(progress, done, total, z->file))
			return fvsr_fail(err, FVSR_ERR_CANCELLED, "cancelled");
	}
	switch (zip_fread(zf, &extra, 1)) {
	case 0:
		return 0;
	case 1:
		return bad_entry(z, name, "is longer than it says", err);
	default:
		return zip_failed(z->file, zip_file_get_error(zf), err);
	}
}

int fvsr_zip_read(struct fvsr_zip *zip, const char *name, void *buf, size_t bytes,
		  const struct fvsr_progress *progress, uint64_t done, uint64_t total,
		  struct fvsr_error *err)
{
	const struct entry *entry = find_entry(zip, name);
	zip_file_t *zf;
	int result;

	if (!entry || entry->size != bytes)
		return bad_entry(zip, name, "is missing or of a wrong size", err);
	zf = zip_fopen_index(zip->zip, entry->index, 0);
	if (!zf)
		return zip_failed(zip->file, zip_get_error(zip->zip), err);
	result = read_to_end(zip, zf, name, buf, bytes, progress, done, total, err);
	zip_fclose(zf);
	return result;
}
