/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine that fails while it runs, in a real libobs: what the filter shows and says meanwhile,
 * and how it comes back.
 *
 *	fault-test PLUGIN_FOLDER MEDIA_FOLDER MODEL SLOW_MODEL CASE
 */
#include "compare.h"
#include "engine-fault.h"
#include "obs-host.h"

#include <util/platform.h>

#include <stdio.h>
#include <string.h>

#define PATIENCE_S 100.0
#define FAULTS     2
#define NS_PER_S   1000000000ULL

struct setup {
	const char *media_folder, *model;
};

struct scene {
	obs_source_t *source, *filter;
	struct watch *watch;
};

static void open_scene(struct scene *scene, const struct setup *setup, const char *step)
{
	obs_data_t *settings = obs_data_create();
	char path[1024];

	snprintf(path, sizeof(path), "%s/still.mkv", setup->media_folder);
	scene->source = host_media("still", path);
	scene->filter = host_create_filter("upscale", setup->model, 2, step);
	obs_data_set_string(settings, "backend", "cpu"); /* the one that can be made to fail */
	obs_source_update(scene->filter, settings);
	obs_data_release(settings);
	scene->watch = watch_start(scene->source);
	CHECK(watch_next(scene->watch, 0) != NULL, "nothing");
	watch_begin_change(scene->watch);
	obs_source_filter_add(scene->source, scene->filter);
	watch_end_change(scene->watch, scene->filter, 2);
	CHECK(host_wait_status(scene->filter, "Sharpening 64x64 to 128x128", PATIENCE_S), "start");
}

static void close_scene(struct scene *scene)
{
	CHECK(watch_violations(scene->watch) == 0, "%u pictures were wrong",
	      watch_violations(scene->watch));
	watch_stop(scene->watch);
	obs_source_release(scene->filter);
	obs_source_release(scene->source);
}

/* Returns the seconds until the next attempt, as the dialog says; 0: it says none. */
static unsigned told_pause(struct scene *scene)
{
	char *status = host_status(scene->filter);
	const char *told = strstr(status, "it is tried again in ");
	unsigned seconds = 0;

	if (told)
		sscanf(told, "it is tried again in %u s.", &seconds);
	CHECK(!told || strstr(status, "oneDNN: a primitive failed"), "it does not say why: %s",
	      status);
	bfree(status);
	return seconds;
}

/* Checks that pictures are bicubic meanwhile, and that the dialog says when it is tried again. */
static void watch_failures(struct scene *scene, unsigned *told)
{
	const uint64_t end_ns = os_gettime_ns() + (uint64_t)(PATIENCE_S * 1e9);
	unsigned bicubic = 0, failed = 0, seconds;
	uint64_t times[ENGINE_FAULTS];
	const struct view *view;

	while (failed < FAULTS && os_gettime_ns() < end_ns) {
		seconds = told_pause(scene);
		view = watch_next(scene->watch, UINT64_MAX);
		failed = engine_failed(times);
		/* Right after a failure the dialog is a picture behind. */
		if (!failed || !seconds || os_gettime_ns() - times[failed - 1] < NS_PER_S / 4)
			continue;
		told[failed - 1] = seconds > told[failed - 1] ? seconds : told[failed - 1];
		bicubic += CHECK(view && is_bicubic(view), "not bicubic after failure %u", failed);
	}
	printf("  %u failures, %u bicubic pictures looked at\n", failed, bicubic);
	CHECK(failed == FAULTS && bicubic > 10, "it is not tried again");
}

/* After pauses of 1 and 2 s the picture is upscaled again. */
static void test_broken(const struct setup *setup)
{
	unsigned told[FAULTS] = {0};
	uint64_t times[ENGINE_FAULTS + 1];
	struct scene scene;

	open_scene(&scene, setup, "full");
	engine_fail(ENGINE_BROKEN, FAULTS);
	watch_failures(&scene, told);
	for (int i = 0; i < 6; i++) {
		const unsigned seconds = told_pause(&scene);

		told[FAULTS - 1] = seconds > told[FAULTS - 1] ? seconds : told[FAULTS - 1];
		host_sleep(0.05);
	}
	expect_bicubic(scene.watch, "after the last failure");
	CHECK(host_wait_status(scene.filter, "Sharpening 64x64 to 128x128", PATIENCE_S), "back");
	engine_failed(times);
	times[FAULTS] = engine_worked();
	for (unsigned i = 0; i < FAULTS; i++) {
		const double pause_s = (double)(times[i + 1] - times[i]) / 1e9;

		printf("  failure %u: %u s told, the next attempt after %.2f s\n", i + 1, told[i],
		       pause_s);
		CHECK(told[i] == 1u << i, "%u s told after failure %u", told[i], i + 1);
		CHECK(pause_s >= 1u << i, "tried again too soon after failure %u", i + 1);
	}
	expect_upscaled(scene.watch, "back again");
	close_scene(&scene);
}

/* Something smaller is tried at once; if the user wants nothing smaller, the same again later. */
static void test_memory(const struct setup *setup)
{
	struct scene scene;

	open_scene(&scene, setup, NULL);
	engine_fail(ENGINE_NO_MEMORY, 1);
	CHECK(host_wait_status(scene.filter, "Step: Look back less far", PATIENCE_S),
	      "nothing smaller");
	CHECK(host_wait_status(scene.filter, "Sharpening 64x64 to 128x128", PATIENCE_S), "smaller");
	close_scene(&scene);

	open_scene(&scene, setup, "full");
	engine_fail(ENGINE_NO_MEMORY, 1);
	CHECK(host_wait_status(scene.filter, "out of memory", PATIENCE_S), "no reason");
	expect_bicubic(scene.watch, "out of memory");
	CHECK(host_wait_status(scene.filter, "Sharpening 64x64 to 128x128", PATIENCE_S), "later");
	close_scene(&scene);
}

int main(int argc, char **argv)
{
	struct setup setup;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 6)
		return 2;
	setup = (struct setup){argv[2], argv[3]};
	if (!host_start(argv[1]))
		return 1;
	if (strcmp(argv[5], "broken") == 0)
		test_broken(&setup);
	else
		test_memory(&setup);
	host_stop();
	return check_result();
}
