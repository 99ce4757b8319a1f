/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory running out at every call site, one after the other: the Nth allocation of an operation
 * fails, for N = 1, 2, ... until the operation succeeds. Each time it must return an error, free
 * all it took and leave no file.
 *
 * Without a sanitizer this program's own malloc family stands in front of the C library's for
 * everything in the process, so that the calls of libzip and Jansson fail as well. Sanitizers
 * bring their own malloc; there the linker redirects the library's own calls (--wrap), and the
 * sanitizer watches for leaks and for use of freed memory.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fvsr/fvsr.h"
#include "model/weights.h"
#include "released.h"

static long fail_at; /* 0: never */
static long made;    /* allocations since fail_at was set */
static long live;    /* blocks that were made and not freed since then */
static bool counting;
static void *refused; /* whose call failed */

static bool refuse(void *caller)
{
	if (!counting || ++made != fail_at)
		return false;
	refused = caller;
	return true;
}

static void *count_live(void *block)
{
	live += counting && block;
	return block;
}

/*
 * Blocks that may be too many (1) or too few (-1) through no fault of ours: libzip 1.7 loses one
 * of its own when memory runs out inside zip_fopen_index(), and the C library drops the name of
 * the time zone that it remembers when it cannot copy the new one.
 */
static long excused(void)
{
	Dl_info info;

	if (!refused || !dladdr(refused, &info) || !info.dli_fname)
		return 0;
	return strstr(info.dli_fname, "libzip") ? 1 : strstr(info.dli_fname, "/libc.so") ? -1 : 0;
}

#ifdef WRAP_ALLOC

/* Jansson's blocks are freed here and made elsewhere: the sanitizer counts, not this program. */
#define CHECK_LEFT false
#define EXPORT

#define NAME(function) __wrap_##function
#define REAL(function) __real_##function
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

#else

#define CHECK_LEFT     true
/* Seen by the libraries too. */
#define EXPORT         __attribute__((visibility("default")))
#define NAME(function) function
#define REAL(function) __libc_##function
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

#endif

EXPORT void *NAME(malloc)(size_t size)
{
	return refuse(__builtin_return_address(0)) ? NULL : count_live(REAL(malloc)(size));
}

EXPORT void *NAME(calloc)(size_t count, size_t size)
{
	return refuse(__builtin_return_address(0)) ? NULL : count_live(REAL(calloc)(count, size));
}

EXPORT void *NAME(realloc)(void *block, size_t size)
{
	if (refuse(__builtin_return_address(0)))
		return NULL;
	return block ? REAL(realloc)(block, size) : count_live(REAL(realloc)(block, size));
}

EXPORT void NAME(free)(void *block)
{
	live -= counting && block;
	REAL(free)(block);
}

static char *source, *target;
static char packed[512], tensors_path[512], spec[600];

static int open_and_close(const char *what, struct fvsr_error *err)
{
	struct fvsr_weights *weights = NULL;
	int result = fvsr_weights_open(&weights, what, true, NULL, NULL, err);

	fvsr_weights_close(weights);
	return result;
}

static int try_directory(struct fvsr_error *err)
{
	return open_and_close(source, err);
}

static int try_synthetic(struct fvsr_error *err)
{
	return open_and_close(spec, err);
}

static int try_packed(struct fvsr_error *err)
{
	return open_and_close(tensors_path, err);
}

static int try_tensors(struct fvsr_error *err)
{
	fvsr_tensors *file = NULL;
	int result = fvsr_tensors_open(&file, tensors_path, err);

	fvsr_tensors_close(file);
	return result;
}

static int try_import(struct fvsr_error *err)
{
	return fvsr_import(source, packed, NULL, err);
}

/* Begins with allocation 'first'; returns how many there are. */
static long exhaust(const char *name, int (*operation)(struct fvsr_error *err), long first)
{
	struct fvsr_error err;
	int other = 0;
	long n;

	/* Once in peace: the C library keeps a few blocks from the first time on. */
	CHECK_CASE(operation(&err) == 0, name);
	remove_file(packed);
	for (n = first; n < 1000000; n++) {
		int result;

		err.text[0] = '\0';
		fail_at = n;
		made = live = 0;
		refused = NULL;
		counting = true;
		result = operation(&err);
		counting = false;
		if (CHECK_LEFT && !CHECK_CASE(live == 0 || live == excused(), name))
			printf("  %ld blocks left after failure %ld\n", live, n);
		if (result == 0 && made < fail_at)
			break;
		/*
		 * A library may do without a block, and then nothing failed. If it did, there is
		 * a message and, nearly always, the right code: libraries have calls that say
		 * "invalid" whatever went wrong.
		 */
		if (result < 0) {
			CHECK_CASE(err.text[0], name);
			other += result != FVSR_ERR_MEMORY;
			CHECK_CASE(folder_entries(target) == 0, name);
		} else {
			remove_file(packed);
		}
	}
	printf("%s: %ld allocations, %d failures under another name\n", name, made, other);
	CHECK_CASE(n > first && other * 10 <= n, name);
	remove_file(packed);
	return made;
}

int main(void)
{
	struct released r;
	struct fvsr_error err;
	char path[512];
	long directory;

	source = temp_create();
	target = temp_create();
	temp_path(packed, target, "model.safetensors");
	temp_path(tensors_path, source, "packed.safetensors");
	snprintf(spec, sizeof(spec), "synth:%s:5", temp_path(path, source, "config.json"));
	if (!released_load(&r, source) || !released_write(&r, source) ||
	    !CHECK(fvsr_import(spec, tensors_path, NULL, &err) == 0))
		return 1;
	exhaust("synthetic model", try_synthetic, 1);
	exhaust("packed model", try_packed, 1);
	/* The values of its header are Jansson's: those calls must have been counted too. */
	CHECK(exhaust("tensors", try_tensors, 1) > 1000 || !CHECK_LEFT);
	directory = exhaust("released directory", try_directory, 1);
	exhaust("import", try_import, directory); /* which begins with opening it */
	released_free(&r);
	temp_remove(source);
	temp_remove(target);
	return check_result();
}
