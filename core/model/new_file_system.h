/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What new_file.c needs of the operating system. Functions that return an int return -1 on
 * failure and set errno.
 */
#ifndef FVSR_MODEL_NEW_FILE_SYSTEM_H
#define FVSR_MODEL_NEW_FILE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Creates 'path', which must not be there, and locks it until the descriptor is closed. */
int fvsr_part_create(const char *path);
/* Creates a file that no other program sees and that is gone when it is closed. 'path' is free to
 * be used as its name for a moment. */
int fvsr_part_create_nameless(const char *path);
/* Gives the part the access rights of 'target', if that is there. */
void fvsr_part_take_rights(int handle, const char *target);
/* Removes 'path' unless the process that created it still writes it. 'pid' is from its name. */
void fvsr_part_remove_abandoned(const char *path, unsigned long pid);
void fvsr_part_close(int handle); /* -1 is allowed */
int fvsr_part_flush(int handle);
/*
 * Windows renames no file that is open, so there the part is closed here and *handle becomes -1;
 * that its process lives still keeps others from removing it. Elsewhere it stays open and locked.
 */
void fvsr_part_unlock_to_rename(int *handle);
/* Puts the part in the place of 'target'. */
int fvsr_part_replace(const char *part, const char *target);
/* Renames too, but fails with EEXIST when there is anything under that name. */
int fvsr_part_rename(const char *part, const char *target);
long long fvsr_part_write(int handle, const void *data, size_t bytes);
bool fvsr_part_seek(int handle, uint64_t offset);
int fvsr_part_truncate(int handle, uint64_t bytes);
/* Makes the file take 'bytes' of the disk, whatever is in it. */
int fvsr_part_allocate(int handle, uint64_t bytes);
void fvsr_part_delete(const char *path);

/* Calls 'found' with the name of every file in 'folder' that begins with 'prefix'. */
void fvsr_folder_list(const char *folder, const char *prefix,
		      void (*found)(void *opaque, const char *name), void *opaque);
/* Returns the path behind symbolic links, malloc'ed, be it there or not; NULL: no memory. */
char *fvsr_path_target(const char *path);
/* Returns 0 when a file may be written there: nothing is there, or a file that is neither a folder
 * nor a device and that may be changed. */
int fvsr_path_check_target(const char *path);

unsigned long fvsr_process_id(void);

/* Which file it is, among all of the machine. */
struct fvsr_file_identity {
	uint64_t device, index;
};

/* Finds out which file it is; false when there is no regular one. */
bool fvsr_identify_path(const char *path, struct fvsr_file_identity *identity);
bool fvsr_identify_handle(int handle, struct fvsr_file_identity *identity);

#endif
