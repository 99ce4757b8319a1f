/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a file so that its name never stands for half of it: everything goes to a neighbour
 * with a name of its own, which is flushed to the disk and then renamed over the target.
 */
#include "model/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifdef _WIN32
#include <io.h>
#include <process.h>
#include <windows.h>
#else
#include <unistd.h>
#endif

#include "common.h"

#define MAX_ATTEMPTS 1000

struct fvsr_new_file {
	char *path, *temporary;
	int handle;
};

#ifdef _WIN32

static int create_exclusive(const char *path)
{
	wchar_t *wide = fvsr_path_wide(path);
	int handle = -1;

	if (wide)
		handle = _wopen(wide, _O_WRONLY | _O_CREAT | _O_EXCL | _O_BINARY | _O_NOINHERIT,
				_S_IREAD | _S_IWRITE);
	else
		errno = ENOMEM;
	free(wide);
	return handle;
}

static long long write_some(int handle, const void *data, size_t bytes)
{
	return _write(handle, data, bytes > 1u << 30 ? 1u << 30 : (unsigned int)bytes);
}

static bool seek(int handle, uint64_t offset)
{
	return _lseeki64(handle, (long long)offset, SEEK_SET) >= 0;
}

static int flush(int handle)
{
	return _commit(handle);
}

static int replace(const char *from, const char *to)
{
	wchar_t *wide_from = fvsr_path_wide(from), *wide_to = fvsr_path_wide(to);
	bool done =
		wide_from && wide_to &&
		MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH);

	free(wide_from);
	free(wide_to);
	if (!done)
		errno = EACCES;
	return done ? 0 : -1;
}

static void delete_file(const char *path)
{
	wchar_t *wide = fvsr_path_wide(path);

	if (wide)
		DeleteFileW(wide);
	free(wide);
}

static void flush_folder(const char *path)
{
	(void)path; /* MOVEFILE_WRITE_THROUGH did it */
}

static int process_id(void)
{
	return _getpid();
}

#define close_handle _close

#else

static int create_exclusive(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

static long long write_some(int handle, const void *data, size_t bytes)
{
	ssize_t n;

	do
		n = write(handle, data, bytes > 1u << 30 ? 1u << 30 : bytes);
	while (n < 0 && errno == EINTR);
	return n;
}

static bool seek(int handle, uint64_t offset)
{
	return lseek(handle, (off_t)offset, SEEK_SET) >= 0;
}

static int flush(int handle)
{
	return fsync(handle);
}

static int replace(const char *from, const char *to)
{
	return rename(from, to);
}

static void delete_file(const char *path)
{
	unlink(path);
}

/* The new name is on the disk only when its folder is. Failing to do so loses nothing. */
static void flush_folder(const char *path)
{
	size_t n = (size_t)(fvsr_path_base(path) - path);
	char *folder = malloc(n + 2);
	int handle;

	if (!folder)
		return;
	memcpy(folder, n ? path : ".", n ? n : 1);
	folder[n ? n : 1] = '\0';
	handle = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	free(folder);
	if (handle < 0)
		return;
	(void)fsync(handle);
	close(handle);
}

static int process_id(void)
{
	return (int)getpid();
}

#define close_handle close

#endif

static void free_file(struct fvsr_new_file *file)
{
	free(file->path);
	free(file->temporary);
	free(file);
}

/* Tries names until one is free: other imports may write beside this one. */
static int open_temporary(struct fvsr_new_file *file, struct fvsr_error *err)
{
	size_t n = strlen(file->path) + 48;
	int i;

	for (i = 0; i < MAX_ATTEMPTS; i++) {
		snprintf(file->temporary, n, "%s.%d-%d.part", file->path, process_id(), i);
		file->handle = create_exclusive(file->temporary);
		if (file->handle >= 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return fvsr_fail(err, FVSR_ERR_IO, "cannot write beside '%.300s': %s", file->path,
			 strerror(errno));
}

int fvsr_new_file_create(struct fvsr_new_file **out, const char *path, struct fvsr_error *err)
{
	struct fvsr_new_file *file;
	size_t n = strlen(path);
	int ret;

	if (!n || fvsr_path_is_folder(path))
		return fvsr_fail(err, FVSR_ERR_IO, "'%.300s' is not the name of a file", path);
	file = calloc(1, sizeof(*file));
	if (!file)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	file->path = malloc(n + 1);
	file->temporary = malloc(n + 48);
	if (!file->path || !file->temporary) {
		free_file(file);
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	}
	memcpy(file->path, path, n + 1);
	ret = open_temporary(file, err);
	if (ret < 0) {
		free_file(file);
		return ret;
	}
	*out = file;
	return 0;
}

int fvsr_new_file_write(struct fvsr_new_file *file, const void *data, size_t bytes,
			struct fvsr_error *err)
{
	const char *from = data;

	while (bytes) {
		long long n = write_some(file->handle, from, bytes);

		if (n <= 0)
			return fvsr_fail(err, FVSR_ERR_IO, "cannot write '%.300s': %s",
					 file->temporary, n < 0 ? strerror(errno) : "no space");
		from += n;
		bytes -= (size_t)n;
	}
	return 0;
}

int fvsr_new_file_write_at(struct fvsr_new_file *file, uint64_t offset, const void *data,
			   size_t bytes, struct fvsr_error *err)
{
	if (!seek(file->handle, offset))
		return fvsr_fail(err, FVSR_ERR_IO, "cannot write '%.300s': %s", file->temporary,
				 strerror(errno));
	return fvsr_new_file_write(file, data, bytes, err);
}

int fvsr_new_file_commit(struct fvsr_new_file *file, struct fvsr_error *err)
{
	int ret = 0;

	if (flush(file->handle) < 0)
		ret = fvsr_fail(err, FVSR_ERR_IO, "cannot write '%.300s': %s", file->temporary,
				strerror(errno));
	if (close_handle(file->handle) < 0 && ret >= 0)
		ret = fvsr_fail(err, FVSR_ERR_IO, "cannot write '%.300s': %s", file->temporary,
				strerror(errno));
	if (ret >= 0 && replace(file->temporary, file->path) < 0)
		ret = fvsr_fail(err, FVSR_ERR_IO, "cannot rename to '%.300s': %s", file->path,
				strerror(errno));
	if (ret < 0)
		delete_file(file->temporary);
	else
		flush_folder(file->path);
	free_file(file);
	return ret;
}

void fvsr_new_file_abort(struct fvsr_new_file *file)
{
	if (!file)
		return;
	close_handle(file->handle);
	delete_file(file->temporary);
	free_file(file);
}
