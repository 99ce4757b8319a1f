/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files as all readers of core/model see them: a size and positional reads.
 *
 * Nothing is mapped, on purpose. A mapped file that another process shortens raises SIGBUS at the
 * next touch, and a library inside OBS has no right to the signal handler that would survive it.
 * A positional read costs one copy out of the same page cache, needs no lock between threads and
 * turns the shortened file into an error.
 */
#ifndef FVSR_MODEL_FILE_H
#define FVSR_MODEL_FILE_H

#include "base/dtype.h"
#include "fvsr/fvsr.h"

struct fvsr_file;

/* Opens a regular file for reading; folders, pipes and devices are refused without blocking. */
int fvsr_file_open(struct fvsr_file **out, const char *path, struct fvsr_error *err);
/* The same over memory, which must outlive it. 'name' is for messages. */
int fvsr_file_open_memory(struct fvsr_file **out, const void *data, size_t bytes, const char *name,
			  struct fvsr_error *err);
void fvsr_file_close(struct fvsr_file *file);

/* The size when it was opened. */
uint64_t fvsr_file_size(const struct fvsr_file *file);
/* The last part of its path, printable. */
const char *fvsr_file_name(const struct fvsr_file *file);
/* All 'bytes' from 'offset' on, or FVSR_ERR_IO. Any thread. */
int fvsr_file_read(const struct fvsr_file *file, uint64_t offset, void *buf, size_t bytes,
		   struct fvsr_error *err);
/* Reads 'count' elements that lie at 'offset' and converts them. Errors as fvsr_file_read(). */
int fvsr_file_read_f32(const struct fvsr_file *file, uint64_t offset, enum fvsr_dtype dtype,
		       size_t count, float *out, struct fvsr_error *err);
/* The whole file in *out, malloc'ed, with a NUL behind it. FVSR_ERR_FORMAT above 'max_bytes'. */
int fvsr_file_slurp(const char *path, size_t max_bytes, char **out, size_t *bytes,
		    struct fvsr_error *err);

#ifdef _WIN32
/* UTF-8 to what Windows calls take, malloc'ed; NULL when it is no path or memory ran out. */
wchar_t *fvsr_path_wide(const char *path);
#endif
/* True for an existing folder. */
bool fvsr_path_is_folder(const char *path);
/* True when something is there, whatever it is. */
bool fvsr_path_exists(const char *path);
/* "folder/name", malloc'ed; NULL without memory. */
char *fvsr_path_join(const char *folder, const char *name);
/* The part behind the last separator. */
const char *fvsr_path_base(const char *path);

/* Copies 'text' into 'out' for a message: control bytes replaced, cut to fit, valid UTF-8. */
void fvsr_printable(char *out, size_t size, const char *text, size_t length);
/* True for well-formed UTF-8 (no overlong forms, no surrogates). NUL bytes count as text. */
bool fvsr_utf8_valid(const char *text, size_t length);

#endif
