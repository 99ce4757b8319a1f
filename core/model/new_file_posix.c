/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux and its relatives: see new_file_system.h. A part's lock is flock()'s: it goes with the
 * last descriptor, however the process ends, and processes on other machines see it on NFS.
 */
#include "model/new_file_system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/file.h"

#define MAX_LINKS 40

/* Locks a part; false when somebody who took it for abandoned has just removed it. */
static bool lock_part(int handle)
{
	struct stat st;

	/* Where there are no locks, nobody can take one to remove the part either. */
	if (flock(handle, LOCK_EX | LOCK_NB) < 0)
		return errno != EWOULDBLOCK;
	return fstat(handle, &st) == 0 && st.st_nlink > 0;
}

int fvsr_part_create(const char *path)
{
	int handle = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (handle >= 0 && !lock_part(handle)) {
		close(handle);
		errno = EEXIST;
		return -1;
	}
	return handle;
}

int fvsr_part_create_nameless(const char *path)
{
	int handle = fvsr_part_create(path);

	if (handle >= 0)
		unlink(path);
	return handle;
}

void fvsr_part_take_rights(int handle, const char *target)
{
	struct stat st;

	/* Failing to do so loses nothing: the new file then has the rights of any new file. */
	if (stat(target, &st) == 0 && fchmod(handle, st.st_mode & 0777) < 0)
		errno = 0;
}

void fvsr_part_remove_abandoned(const char *path, unsigned long pid)
{
	/* A number says little: the process may be another machine's or another container's. */
	int handle = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat opened, there;

	(void)pid;
	if (handle < 0)
		return;
	if (fstat(handle, &opened) == 0 && S_ISREG(opened.st_mode) &&
	    flock(handle, LOCK_EX | LOCK_NB) == 0 && lstat(path, &there) == 0 &&
	    opened.st_dev == there.st_dev && opened.st_ino == there.st_ino)
		unlink(path);
	close(handle);
}

void fvsr_part_close(int handle)
{
	if (handle >= 0)
		close(handle);
}

int fvsr_part_flush(int handle)
{
	return fsync(handle);
}

void fvsr_part_unlock_to_rename(int *handle)
{
	(void)handle;
}

/* Brings a new name to the disk, which is there only when its folder is; loses nothing if not. */
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

int fvsr_part_replace(const char *part, const char *target)
{
	if (rename(part, target) < 0)
		return -1;
	flush_folder(target);
	return 0;
}

int fvsr_part_rename(const char *part, const char *target)
{
	struct stat st;

	if (link(part, target) == 0) {
		unlink(part);
		flush_folder(target);
		return 0;
	}
	if (errno == EEXIST)
		return -1;
	/* A file system without hard links, as on memory cards. */
	if (lstat(target, &st) == 0) {
		errno = EEXIST;
		return -1;
	}
	return fvsr_part_replace(part, target);
}

long long fvsr_part_write(int handle, const void *data, size_t bytes)
{
	ssize_t n;

	do
		n = write(handle, data, bytes > 1u << 30 ? 1u << 30 : bytes);
	while (n < 0 && errno == EINTR);
	return n;
}

bool fvsr_part_seek(int handle, uint64_t offset)
{
	return lseek(handle, (off_t)offset, SEEK_SET) >= 0;
}

int fvsr_part_truncate(int handle, uint64_t bytes)
{
	return ftruncate(handle, (off_t)bytes);
}

int fvsr_part_allocate(int handle, uint64_t bytes)
{
	errno = posix_fallocate(handle, 0, (off_t)bytes);
	return errno ? -1 : 0;
}

void fvsr_part_delete(const char *path)
{
	unlink(path);
}

void fvsr_folder_list(const char *folder, const char *prefix,
		      void (*found)(void *opaque, const char *name), void *opaque)
{
	DIR *dir = opendir(folder);
	struct dirent *item;

	while (dir && (item = readdir(dir)))
		if (strncmp(item->d_name, prefix, strlen(prefix)) == 0)
			found(opaque, item->d_name);
	if (dir)
		closedir(dir);
}

/* Returns where a link leads, malloc'ed; NULL when 'path' is none. */
static char *read_link(const char *path)
{
	char text[4096], *folder, *target;
	ssize_t n = readlink(path, text, sizeof(text) - 1);
	size_t length = (size_t)(fvsr_path_base(path) - path);

	if (n <= 0 || n == sizeof(text) - 1)
		return NULL;
	text[n] = '\0';
	if (text[0] == '/' || length == 0)
		return strdup(text);
	folder = strndup(path, length);
	target = folder ? fvsr_path_join(folder, text) : NULL;
	free(folder);
	return target;
}

char *fvsr_path_target(const char *path)
{
	char *target = strdup(path), *next;

	for (int i = 0; target && i < MAX_LINKS; i++) {
		next = read_link(target);
		if (!next)
			break;
		free(target);
		target = next;
	}
	return target;
}

int fvsr_path_check_target(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return -1;
	}
	return access(path, W_OK);
}

unsigned long fvsr_process_id(void)
{
	return (unsigned long)getpid();
}

static bool identify(const struct stat *st, struct fvsr_file_identity *identity)
{
	if (!S_ISREG(st->st_mode))
		return false;
	identity->device = (uint64_t)st->st_dev;
	identity->index = (uint64_t)st->st_ino;
	return true;
}

bool fvsr_identify_path(const char *path, struct fvsr_file_identity *identity)
{
	struct stat st;

	return stat(path, &st) == 0 && identify(&st, identity);
}

bool fvsr_identify_handle(int handle, struct fvsr_file_identity *identity)
{
	struct stat st;

	return fstat(handle, &st) == 0 && identify(&st, identity);
}
