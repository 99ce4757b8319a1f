/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the CUDA driver and cuBLASLt come from. The current folder holds planted libraries of their
 * names (see planted.c and CMakeLists.txt), also under "toolkit" where a CUDA toolkit has them, and
 * none of them may be loaded unless the environment gives its full path.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cuda/runtime/blas_library.h"
#include "backend/cuda/runtime/driver.h"
#include "check.h"
#include "transport/cuda-driver.h"

#define MARK "planted-ran"

#ifdef _WIN32
#include <direct.h>
#define get_folder _getcwd
#define NAME       "cublasLt64_13.dll"
#define DRIVER     "nvcuda.dll"
#define SLASH      "\\"
#else
#include <unistd.h>
#define get_folder getcwd
#define NAME       "libcublasLt.so.13"
#define DRIVER     "libcuda.so.1"
#define SLASH      "/"
#endif

static const char *const variables[] = {"FVSR_CUBLASLT", "FLASHVSR_CUDA_DRIVER", "CUDA_PATH",
					"CUDA_HOME",     "VIRTUAL_ENV",          "HOME"};

#define FIRST_FOLDER 2 /* these name folders, the others files */

#define NUM_VARIABLES (sizeof(variables) / sizeof(*variables))

static void set_variable(const char *name, const char *value)
{
#ifdef _WIN32
	_putenv_s(name, value);
#else
	setenv(name, value, 1);
#endif
}

static void clear_variables(void)
{
	for (size_t i = 0; i < NUM_VARIABLES; i++)
		set_variable(variables[i], "");
}

/* Opens the libraries as engine and plugin do; true when a planted one ran. */
static bool planted_runs(void)
{
	struct fvsr_cuda_blas_library blas;
	struct fvsr_cuda_driver driver;
	struct cuda_driver plugins_driver;
	char reason[256];
	FILE *mark;

	remove(MARK);
	if (fvsr_cuda_driver_open(&driver, reason, sizeof(reason)))
		fvsr_cuda_driver_close(&driver);
	if (fvsr_cuda_blas_library_open(&blas))
		fvsr_cuda_blas_library_close(&blas);
	cuda_driver_open(&plugins_driver, reason, sizeof(reason));
	cuda_driver_close(&plugins_driver);
	mark = fopen(MARK, "r");
	if (mark)
		fclose(mark);
	return mark != NULL;
}

static bool runs_with(const char *variable, const char *value)
{
	bool ran;

	clear_variables();
	set_variable(variable, value);
	ran = planted_runs();
	printf("%s=%s: %s\n", variable, value, ran ? "a planted library ran" : "none ran");
	return ran;
}

static void test_relative_paths(void)
{
	clear_variables();
	CHECK(!planted_runs());
	for (size_t i = FIRST_FOLDER; i < NUM_VARIABLES; i++) {
		CHECK(!runs_with(variables[i], "toolkit"));
		CHECK(!runs_with(variables[i], "." SLASH "toolkit"));
	}
	CHECK(!runs_with("FVSR_CUBLASLT", NAME));
	CHECK(!runs_with("FVSR_CUBLASLT", "." SLASH NAME));
	CHECK(!runs_with("FLASHVSR_CUDA_DRIVER", "." SLASH DRIVER));
#ifdef _WIN32
	CHECK(!runs_with("FVSR_CUBLASLT", "C:" NAME));
#endif
}

#ifdef _WIN32
/* Searches where Windows' loader would look for a bare name, too. */
static void test_search_path(const char *here)
{
	CHECK(!runs_with("PATH", here));
}
#endif

/* Tells whether ld.so knows a cuBLASLt, which is taken before the folders that variables name. */
static bool system_has_one(void)
{
	void *library = fvsr_cuda_library_open_system(NAME);

	fvsr_cuda_library_close(library);
	return library != NULL;
}

/* Shows that a planted library leaves its mark when it is loaded, and that full paths work. */
static void test_full_paths(const char *here)
{
	char path[2048];

	snprintf(path, sizeof(path), "%s" SLASH "toolkit", here);
	CHECK(system_has_one() || runs_with("CUDA_PATH", path));
	snprintf(path, sizeof(path), "%s" SLASH NAME, here);
	CHECK(runs_with("FVSR_CUBLASLT", path));
	snprintf(path, sizeof(path), "%s" SLASH DRIVER, here);
	CHECK(runs_with("FLASHVSR_CUDA_DRIVER", path));
}

int main(void)
{
	char here[1024];

	if (!get_folder(here, sizeof(here)))
		return 1;
	test_relative_paths();
#ifdef _WIN32
	test_search_path(here);
#endif
	test_full_paths(here);
	remove(MARK);
	return check_result();
}
