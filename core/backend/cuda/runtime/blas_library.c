/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking for cuBLASLt, which does not come with the driver, where toolkits and Python packages put
 * it.
 */
#include "backend/cuda/runtime/blas_library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cuda/runtime/driver.h"

#ifndef _WIN32
#include <glob.h>
#endif

#ifdef _WIN32
#include "backend/shipped_library.h"

static const char *const names[] = {"cublasLt64_13.dll", "cublasLt64_12.dll"};
/* Folders; a variable of the environment, unless it is NULL, is put in front of the pattern. */
static const struct {
	const char *variable, *pattern;
} places[] = {
	{"CUDA_PATH", "\\bin\\x64"},
	{"CUDA_PATH", "\\bin"},
};
#define SEPARATOR "\\"
#else
static const char *const names[] = {"libcublasLt.so.13", "libcublasLt.so.12"};
static const struct {
	const char *variable, *pattern;
} places[] = {
	{"CUDA_PATH", "/lib64"},
	{"CUDA_HOME", "/lib64"},
	{NULL, "/usr/local/cuda/lib64"},
	{NULL, "/usr/local/cuda-1[23]*/lib64"},
	{NULL, "/opt/cuda/lib64"},
	{"VIRTUAL_ENV", "/lib/python3*/site-packages/nvidia/*/lib"},
	{"HOME", "/.local/lib/python3*/site-packages/nvidia/*/lib"},
	{NULL, "/usr/local/lib/python3*/*-packages/nvidia/*/lib"},
	{NULL, "/usr/lib/python3*/*-packages/nvidia/*/lib"},
};
#define SEPARATOR "/"
#endif

static void *open_pattern(const char *pattern)
{
#ifdef _WIN32
	return fvsr_cuda_library_open_file(pattern);
#else
	void *library = NULL;
	glob_t found;

	if (glob(pattern, 0, NULL, &found))
		return NULL;
	for (size_t i = 0; i < found.gl_pathc && !library; i++)
		library = fvsr_cuda_library_open_file(found.gl_pathv[i]);
	globfree(&found);
	return library;
#endif
}

/*
 * Opens the library by its name alone. On Windows that means beside our own file, where the
 * installer can put it: to find a toolkit's would take a search of PATH, whose folders may be
 * anybody's.
 */
static void *open_by_name(const char *name)
{
#ifdef _WIN32
	bool there;

	return fvsr_shipped_library_open(name, &there);
#else
	return fvsr_cuda_library_open_system(name);
#endif
}

static void *open_place(const char *variable, const char *pattern, const char *name)
{
	const char *front = variable ? getenv(variable) : "";
	char path[1024];

	if (!front || (variable && !*front))
		return NULL;
	if (snprintf(path, sizeof(path), "%s%s" SEPARATOR "%s", front, pattern, name) >=
	    (int)sizeof(path))
		return NULL;
	return open_pattern(path);
}

static void *find_library(void)
{
	const char *asked = getenv("FVSR_CUBLASLT");
	void *library = NULL;

	if (asked && *asked)
		return strcmp(asked, "off") ? fvsr_cuda_library_open_file(asked) : NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !library; i++) {
		library = open_by_name(names[i]);
		for (size_t j = 0; j < sizeof(places) / sizeof(*places) && !library; j++)
			library = open_place(places[j].variable, places[j].pattern, names[i]);
	}
	return library;
}

static bool find(struct fvsr_cuda_blas_library *library, const char *name, void *out)
{
	void *symbol = fvsr_cuda_library_symbol(library->library, name);

	memcpy(out, &symbol, sizeof(symbol)); /* the pointer to a function that 'out' points to */
	return symbol;
}

bool fvsr_cuda_blas_library_open(struct fvsr_cuda_blas_library *library)
{
	bool complete = true;

	memset(library, 0, sizeof(*library));
	library->library = find_library();
	if (!library->library)
		return false;
#define X(name) complete = find(library, #name, &library->name) && complete;
	FVSR_CUDA_BLAS_FUNCTIONS(X)
#undef X
	if (!complete)
		fvsr_cuda_blas_library_close(library);
	return complete;
}

void fvsr_cuda_blas_library_close(struct fvsr_cuda_blas_library *library)
{
	fvsr_cuda_library_close(library->library);
	memset(library, 0, sizeof(*library));
}
