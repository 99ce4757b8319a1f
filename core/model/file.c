/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regular files and memory are read by position (file.h says why they are not mapped).
 */
#include "model/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include "base/common.h"

struct fvsr_file {
	char name[128];
	uint64_t size;
	const unsigned char *memory; /* or NULL, and the handle is open */
#ifdef _WIN32
	HANDLE handle;
#else
	int handle;
#endif
};

static struct fvsr_file *new_file(const char *path)
{
	struct fvsr_file *file = calloc(1, sizeof(*file));

	if (file) {
		const char *base = fvsr_path_base(path);

		fvsr_printable(file->name, sizeof(file->name), base, strlen(base));
	}
	return file;
}

#ifdef _WIN32

static int open_handle(struct fvsr_file *file, const char *path, struct fvsr_error *err)
{
	wchar_t *wide = fvsr_path_wide(path);
	LARGE_INTEGER size;

	if (!wide)
		return fvsr_fail(err, FVSR_ERR_IO, "'%.300s': not a path", path);
	file->handle = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
				   OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
	free(wide);
	if (file->handle == INVALID_HANDLE_VALUE)
		return fvsr_fail(err, FVSR_ERR_IO, "'%.300s': cannot open (error %lu)", path,
				 GetLastError());
	if (GetFileType(file->handle) != FILE_TYPE_DISK || !GetFileSizeEx(file->handle, &size)) {
		CloseHandle(file->handle);
		return fvsr_fail(err, FVSR_ERR_IO, "'%.300s' is not a regular file", path);
	}
	file->size = (uint64_t)size.QuadPart;
	return 0;
}

static void close_handle(struct fvsr_file *file)
{
	CloseHandle(file->handle);
}

/* Returns the bytes read, 0 at the end of the file, or -1. */
static long long read_handle(const struct fvsr_file *file, uint64_t offset, void *buf, size_t bytes)
{
	OVERLAPPED at = {0};
	DWORD n = bytes > 1u << 30 ? 1u << 30 : (DWORD)bytes, done;

	at.Offset = (DWORD)offset;
	at.OffsetHigh = (DWORD)(offset >> 32);
	if (ReadFile(file->handle, buf, n, &done, &at))
		return done;
	return GetLastError() == ERROR_HANDLE_EOF ? 0 : -1;
}

#else

static int check_kind(int handle, const char *path, struct stat *st, struct fvsr_error *err)
{
	if (fstat(handle, st) < 0)
		return fvsr_fail(err, FVSR_ERR_IO, "'%.300s': %s", path, strerror(errno));
	if (S_ISDIR(st->st_mode))
		return fvsr_fail(err, FVSR_ERR_IO, "'%.300s' is a folder, not a file", path);
	if (!S_ISREG(st->st_mode))
		return fvsr_fail(err, FVSR_ERR_IO, "'%.300s' is not a regular file", path);
	return 0;
}

static int open_handle(struct fvsr_file *file, const char *path, struct fvsr_error *err)
{
	struct stat st;
	int result;

	/* O_NONBLOCK: opening a pipe that nobody writes to must not wait. */
	file->handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->handle < 0)
		return fvsr_fail(err, FVSR_ERR_IO, "'%.300s': %s", path, strerror(errno));
	result = check_kind(file->handle, path, &st, err);
	if (result < 0) {
		close(file->handle);
		return result;
	}
	file->size = (uint64_t)st.st_size;
	return 0;
}

static void close_handle(struct fvsr_file *file)
{
	close(file->handle);
}

/* Returns the bytes read, 0 at the end of the file, or -1. */
static long long read_handle(const struct fvsr_file *file, uint64_t offset, void *buf, size_t bytes)
{
	ssize_t n;

	do
		n = pread(file->handle, buf, bytes > 1u << 30 ? 1u << 30 : bytes, (off_t)offset);
	while (n < 0 && errno == EINTR);
	return n;
}

#endif

int fvsr_file_open(struct fvsr_file **out, const char *path, struct fvsr_error *err)
{
	struct fvsr_file *file = new_file(path);
	int result;

	if (!file)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	result = open_handle(file, path, err);
	if (result < 0) {
		free(file);
		return result;
	}
	*out = file;
	return 0;
}

int fvsr_file_open_memory(struct fvsr_file **out, const void *data, size_t bytes, const char *name,
			  struct fvsr_error *err)
{
	static const unsigned char nothing;
	struct fvsr_file *file = new_file(name);

	if (!file)
		return fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	file->memory = data ? data : &nothing;
	file->size = bytes;
	*out = file;
	return 0;
}

void fvsr_file_close(struct fvsr_file *file)
{
	if (!file)
		return;
	if (!file->memory)
		close_handle(file);
	free(file);
}

uint64_t fvsr_file_size(const struct fvsr_file *file)
{
	return file->size;
}

const char *fvsr_file_name(const struct fvsr_file *file)
{
	return file->name;
}

int fvsr_file_read(const struct fvsr_file *file, uint64_t offset, void *buf, size_t bytes,
		   struct fvsr_error *err)
{
	unsigned char *to = buf;

	if (offset > file->size || bytes > file->size - offset)
		return fvsr_fail(err, FVSR_ERR_IO, "%s: read past its end", file->name);
	if (file->memory) {
		memcpy(buf, file->memory + offset, bytes);
		return 0;
	}
	while (bytes) {
		long long n = read_handle(file, offset, to, bytes);

		if (n < 0)
			return fvsr_fail(err, FVSR_ERR_IO, "%s: cannot read", file->name);
		if (!n)
			return fvsr_fail(err, FVSR_ERR_IO, "%s: has become shorter", file->name);
		to += n;
		offset += (uint64_t)n;
		bytes -= (size_t)n;
	}
	return 0;
}

/*
 * Reads two-byte types into the upper half of 'out' and widens them in place. Element i is written
 * at 4i and read at 2n + 2i, so the writer reaches the reader only at the last one.
 */
int fvsr_file_read_f32(const struct fvsr_file *file, uint64_t offset, enum fvsr_dtype dtype,
		       size_t count, float *out, struct fvsr_error *err)
{
	size_t bytes = count * fvsr_dtype_size(dtype);
	unsigned char *raw = (unsigned char *)out + (count * sizeof(float) - bytes);
	int result = fvsr_file_read(file, offset, raw, bytes, err);

	if (result < 0)
		return result;
	if (dtype != FVSR_DTYPE_F32)
		fvsr_dtype_to_f32(dtype, raw, count, out);
	return 0;
}

int fvsr_file_slurp(const char *path, size_t max_bytes, char **out, size_t *bytes,
		    struct fvsr_error *err)
{
	struct fvsr_file *file;
	char *text = NULL;
	int result = fvsr_file_open(&file, path, err);

	if (result < 0)
		return result;
	if (file->size > max_bytes)
		result = fvsr_fail(err, FVSR_ERR_FORMAT, "%s: larger than %zu bytes", file->name,
				   max_bytes);
	else if (!(text = malloc((size_t)file->size + 1)))
		result = fvsr_fail(err, FVSR_ERR_MEMORY, "out of memory");
	else
		result = fvsr_file_read(file, 0, text, (size_t)file->size, err);
	if (result < 0) {
		free(text);
	} else {
		text[file->size] = '\0';
		*out = text;
		*bytes = (size_t)file->size;
	}
	fvsr_file_close(file);
	return result;
}
