/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Windows: see new_file_system.h. A file that a process has open cannot be removed by another
 * unless it was opened so; that is a part's lock.
 */
#include "model/new_file_system.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <process.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <windows.h>

#include "model/file.h"

#define MAX_WIDE_PATH 32768

/* Sets errno for what Windows' own calls report, and returns -1. */
static int fail(void)
{
	switch (GetLastError()) {
	case ERROR_FILE_EXISTS:
	case ERROR_ALREADY_EXISTS:
		errno = EEXIST;
		break;
	case ERROR_FILE_NOT_FOUND:
	case ERROR_PATH_NOT_FOUND:
		errno = ENOENT;
		break;
	case ERROR_DISK_FULL:
		errno = ENOSPC;
		break;
	default:
		errno = EACCES;
	}
	return -1;
}

int fvsr_part_create(const char *path)
{
	wchar_t *wide = fvsr_path_wide(path);
	int handle = -1;

	/* Others may open it, but not remove it. */
	if (wide)
		handle = _wopen(wide, _O_RDWR | _O_CREAT | _O_EXCL | _O_BINARY | _O_NOINHERIT,
				_S_IREAD | _S_IWRITE);
	else
		errno = ENOMEM;
	free(wide);
	return handle;
}

int fvsr_part_create_nameless(const char *path)
{
	(void)path;
	errno = ENOTSUP;
	return -1;
}

void fvsr_part_take_rights(int handle, const char *target)
{
	(void)handle; /* they are the folder's */
	(void)target;
}

static bool process_lives(unsigned long pid)
{
	HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, pid);
	bool lives;

	if (!process)
		return GetLastError() != ERROR_INVALID_PARAMETER;
	lives = WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
	CloseHandle(process);
	return lives;
}

void fvsr_part_remove_abandoned(const char *path, unsigned long pid)
{
	if (!process_lives(pid))
		fvsr_part_delete(path);
}

void fvsr_part_close(int handle)
{
	if (handle >= 0)
		_close(handle);
}

int fvsr_part_flush(int handle)
{
	return _commit(handle);
}

void fvsr_part_unlock_to_rename(int *handle)
{
	_close(*handle);
	*handle = -1;
}

static int move_file(const char *from, const char *to, DWORD flags)
{
	wchar_t *wide_from = fvsr_path_wide(from), *wide_to = fvsr_path_wide(to);
	int result = -1;

	if (!wide_from || !wide_to)
		errno = ENOMEM;
	else
		result = MoveFileExW(wide_from, wide_to, flags | MOVEFILE_WRITE_THROUGH) ? 0
											 : fail();
	free(wide_from);
	free(wide_to);
	return result;
}

int fvsr_part_replace(const char *part, const char *target)
{
	return move_file(part, target, MOVEFILE_REPLACE_EXISTING);
}

int fvsr_part_rename(const char *part, const char *target)
{
	return move_file(part, target, 0);
}

long long fvsr_part_write(int handle, const void *data, size_t bytes)
{
	return _write(handle, data, bytes > 1u << 30 ? 1u << 30 : (unsigned int)bytes);
}

bool fvsr_part_seek(int handle, uint64_t offset)
{
	return _lseeki64(handle, (long long)offset, SEEK_SET) >= 0;
}

int fvsr_part_truncate(int handle, uint64_t bytes)
{
	int code = _chsize_s(handle, (long long)bytes);

	errno = code;
	return code ? -1 : 0;
}

int fvsr_part_allocate(int handle, uint64_t bytes)
{
	(void)handle;
	(void)bytes;
	errno = ENOTSUP;
	return -1;
}

void fvsr_part_delete(const char *path)
{
	wchar_t *wide = fvsr_path_wide(path);

	if (wide)
		DeleteFileW(wide);
	free(wide);
}

static char *narrow_copy(const wchar_t *wide)
{
	int n = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
	char *text = n > 0 ? malloc((size_t)n) : NULL;

	if (text)
		WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, n, NULL, NULL);
	return text;
}

static void list(const wchar_t *pattern, const char *prefix,
		 void (*found)(void *opaque, const char *name), void *opaque)
{
	WIN32_FIND_DATAW item;
	HANDLE search = FindFirstFileW(pattern, &item);

	if (search == INVALID_HANDLE_VALUE)
		return;
	do {
		char *name = narrow_copy(item.cFileName);

		if (name && strncmp(name, prefix, strlen(prefix)) == 0)
			found(opaque, name);
		free(name);
	} while (FindNextFileW(search, &item));
	FindClose(search);
}

void fvsr_folder_list(const char *folder, const char *prefix,
		      void (*found)(void *opaque, const char *name), void *opaque)
{
	char *all = fvsr_path_join(folder, "*.part");
	wchar_t *pattern = all ? fvsr_path_wide(all) : NULL;

	if (pattern)
		list(pattern, prefix, found, opaque);
	free(pattern);
	free(all);
}

/* Opens a file only to ask what it is; INVALID_HANDLE_VALUE if none is there.
 */
static HANDLE open_to_ask(const char *path)
{
	wchar_t *wide = fvsr_path_wide(path);
	HANDLE handle = INVALID_HANDLE_VALUE;

	if (wide)
		handle = CreateFileW(wide, FILE_READ_ATTRIBUTES,
				     FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
				     OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
	free(wide);
	return handle;
}

static bool is_link(const char *path)
{
	wchar_t *wide = fvsr_path_wide(path);
	DWORD attributes = wide ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;

	free(wide);
	return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_REPARSE_POINT);
}

/* Returns where a link leads, malloc'ed; NULL when that cannot be found out. */
static char *follow(const char *path)
{
	HANDLE handle = open_to_ask(path);
	wchar_t *wide = calloc(MAX_WIDE_PATH, sizeof(*wide));
	char *target = NULL;
	DWORD n = 0;

	if (wide && handle != INVALID_HANDLE_VALUE)
		n = GetFinalPathNameByHandleW(handle, wide, MAX_WIDE_PATH, FILE_NAME_NORMALIZED);
	if (n > 0 && n < MAX_WIDE_PATH)
		target = narrow_copy(wide);
	if (handle != INVALID_HANDLE_VALUE)
		CloseHandle(handle);
	free(wide);
	return target;
}

char *fvsr_path_target(const char *path)
{
	char *target = is_link(path) ? follow(path) : NULL;

	return target ? target : _strdup(path);
}

int fvsr_path_check_target(const char *path)
{
	wchar_t *wide = fvsr_path_wide(path);
	DWORD attributes = wide ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;

	free(wide);
	if (attributes == INVALID_FILE_ATTRIBUTES)
		return 0; /* creating the part says what is wrong */
	if (attributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_READONLY)) {
		errno = EACCES;
		return -1;
	}
	return 0;
}

unsigned long fvsr_process_id(void)
{
	return (unsigned long)_getpid();
}

static bool identify(HANDLE handle, struct fvsr_file_identity *identity)
{
	BY_HANDLE_FILE_INFORMATION info;

	if (handle == INVALID_HANDLE_VALUE || GetFileType(handle) != FILE_TYPE_DISK ||
	    !GetFileInformationByHandle(handle, &info) ||
	    (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY))
		return false;
	identity->device = info.dwVolumeSerialNumber;
	identity->index = (uint64_t)info.nFileIndexHigh << 32 | info.nFileIndexLow;
	return true;
}

bool fvsr_identify_path(const char *path, struct fvsr_file_identity *identity)
{
	HANDLE handle = open_to_ask(path);
	bool known = identify(handle, identity);

	if (handle != INVALID_HANDLE_VALUE)
		CloseHandle(handle);
	return known;
}

bool fvsr_identify_handle(int handle, struct fvsr_file_identity *identity)
{
	return identify((HANDLE)_get_osfhandle(handle), identity);
}
