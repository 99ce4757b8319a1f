/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Less memory, the same pictures: a stream with every limit from what it would like to have down to
 * the least that it can do with.
 *
 *	test_memory MODEL BACKEND
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_support.h"

#define FRAMES 53 /* five chunks: slices have been dropped from the cache */

struct video {
	uint64_t hash[FRAMES];
	int frames;
};

static void run(fvsr_model *model, const struct fvsr_settings *settings, struct video *video)
{
	struct fvsr_error err = {""};
	fvsr_stream *stream;

	memset(video, 0, sizeof(*video));
	if (fvsr_stream_open(&stream, model, settings, &err) < 0) {
		printf("cannot open a stream with %llu bytes: %s\n",
		       (unsigned long long)settings->memory_limit, err.text);
		exit(1);
	}
	video->frames = test_stream_hashes(stream, settings, FRAMES, video->hash);
	fvsr_stream_close(stream);
}

static bool cost_of(const fvsr_model *model, struct fvsr_settings *settings, uint64_t limit,
		    struct fvsr_stream_cost *cost)
{
	struct fvsr_error err = {""};
	int result;

	settings->memory_limit = limit;
	result = fvsr_stream_cost(model, settings, cost, &err);
	CHECK(!result || (result == FVSR_ERR_MEMORY && strstr(err.text, "GiB")));
	return !result;
}

/* Returns the least limit that is accepted. */
static uint64_t least(const fvsr_model *model, struct fvsr_settings *settings, uint64_t enough)
{
	struct fvsr_stream_cost cost;
	uint64_t too_little = 0;

	while (enough - too_little > 256) {
		uint64_t middle = too_little + (enough - too_little) / 2;

		if (middle && cost_of(model, settings, middle, &cost))
			enough = middle;
		else
			too_little = middle;
	}
	return enough;
}

static void check_limit(fvsr_model *model, struct fvsr_settings *settings, uint64_t limit,
			const struct video *whole)
{
	struct fvsr_stream_cost cost;
	struct video video;

	CHECK(cost_of(model, settings, limit, &cost));
	run(model, settings, &video);
	CHECK(video.frames == FRAMES && !memcmp(&video, whole, sizeof(video)));
	printf("limit %llu KiB: %llu on the device, %llu in host memory\n",
	       (unsigned long long)limit >> 10, (unsigned long long)cost.device_bytes >> 10,
	       (unsigned long long)cost.host_bytes >> 10);
	if (cost.device_bytes)
		CHECK(cost.device_bytes <= limit);
}

int main(int argc, char **argv)
{
	struct fvsr_settings settings;
	struct fvsr_stream_cost cost;
	struct fvsr_error err;
	uint64_t all, few;
	struct video whole;
	fvsr_stream *stream;
	fvsr_model *model;

	if (argc != 3)
		return 2;
	model = test_model_open(argv[1], argv[2]);
	test_settings(&settings, 50, 33, 200, 132);
	CHECK(cost_of(model, &settings, 0, &cost));
	run(model, &settings, &whole);
	CHECK(whole.frames == FRAMES && whole.hash[0] != whole.hash[FRAMES - 1]);
	all = cost.device_bytes ? cost.device_bytes : cost.host_bytes;
	few = least(model, &settings, all);
	CHECK(few < all * 9 / 10);
	check_limit(model, &settings, all, &whole);
	for (int i = 1; i < 4; i++)
		check_limit(model, &settings, few + (all - few) * (uint64_t)i / 4, &whole);
	check_limit(model, &settings, few, &whole);
	settings.memory_limit = few / 2;
	CHECK(fvsr_stream_open(&stream, model, &settings, &err) == FVSR_ERR_MEMORY);
	printf("too little says: %s\n", err.text);
	fvsr_model_unref(model);
	return check_result();
}
