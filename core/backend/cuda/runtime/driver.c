/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding and opening the CUDA driver, and the few calls of the system that open any library.
 */
#include "backend/cuda/runtime/driver.h"

#include <stdio.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#define DRIVER_NAME "nvcuda.dll"
#else
#include <dlfcn.h>
#define DRIVER_NAME "libcuda.so.1"
#endif

#define TEXT_OF(name) #name
#define NAME_OF(name) TEXT_OF(name) /* after cuda.h has renamed it */

void *fvsr_cuda_library_open_system(const char *name)
{
#ifdef _WIN32
	return (void *)LoadLibraryExA(name, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
#else
	return dlopen(name, RTLD_NOW | RTLD_LOCAL);
#endif
}

/*
 * Tells whether a path is full. On Windows neither "\folder" nor "C:folder" is: both depend on the
 * current folder.
 */
static bool is_full_path(const char *path)
{
#ifdef _WIN32
	return (*path && path[1] == ':' && path[2] == '\\') || !strncmp(path, "\\\\", 2);
#else
	return *path == '/';
#endif
}

void *fvsr_cuda_library_open_file(const char *path)
{
	if (!is_full_path(path))
		return NULL;
#ifdef _WIN32
	return (void *)LoadLibraryExA(
		path, NULL, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32);
#else
	return dlopen(path, RTLD_NOW | RTLD_LOCAL);
#endif
}

void *fvsr_cuda_library_symbol(void *library, const char *name)
{
#ifdef _WIN32
	FARPROC symbol = GetProcAddress((HMODULE)library, name);
	void *address;

	memcpy(&address, &symbol, sizeof(address));
	return address;
#else
	return dlsym(library, name);
#endif
}

void fvsr_cuda_library_close(void *library)
{
	if (!library)
		return;
#ifdef _WIN32
	FreeLibrary((HMODULE)library);
#else
	dlclose(library);
#endif
}

static bool find(const struct fvsr_cuda_driver *driver, const char *name, void *out, char *reason,
		 size_t reason_bytes)
{
	void *symbol = fvsr_cuda_library_symbol(driver->library, name);

	memcpy(out, &symbol, sizeof(symbol)); /* the pointer to a function that 'out' points to */
	if (!symbol)
		snprintf(reason, reason_bytes, "the NVIDIA driver is too old: it lacks %s", name);
	return symbol;
}

static bool find_all(struct fvsr_cuda_driver *driver, char *reason, size_t reason_bytes)
{
#define X(name)                                                                                    \
	if (!find(driver, NAME_OF(name), &driver->name, reason, reason_bytes))                     \
		return false;
	FVSR_CUDA_DRIVER_FUNCTIONS(X)
#undef X
	return true;
}

/* Checks the version before anything else, since a driver that is too old lacks other functions. */
static bool check_version(struct fvsr_cuda_driver *driver, char *reason, size_t reason_bytes)
{
	if (!find(driver, NAME_OF(cuDriverGetVersion), &driver->cuDriverGetVersion, reason,
		  reason_bytes))
		return false;
	if (driver->cuDriverGetVersion(&driver->version) != CUDA_SUCCESS) {
		snprintf(reason, reason_bytes, "the NVIDIA driver does not tell its version");
		return false;
	}
	if (driver->version / 1000 >= CUDA_VERSION / 1000)
		return true;
	snprintf(reason, reason_bytes,
		 "the NVIDIA driver is too old: it supports CUDA %d.%d, and %d.0 is needed",
		 driver->version / 1000, driver->version % 1000 / 10, CUDA_VERSION / 1000);
	return false;
}

static bool start(struct fvsr_cuda_driver *driver, char *reason, size_t reason_bytes)
{
	CUresult result = driver->cuInit(0);
	const char *text = NULL;

	if (result == CUDA_SUCCESS)
		return true;
	if (result == CUDA_ERROR_NO_DEVICE) {
		snprintf(reason, reason_bytes, "there is no NVIDIA GPU");
		return false;
	}
	driver->cuGetErrorString(result, &text);
	snprintf(reason, reason_bytes, "the NVIDIA driver does not start: %s",
		 text ? text : "unknown error");
	return false;
}

bool fvsr_cuda_driver_open(struct fvsr_cuda_driver *driver, char *reason, size_t reason_bytes)
{
	memset(driver, 0, sizeof(*driver));
	driver->library = fvsr_cuda_library_open_system(DRIVER_NAME);
	if (!driver->library) {
		snprintf(reason, reason_bytes, "there is no NVIDIA driver (%s)", DRIVER_NAME);
		return false;
	}
	if (check_version(driver, reason, reason_bytes) && find_all(driver, reason, reason_bytes) &&
	    start(driver, reason, reason_bytes))
		return true;
	fvsr_cuda_driver_close(driver);
	return false;
}

/* Gives the library back to the loader, which counts; the driver never truly leaves a process. */
void fvsr_cuda_driver_close(struct fvsr_cuda_driver *driver)
{
	fvsr_cuda_library_close(driver->library);
	memset(driver, 0, sizeof(*driver));
}
