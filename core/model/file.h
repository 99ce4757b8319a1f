/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All readers of core/model see a file as a size and positional reads.
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
/* Opens memory as a file, which it must outlive. 'name' is for messages. */
int fvsr_file_open_memory(struct fvsr_file **out, const void *data, size_t bytes, const char *name,
			  struct fvsr_error *err);
void fvsr_file_close(struct fvsr_file *file);

/* Returns the size that the file had when it was opened. */
uint64_t fvsr_file_size(const struct fvsr_file *file);
/* Returns the last part of the file's path, printable. */
const char *fvsr_file_name(const struct fvsr_file *file);
/* Reads all 'bytes' from 'offset' on, or fails with FVSR_ERR_IO. Any thread. */
int fvsr_file_read(const struct fvsr_file *file, uint64_t offset, void *buf, size_t bytes,
		   struct fvsr_error *err);
/* Reads 'count' elements that lie at 'offset' and converts them. Errors as fvsr_file_read(). */
int fvsr_file_read_f32(const struct fvsr_file *file, uint64_t offset, enum fvsr_dtype dtype,
		       size_t count, float *out, struct fvsr_error *err);
/* Reads a whole file to *out, malloc'ed, a NUL behind it. FVSR_ERR_FORMAT above 'max_bytes'. */
int fvsr_file_slurp(const char *path, size_t max_bytes, char **out, size_t *bytes,
		    struct fvsr_error *err);

#ifdef _WIN32
/* Returns a path as Windows' calls take it, malloc'ed; NULL when it is none or without memory. */
wchar_t *fvsr_path_wide(const char *path);
#endif
/* Tells whether there is a folder of that path. */
bool fvsr_path_is_folder(const char *path);
/* Tells whether something is there, whatever it is. */
bool fvsr_path_exists(const char *path);
/* Returns "folder/name", malloc'ed; NULL without memory. */
char *fvsr_path_join(const char *folder, const char *name);
/* Returns the part behind the last separator. */
const char *fvsr_path_base(const char *path);

/* Copies 'text' into 'out' for a message: control bytes replaced, cut to fit, valid UTF-8. */
void fvsr_printable(char *out, size_t size, const char *text, size_t length);
/* Tells whether it is well-formed UTF-8: no overlong forms, no surrogates; NUL is text. */
bool fvsr_utf8_valid(const char *text, size_t length);

#endif
