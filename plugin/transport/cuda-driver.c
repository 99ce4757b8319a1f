/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding and opening the CUDA driver: see cuda-driver.h. FLASHVSR_CUDA_DRIVER is the full path of
 * another library, for tests.
 */
#include "transport/cuda-driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#define DRIVER_NAME "nvcuda.dll"
#else
#include <dlfcn.h>
#define DRIVER_NAME "libcuda.so.1"
#endif

/* Never from the current folder: by a bare name where the system keeps such, or by a full path. */
static void *library_open(const char *name)
{
#ifdef _WIN32
	return (void *)LoadLibraryExA(name, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
#else
	if (strchr(name, '/') && *name != '/')
		return NULL;
	return dlopen(name, RTLD_NOW | RTLD_LOCAL);
#endif
}

static void library_close(void *library)
{
#ifdef _WIN32
	FreeLibrary((HMODULE)library);
#else
	dlclose(library);
#endif
}

/* 'out' points to a pointer to a function. */
static bool find(const struct cuda_driver *driver, const char *name, void *out)
{
#ifdef _WIN32
	FARPROC symbol = GetProcAddress((HMODULE)driver->library, name);
#else
	void *symbol = dlsym(driver->library, name);
#endif

	memcpy(out, &symbol, sizeof(symbol));
	return symbol != NULL;
}

static bool find_all(struct cuda_driver *driver, char *reason, size_t reason_size)
{
	const char *missing = NULL;

#define X(name, symbol, parameters)                                                                \
	if (!find(driver, symbol, &driver->name))                                                  \
		missing = symbol;
	CUDA_DRIVER_GRAPHICS_FUNCTIONS(X)
	missing = NULL;
	CUDA_DRIVER_FUNCTIONS(X)
#undef X
	if (missing)
		snprintf(reason, reason_size, "the NVIDIA driver lacks %s", missing);
	return !missing;
}

bool cuda_driver_open(struct cuda_driver *driver, char *reason, size_t reason_size)
{
	const char *name = getenv("FLASHVSR_CUDA_DRIVER");
	cuda_result result;

	memset(driver, 0, sizeof(*driver));
	driver->library = library_open(name && *name ? name : DRIVER_NAME);
	if (!driver->library) {
		snprintf(reason, reason_size, "there is no NVIDIA driver (%s)", DRIVER_NAME);
		return false;
	}
	if (!find_all(driver, reason, reason_size))
		return false;
	result = driver->init(0);
	if (result)
		cuda_driver_describe(driver, "cuInit", result, reason, reason_size);
	return !result;
}

void cuda_driver_close(struct cuda_driver *driver)
{
	if (driver->library)
		library_close(driver->library);
	memset(driver, 0, sizeof(*driver));
}

void cuda_driver_describe(const struct cuda_driver *driver, const char *what, cuda_result result,
			  char *reason, size_t reason_size)
{
	const char *name = NULL;

	driver->error_name(result, &name);
	snprintf(reason, reason_size, "%s: %s", what, name ? name : "unknown error");
}
