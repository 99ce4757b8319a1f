/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A long video, past the 4,093 where the released code's angles end. The library
 * allocates nothing after a stream is open, the process does not grow, and pictures keep coming.
 *
 *	test_long MODEL BACKEND FRAMES
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef _WIN32
#include <windows.h>

#include <psapi.h>
#else
#include <unistd.h>
#endif

#include "test_support.h"

#define WARM_FRAMES  400
#define GROWTH_BYTES (256 << 10)

static atomic_long allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
	allocations++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	allocations++;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	allocations++;
	return __real_realloc(p, size);
}

static long resident_bytes(void)
{
#ifdef _WIN32
	PROCESS_MEMORY_COUNTERS_EX counters = {.cb = sizeof(counters)};

	GetProcessMemoryInfo(GetCurrentProcess(), (PROCESS_MEMORY_COUNTERS *)&counters,
			     sizeof(counters));
	return (long)counters.PrivateUsage;
#else
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f) {
		if (fscanf(f, "%*s %ld", &pages) != 1)
			pages = 0;
		fclose(f);
	}
	return pages * sysconf(_SC_PAGESIZE);
#endif
}

/* Tells whether the network may have made a picture of this input: not flat, nor far from it. */
static bool plausible(const struct fvsr_picture *picture, int frame)
{
	const uint8_t *row = picture->data;
	int differences = 0;

	for (int x = 0; x < picture->width * 4; x++)
		differences += row[x] != row[x % 4];
	if (differences < picture->width)
		printf("frame %d is flat\n", frame);
	return differences >= picture->width;
}

int main(int argc, char **argv)
{
	struct fvsr_settings settings;
	fvsr_model *model;
	fvsr_stream *stream;
	fvsr_frame *in, *out;
	long warm_bytes = 0, opened;
	int received = 0, result = 0, frames = argc == 4 ? atoi(argv[3]) : 0;

	if (frames <= WARM_FRAMES)
		return 2;
	model = test_model_open(argv[1], argv[2]);
	test_settings(&settings, 16, 16, 32, 32);
	if (fvsr_stream_open(&stream, model, &settings, NULL) ||
	    fvsr_frame_create(&in, settings.in_format, 16, 16) ||
	    fvsr_frame_create(&out, settings.out_format, 32, 32))
		return 1;
	opened = allocations;
	for (int n = 0; n < frames; n++) {
		test_picture_fill(fvsr_frame_picture(in), n);
		fvsr_frame_set_tag(in, n);
		CHECK(!fvsr_stream_send(stream, in));
		while (!(result = fvsr_stream_receive(stream, out))) {
			CHECK(fvsr_frame_tag(out) == received);
			CHECK(plausible(fvsr_frame_picture(out), received));
			received++;
		}
		CHECK(result == FVSR_ERR_AGAIN);
		if (n == WARM_FRAMES)
			warm_bytes = resident_bytes();
	}
	CHECK(received >= frames - 12);
#ifndef _WIN32
	/* There the OpenMP library is linked in, and its own calls would be counted too. */
	CHECK(allocations == opened);
#endif
	CHECK(resident_bytes() - warm_bytes < GROWTH_BYTES);
	printf("%s: %d frames, %ld allocations, %ld bytes more resident\n", argv[2], received,
	       allocations - opened, resident_bytes() - warm_bytes);
	fvsr_frame_destroy(in);
	fvsr_frame_destroy(out);
	fvsr_stream_close(stream);
	fvsr_model_unref(model);
	return check_result();
}
