/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a file so that its name never stands for half of it: see new_file.h.
 */
#include "model/new_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/common.h"
#include "model/file.h"
#include "model/new_file_system.h"

#define MAX_ATTEMPTS 1000
/* File systems take 255 bytes for a name: what is longer is cut, to leave room for the suffix. */
#define MAX_NAME_BYTES 200
#define SUFFIX_BYTES   48

struct fvsr_new_file {
	char *path, *part; /* the target behind all links, and what is written */
	int handle;
	int reserve; /* descriptor of a file without a name, -1: none */
};

static void free_file(struct fvsr_new_file *file)
{
	free(file->path);
	free(file->part);
	free(file);
}

/* Returns the bytes of the path up to where ".PID-N.part" goes, a whole number of characters. */
static size_t stem_bytes(const char *path)
{
	const char *base = fvsr_path_base(path);
	size_t n = strlen(base);

	if (n > MAX_NAME_BYTES) {
		n = MAX_NAME_BYTES;
		while (n > 0 && ((unsigned char)base[n] & 0xc0) == 0x80)
			n--;
	}
	return (size_t)(base - path) + n;
}

/* ------------------------------------------------------------------------------------------- */
/* What killed programs left                                                                   */

struct sweep {
	const char *path; /* of the target */
	size_t stem;
};

static bool read_number(const char **text, unsigned long *value)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	*value = strtoul(*text, &end, 10);
	*text = end;
	return true;
}

/* Finds the writer's process in ".PID-N.part"; false when the name is not of that kind. */
static bool parse_suffix(const char *text, unsigned long *pid)
{
	unsigned long n;

	return *text++ == '.' && read_number(&text, pid) && *text++ == '-' &&
	       read_number(&text, &n) && strcmp(text, ".part") == 0;
}

static void sweep_one(void *opaque, const char *name)
{
	const struct sweep *sweep = opaque;
	size_t folder = (size_t)(fvsr_path_base(sweep->path) - sweep->path);
	unsigned long pid;
	char *part;

	if (!parse_suffix(name + (sweep->stem - folder), &pid))
		return;
	part = malloc(folder + strlen(name) + 1);
	if (!part)
		return;
	memcpy(part, sweep->path, folder);
	memcpy(part + folder, name, strlen(name) + 1);
	fvsr_part_remove_abandoned(part, pid);
	free(part);
}

static void remove_abandoned(const char *path)
{
	struct sweep sweep = {path, stem_bytes(path)};
	size_t n = (size_t)(fvsr_path_base(path) - path);
	char *folder = malloc(n + 2), *prefix = malloc(sweep.stem - n + 1);

	if (folder && prefix) {
		memcpy(folder, n ? path : ".", n ? n : 1);
		folder[n ? n : 1] = '\0';
		memcpy(prefix, path + n, sweep.stem - n);
		prefix[sweep.stem - n] = '\0';
		fvsr_folder_list(folder, prefix, sweep_one, &sweep);
	}
	free(folder);
	free(prefix);
}

/* ------------------------------------------------------------------------------------------- */
/* Creating and writing                                                                        */

/*
 * Tries names until one is free. They start at the clock's nanoseconds, so that one process does
 * not use a name twice: another may just be looking at the earlier file of that name.
 */
static int create_part(const struct fvsr_new_file *file, char *part,
		       int (*create)(const char *path))
{
	size_t stem = stem_bytes(file->path);
	struct timespec now = {0};
	unsigned long first;
	int handle = -1;

	clock_gettime(CLOCK_REALTIME, &now);
	first = (unsigned long)now.tv_nsec;
	memcpy(part, file->path, stem);
	for (unsigned long i = first; i < first + MAX_ATTEMPTS; i++) {
		snprintf(part + stem, SUFFIX_BYTES, ".%lu-%lu.part", fvsr_process_id(), i);
		handle = create(part);
		if (handle >= 0 || errno != EEXIST)
			break;
	}
	return handle;
}

static int open_part(struct fvsr_new_file *file, struct fvsr_error *err)
{
	if (fvsr_path_check_target(file->path) < 0)
		return fvsr_fail(err, FVSR_ERR_IO, "cannot write '%.300s': %s", file->path,
				 strerror(errno));
	remove_abandoned(file->path);
	file->handle = create_part(file, file->part, fvsr_part_create);
	if (file->handle < 0)
		return fvsr_fail(err, FVSR_ERR_IO, "cannot write beside '%.300s': %s", file->path,
				 strerror(errno));
	fvsr_part_take_rights(file->handle, file->path);
	return 0;
}

int fvsr_new_file_create(struct fvsr_new_file **out, const char *path, struct fvsr_error *err)
{
	struct fvsr_new_file *file;
	int result;

	if (!*path || fvsr_path_is_folder(path) || !*fvsr_path_base(path))
		return fvsr_fail(err, FVSR_ERR_IO, "'%.300s' is not the name of a file", path);
	file = calloc(1, sizeof(*file));
	if (!file)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	file->reserve = -1;
	file->path = fvsr_path_target(path);
	file->part = file->path ? malloc(strlen(file->path) + SUFFIX_BYTES) : NULL;
	result = file->part ? open_part(file, err)
			    : fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	if (result < 0) {
		free_file(file);
		return result;
	}
	*out = file;
	return 0;
}

const char *fvsr_new_file_part(const struct fvsr_new_file *file)
{
	return file->part;
}

int fvsr_new_file_handle(const struct fvsr_new_file *file)
{
	return file->handle;
}

static int fail_to_write(const struct fvsr_new_file *file, struct fvsr_error *err)
{
	return fvsr_fail(err, FVSR_ERR_IO, "cannot write '%.300s': %s", file->path,
			 strerror(errno));
}

int fvsr_new_file_write(struct fvsr_new_file *file, const void *data, size_t bytes,
			struct fvsr_error *err)
{
	const char *from = data;

	while (bytes) {
		long long n = fvsr_part_write(file->handle, from, bytes);

		if (n == 0)
			errno = ENOSPC;
		if (n <= 0)
			return fail_to_write(file, err);
		from += n;
		bytes -= (size_t)n;
	}
	return 0;
}

int fvsr_new_file_write_at(struct fvsr_new_file *file, uint64_t offset, const void *data,
			   size_t bytes, struct fvsr_error *err)
{
	if (!fvsr_part_seek(file->handle, offset))
		return fail_to_write(file, err);
	return fvsr_new_file_write(file, data, bytes, err);
}

int fvsr_new_file_truncate(struct fvsr_new_file *file, uint64_t bytes, struct fvsr_error *err)
{
	return fvsr_part_truncate(file->handle, bytes) < 0 ? fail_to_write(file, err) : 0;
}

bool fvsr_new_file_reserve(struct fvsr_new_file *file, uint64_t bytes)
{
	char *name = malloc(strlen(file->path) + SUFFIX_BYTES);

	if (name && file->reserve < 0)
		file->reserve = create_part(file, name, fvsr_part_create_nameless);
	free(name);
	if (file->reserve < 0)
		return false;
	return fvsr_part_allocate(file->reserve, bytes) == 0;
}

void fvsr_new_file_release(struct fvsr_new_file *file)
{
	if (file->reserve >= 0)
		fvsr_part_close(file->reserve);
	file->reserve = -1;
}

/* ------------------------------------------------------------------------------------------- */
/* The end                                                                                     */

/*
 * Brings the part to the disk, ready to be renamed. The lock goes last: see
 * fvsr_part_unlock_to_rename().
 */
static int finish_part(struct fvsr_new_file *file)
{
	int result = fvsr_part_flush(file->handle);

	fvsr_new_file_release(file);
	fvsr_part_unlock_to_rename(&file->handle);
	return result;
}

int fvsr_new_file_commit(struct fvsr_new_file *file, struct fvsr_error *err)
{
	int result = 0;

	if (finish_part(file) < 0 || fvsr_part_replace(file->part, file->path) < 0) {
		result = fail_to_write(file, err);
		fvsr_part_delete(file->part);
	}
	fvsr_part_close(file->handle);
	free_file(file);
	return result;
}

/* Makes "folder/name.partial.ending", from the second on "folder/name.partial-2.ending". */
static void name_partial(const char *path, int number, char *name, size_t size)
{
	size_t stem = stem_bytes(path), length = strlen(path);
	const char *base = fvsr_path_base(path), *ending = strrchr(base, '.');
	char count[16] = "";

	if (!ending || ending == base || strlen(ending) > SUFFIX_BYTES / 2)
		ending = path + length;
	if ((size_t)(ending - path) < stem)
		stem = (size_t)(ending - path);
	if (number > 1)
		snprintf(count, sizeof(count), "-%d", number);
	snprintf(name, size, "%.*s.partial%s%s", (int)stem, path, count, ending);
}

int fvsr_new_file_keep(struct fvsr_new_file *file, char **kept, struct fvsr_error *err)
{
	size_t size = strlen(file->path) + SUFFIX_BYTES;
	char *name = malloc(size);
	int result = 0, done = -1;

	*kept = NULL;
	if (!name) {
		fvsr_new_file_abort(file);
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	}
	snprintf(name, size, "%s", file->path);
	/* What cannot be flushed is kept all the same: it is more than nothing. */
	finish_part(file);
	for (int i = 1; i <= MAX_ATTEMPTS; i++) {
		done = fvsr_part_rename(file->part, name);
		if (done == 0 || errno != EEXIST)
			break;
		name_partial(file->path, i, name, size);
	}
	if (done == 0) {
		*kept = name;
	} else {
		result = fail_to_write(file, err);
		fvsr_part_delete(file->part);
		free(name);
	}
	fvsr_part_close(file->handle);
	free_file(file);
	return result;
}

void fvsr_new_file_abort(struct fvsr_new_file *file)
{
	if (!file)
		return;
	fvsr_new_file_release(file);
	fvsr_part_close(file->handle);
	fvsr_part_delete(file->part);
	free_file(file);
}

/* ------------------------------------------------------------------------------------------- */
/* Which file is which                                                                         */

static bool same(const struct fvsr_file_identity *a, const struct fvsr_file_identity *b)
{
	return a->device == b->device && a->index == b->index;
}

bool fvsr_same_file(const char *path, const char *other)
{
	struct fvsr_file_identity a, b;

	return fvsr_identify_path(path, &a) && fvsr_identify_path(other, &b) && same(&a, &b);
}

bool fvsr_same_file_handle(const char *path, int handle)
{
	struct fvsr_file_identity a, b;

	return fvsr_identify_path(path, &a) && fvsr_identify_handle(handle, &b) && same(&a, &b);
}

bool fvsr_same_file_handles(int handle, int other)
{
	struct fvsr_file_identity a, b;

	return fvsr_identify_handle(handle, &a) && fvsr_identify_handle(other, &b) && same(&a, &b);
}
