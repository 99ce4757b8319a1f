/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On Windows oneDNN is a DLL beside our own file, and needs the Visual C++ runtime, which a machine
 * may lack. An import would then keep the whole plugin from loading. So its functions are bound at
 * their first call (scripts/windows-deps.sh makes the import library that does it), which looks for
 * a DLL of that name among the loaded ones and finds the one that was opened here, by its full
 * path.
 *
 * Its threads are those of Microsoft's OpenMP there, ours are GNU's: each has to be told how many.
 */
#include "onednn_library.h"

#include <stdio.h>
#include <string.h>

#ifdef _WIN32

#include <wchar.h>

#include <windows.h>

#define DLL_NAME     "fvsr-dnnl.dll"
#define RUNTIME_NAME "vcomp140.dll"

/* Full path of the DLL: beside the module that this code is in. */
static bool find_dll(wchar_t *path, DWORD capacity)
{
	static const wchar_t name[] = L"\\" DLL_NAME;
	HMODULE self;
	wchar_t *end;
	DWORD length;

	if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
					GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
				(const wchar_t *)(uintptr_t)find_dll, &self))
		return false;
	length = GetModuleFileNameW(self, path, capacity);
	if (!length || length >= capacity)
		return false;
	end = wcsrchr(path, L'\\');
	if (!end || (size_t)(end - path) + sizeof(name) / sizeof(*name) > capacity)
		return false;
	wcscpy(end, name);
	return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

static void find_function(const char *name, void *out)
{
	HMODULE runtime = GetModuleHandleA(RUNTIME_NAME);
	FARPROC function = runtime ? GetProcAddress(runtime, name) : NULL;

	memcpy(out, &function, sizeof(function)); /* the pointer to a function 'out' points to */
}

bool fvsr_dnnl_library_open(struct fvsr_dnnl_library *library, char *reason, size_t reason_bytes)
{
	wchar_t path[1024];
	DWORD error;

	memset(library, 0, sizeof(*library));
	if (!find_dll(path, sizeof(path) / sizeof(*path))) {
		snprintf(reason, reason_bytes,
			 "oneDNN: there is no " DLL_NAME " in the plugin's folder");
		return false;
	}
	library->module = LoadLibraryExW(
		path, NULL, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
	if (!library->module) {
		error = GetLastError();
		snprintf(reason, reason_bytes,
			 "oneDNN: " DLL_NAME " cannot be loaded (error %lu)%s", error,
			 error == ERROR_MOD_NOT_FOUND ? ": the Visual C++ runtime is missing" : "");
		return false;
	}
	find_function("omp_get_max_threads", &library->get_max_threads);
	find_function("omp_set_num_threads", &library->set_num_threads);
	return true;
}

/* What binds the functions holds the DLL as well: after the first call it stays. */
void fvsr_dnnl_library_close(struct fvsr_dnnl_library *library)
{
	if (library->module)
		FreeLibrary(library->module);
	memset(library, 0, sizeof(*library));
}

#else

#ifdef _OPENMP
#include <omp.h>
#endif

bool fvsr_dnnl_library_open(struct fvsr_dnnl_library *library, char *reason, size_t reason_bytes)
{
	(void)reason;
	(void)reason_bytes;
	memset(library, 0, sizeof(*library));
#ifdef _OPENMP
	library->get_max_threads = omp_get_max_threads;
	library->set_num_threads = omp_set_num_threads;
#endif
	return true;
}

void fvsr_dnnl_library_close(struct fvsr_dnnl_library *library)
{
	memset(library, 0, sizeof(*library));
}

#endif
