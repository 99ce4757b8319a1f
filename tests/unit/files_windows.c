/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tests' own files on Windows: see craft.h. Paths are UTF-8, as the library takes them.
 */
#include "craft.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <windows.h>

#define MAX_WIDE 1024

static const wchar_t *wide_of(wchar_t wide[MAX_WIDE], const char *path)
{
	if (!MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, MAX_WIDE))
		wide[0] = L'\0';
	return wide;
}

char *temp_create(void)
{
	char *folder = malloc(MAX_WIDE);
	wchar_t wide[MAX_WIDE];
	int n, i;

	if (!folder || !GetTempPathW(MAX_PATH, wide))
		exit(1);
	n = WideCharToMultiByte(CP_UTF8, 0, wide, -1, folder, MAX_WIDE, NULL, NULL) - 1;
	for (i = 0; i < 10000; i++) {
		snprintf(folder + n, (size_t)(MAX_WIDE - n), TEMP_NAME "%lu-%d",
			 GetCurrentProcessId(), i);
		if (make_folder(folder))
			return folder;
	}
	printf("cannot make a folder such as %s\n", folder);
	exit(1);
}

/* Calls for everything in a folder but "." and "..", which may be removed meanwhile. */
static int each_entry(const wchar_t *folder, void (*call)(const wchar_t *path, bool is_folder))
{
	wchar_t path[MAX_WIDE];
	WIN32_FIND_DATAW item;
	HANDLE search;
	int n = 0;

	swprintf(path, MAX_WIDE, L"%ls/*", folder);
	search = FindFirstFileW(path, &item);
	if (search == INVALID_HANDLE_VALUE)
		return 0;
	do {
		if (!wcscmp(item.cFileName, L".") || !wcscmp(item.cFileName, L".."))
			continue;
		n++;
		swprintf(path, MAX_WIDE, L"%ls/%ls", folder, item.cFileName);
		if (call)
			call(path, item.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY);
	} while (FindNextFileW(search, &item));
	FindClose(search);
	return n;
}

static void remove_entry(const wchar_t *path, bool is_folder)
{
	if (!is_folder) {
		DeleteFileW(path);
		return;
	}
	each_entry(path, remove_entry);
	RemoveDirectoryW(path);
}

void temp_remove(char *folder)
{
	wchar_t wide[MAX_WIDE];

	remove_entry(wide_of(wide, folder), true);
	free(folder);
}

int folder_entries(const char *folder)
{
	wchar_t wide[MAX_WIDE];

	return each_entry(wide_of(wide, folder), NULL);
}

FILE *open_file(const char *path, const char *mode)
{
	wchar_t wide[MAX_WIDE], wide_mode[8];

	swprintf(wide_mode, 8, L"%hs", mode);
	return _wfopen(wide_of(wide, path), wide_mode);
}

bool remove_file(const char *path)
{
	wchar_t wide[MAX_WIDE];

	return DeleteFileW(wide_of(wide, path));
}

bool link_file(const char *path, const char *name)
{
	wchar_t wide[MAX_WIDE], wide_name[MAX_WIDE];

	return CreateHardLinkW(wide_of(wide_name, name), wide_of(wide, path), NULL);
}

bool make_folder(const char *path)
{
	wchar_t wide[MAX_WIDE];

	return CreateDirectoryW(wide_of(wide, path), NULL);
}

long long file_size(const char *path)
{
	WIN32_FILE_ATTRIBUTE_DATA data;
	wchar_t wide[MAX_WIDE];

	if (!GetFileAttributesExW(wide_of(wide, path), GetFileExInfoStandard, &data))
		return -1;
	return (long long)data.nFileSizeHigh << 32 | data.nFileSizeLow;
}

bool resize_file(const char *path, long bytes)
{
	wchar_t wide[MAX_WIDE];
	LARGE_INTEGER size = {.QuadPart = bytes};
	HANDLE file = CreateFileW(wide_of(wide, path), GENERIC_WRITE,
				  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
				  OPEN_EXISTING, 0, NULL);
	bool done;

	if (file == INVALID_HANDLE_VALUE)
		return false;
	done = SetFilePointerEx(file, size, NULL, FILE_BEGIN) && SetEndOfFile(file);
	CloseHandle(file);
	return done;
}
