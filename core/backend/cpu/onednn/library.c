/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On Windows oneDNN is a DLL beside our own file. It needs the Visual C++ runtime, which a machine
 * may lack: an import would then keep the whole plugin from loading. So oneDNN's functions are
 * bound at their first call (scripts/windows-deps.sh makes the import library that does so). That
 * call looks for a DLL of the name among the loaded ones, and finds the one that was opened here by
 * its full path. oneDNN's threads are those of Microsoft's OpenMP there, and ours are GNU's: each
 * runtime has to be told how many.
 *
 * The portable build for Linux does likewise (cmake/LateLibrary.cmake): its oneDNN needs a libgomp
 * and a libstdc++, which a machine may lack. oneDNN and our loops share the machine's libgomp.
 */
#include "backend/cpu/onednn/library.h"

#include <stdio.h>
#include <string.h>

#ifdef _WIN32

#include <windows.h>

#include "backend/shipped_library.h"

#define DLL_NAME     "fvsr-dnnl.dll"
#define RUNTIME_NAME "vcomp140.dll"

static void find_function(const char *name, void *out)
{
	HMODULE runtime = GetModuleHandleA(RUNTIME_NAME);
	FARPROC function = runtime ? GetProcAddress(runtime, name) : NULL;

	memcpy(out, &function, sizeof(function)); /* 'out' points to a pointer to a function */
}

bool fvsr_onednn_library_open(struct fvsr_onednn_library *library, char *reason,
			      size_t reason_bytes)
{
	bool there;

	memset(library, 0, sizeof(*library));
	library->module = fvsr_shipped_library_open(DLL_NAME, &there);
	if (!there) {
		snprintf(reason, reason_bytes,
			 "oneDNN: there is no " DLL_NAME " in the plugin's folder");
		return false;
	}
	if (!library->module) {
		const DWORD error = GetLastError();

		snprintf(reason, reason_bytes,
			 "oneDNN: " DLL_NAME " cannot be loaded (error %lu)%s", error,
			 error == ERROR_MOD_NOT_FOUND ? ": the Visual C++ runtime is missing" : "");
		return false;
	}
	find_function("omp_get_max_threads", &library->get_max_threads);
	find_function("omp_set_num_threads", &library->set_num_threads);
	return true;
}

/* Closes our handle; the binding of functions holds the DLL as well, from the first call on. */
void fvsr_onednn_library_close(struct fvsr_onednn_library *library)
{
	if (library->module)
		FreeLibrary((HMODULE)library->module);
	memset(library, 0, sizeof(*library));
}

#elif defined(FVSR_PORTABLE)

#include <dlfcn.h>
#include <omp.h>

#include "backend/shipped_library.h"

#define FILE_NAME "fvsr-dnnl.so"

bool fvsr_late_dnnl(void *opened); /* made by LateLibrary.cmake */

bool fvsr_onednn_library_open(struct fvsr_onednn_library *library, char *reason,
			      size_t reason_bytes)
{
	bool there;
	const char *error;

	memset(library, 0, sizeof(*library));
	library->module = fvsr_shipped_library_open(FILE_NAME, &there);
	if (!there) {
		snprintf(reason, reason_bytes,
			 "oneDNN: there is no " FILE_NAME " in the plugin's folder");
		return false;
	}
	if (!library->module || !fvsr_late_dnnl(library->module)) {
		error = dlerror();
		snprintf(reason, reason_bytes, "oneDNN: " FILE_NAME " cannot be loaded: %s",
			 error ? error : "it is another one");
		fvsr_onednn_library_close(library);
		return false;
	}
	library->get_max_threads = omp_get_max_threads;
	library->set_num_threads = omp_set_num_threads;
	return true;
}

void fvsr_onednn_library_close(struct fvsr_onednn_library *library)
{
	if (library->module)
		dlclose(library->module);
	memset(library, 0, sizeof(*library));
}

#else

#ifdef _OPENMP
#include <omp.h>
#endif

bool fvsr_onednn_library_open(struct fvsr_onednn_library *library, char *reason,
			      size_t reason_bytes)
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

void fvsr_onednn_library_close(struct fvsr_onednn_library *library)
{
	memset(library, 0, sizeof(*library));
}

#endif
