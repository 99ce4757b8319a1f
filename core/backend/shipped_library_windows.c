/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds shipped libraries on Windows; see shipped_library.h.
 */
#include "backend/shipped_library.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include <windows.h>

#define PATH_MAX_CHARS 1024

/*
 * Where the libraries lie, seen from our own module: beside the program and beside the plugin of
 * OBS until version 32, below the plugin of OBS 33.
 */
static const char *const folders[] = {"", "bin\\64bit\\"};

/* Makes the full path of a file in one of the folders; true if it is there. Names are ASCII. */
static bool find(wchar_t *path, const char *folder, const char *name)
{
	HMODULE self;
	wchar_t *end;
	DWORD length;

	if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
					GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
				(const wchar_t *)(uintptr_t)find, &self))
		return false;
	length = GetModuleFileNameW(self, path, PATH_MAX_CHARS);
	if (!length || length >= PATH_MAX_CHARS)
		return false;
	end = wcsrchr(path, L'\\');
	if (!end || (size_t)(end + 1 - path) + strlen(folder) + strlen(name) >= PATH_MAX_CHARS)
		return false;
	while (*folder)
		*++end = (wchar_t)*folder++;
	do
		*++end = (wchar_t)*name;
	while (*name++);
	return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

void *fvsr_shipped_library_open(const char *name, bool *there)
{
	wchar_t path[PATH_MAX_CHARS];

	*there = false;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders) && !*there; i++)
		*there = find(path, folders[i], name);
	if (!*there)
		return NULL;
	return (void *)LoadLibraryExW(
		path, NULL, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
}
