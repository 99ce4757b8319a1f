/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that appear under their names only when they are complete. Everything is written to a
 * part beside the target, "TARGET.PID-N.part", which is flushed and then renamed over the target:
 * an earlier file stays until the new one is whole, whatever fails.
 *
 * A part is locked for as long as its writer lives. The next file that is created for the same
 * target removes the parts that nobody has locked: they are what killed programs left.
 *
 * It knows nothing of models, so the command line writes its videos through it, too. All paths
 * are UTF-8. One thread at a time for a file.
 */
#ifndef FVSR_MODEL_NEW_FILE_H
#define FVSR_MODEL_NEW_FILE_H

#include "fvsr/fvsr.h"

struct fvsr_new_file;

/*
 * Creates the part of 'path'. A symbolic link stays one: the file that it leads to is the target.
 * FVSR_ERR_IO for folders, for devices and for a target that may not be written.
 */
int fvsr_new_file_create(struct fvsr_new_file **out, const char *path, struct fvsr_error *err);
/* Returns the part's path, for those who open files themselves. Belongs to 'file'. */
const char *fvsr_new_file_part(const struct fvsr_new_file *file);
/* Returns the C library's descriptor of the part, open to read and write. Belongs to 'file'. */
int fvsr_new_file_handle(const struct fvsr_new_file *file);
int fvsr_new_file_write(struct fvsr_new_file *file, const void *data, size_t bytes,
			struct fvsr_error *err);
/* Writes from byte 'offset' on; what is left out before it reads as zeros. */
int fvsr_new_file_write_at(struct fvsr_new_file *file, uint64_t offset, const void *data,
			   size_t bytes, struct fvsr_error *err);
/* Cuts the part to its first 'bytes'. */
int fvsr_new_file_truncate(struct fvsr_new_file *file, uint64_t bytes, struct fvsr_error *err);

/*
 * Keeps 'bytes' of the disk back, which release gives to whoever writes next: so that a file can
 * be ended on a full disk. False when there is not that much, or the system has no such thing.
 */
bool fvsr_new_file_reserve(struct fvsr_new_file *file, uint64_t bytes);
void fvsr_new_file_release(struct fvsr_new_file *file);

/* Puts the file in place and frees 'file'; on failure nothing is left. */
int fvsr_new_file_commit(struct fvsr_new_file *file, struct fvsr_error *err);
/*
 * Keeps what there is of a file that is not whole and frees 'file': under the target's name when
 * nothing is there, else as "NAME.partial.ENDING" beside it. *kept is that path, malloc'ed. On
 * failure nothing is left, and *kept is NULL.
 */
int fvsr_new_file_keep(struct fvsr_new_file *file, char **kept, struct fvsr_error *err);
/* Deletes what was written and frees 'file'. NULL is allowed. */
void fvsr_new_file_abort(struct fvsr_new_file *file);

/* Tells whether both lead to one existing regular file, however they are spelled. */
bool fvsr_same_file(const char *path, const char *other);
/* Tells the same of a file that is open as the C library's descriptor 'handle'. */
bool fvsr_same_file_handle(const char *path, int handle);
bool fvsr_same_file_handles(int handle, int other);

#endif
