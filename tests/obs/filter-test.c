/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter in a real libobs, on real media files, as a user would see it: the pictures that OBS
 * draws and the text in the dialog. Run as
 *
 *	filter-test PLUGIN_FOLDER MEDIA_FOLDER MODEL SLOW_MODEL CASE
 *
 * with a display; run-filter-test.sh prepares all that.
 */
#include "compare.h"
#include "obs-host.h"

#include <util/platform.h>

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_S 100.0 /* how long the first upscaled picture may take, on a busy machine */

/* The frames of ramp.mkv get brighter by a level each, from RAMP_BASE on, over and over. */
#define RAMP_BASE   64
#define RAMP_FRAMES 120

struct setup {
	const char *plugin_folder, *media_folder, *model, *slow_model;
};

static const char *media(const struct setup *setup, const char *name)
{
	static char path[1024];

	snprintf(path, sizeof(path), "%s/%s", setup->media_folder, name);
	return path;
}

/* ---- a source with its filter and watch ---------------------------------------------------- */

struct scene {
	obs_source_t *source, *filter;
	struct watch *watch;
};

static void open_scene(struct scene *scene, obs_source_t *source)
{
	memset(scene, 0, sizeof(*scene));
	scene->source = source;
	scene->watch = watch_start(source);
	CHECK(watch_next(scene->watch, 0) != NULL, "'%s' shows nothing",
	      obs_source_get_name(source));
}

/* Returns the number of the last picture without it. */
static uint64_t add_filter(struct scene *scene, const char *name, const char *model, uint32_t scale)
{
	uint64_t before;

	scene->filter = host_create_filter(name, model, (int)scale, model ? "full" : NULL);
	before = watch_begin_change(scene->watch);
	obs_source_filter_add(scene->source, scene->filter);
	watch_end_change(scene->watch, scene->filter, scale);
	return before;
}

/* The filter looks through libobs' scenes then, so the watch must not hold its lock. */
static void remove_filter(struct scene *scene)
{
	watch_begin_change(scene->watch);
	watch_end_change(scene->watch, NULL, 1);
	obs_source_filter_remove(scene->source, scene->filter);
	obs_source_release(scene->filter);
	scene->filter = NULL;
}

static void close_scene(struct scene *scene)
{
	CHECK(watch_violations(scene->watch) == 0, "%u pictures of '%s' were wrong",
	      watch_violations(scene->watch), obs_source_get_name(scene->source));
	watch_stop(scene->watch);
	obs_source_release(scene->filter);
	obs_source_release(scene->source);
}

struct change {
	struct scene *scene;
	obs_data_t *settings;
	uint32_t scale;
};

static void apply_change(void *opaque)
{
	struct change *change = opaque;

	watch_begin_change(change->scene->watch);
	obs_source_update(change->scene->filter, change->settings);
	watch_end_change(change->scene->watch, change->scene->filter, change->scale);
}

/* Changes the settings from this thread, as OBS's dialog does, and releases them. */
static void change(struct scene *scene, obs_data_t *settings, uint32_t scale)
{
	struct change change = {scene, settings, scale};

#ifdef __SANITIZE_THREAD__
	/* libobs reads a source's settings on the graphics thread without a lock. */
	obs_queue_task(OBS_TASK_GRAPHICS, apply_change, &change, true);
#else
	apply_change(&change);
#endif
	obs_data_release(settings);
}

static obs_data_t *int_setting(const char *key, int value)
{
	obs_data_t *settings = obs_data_create();

	obs_data_set_int(settings, key, value);
	return settings;
}

static obs_data_t *string_setting(const char *key, const char *value)
{
	obs_data_t *settings = obs_data_create();

	obs_data_set_string(settings, key, value);
	return settings;
}

static obs_data_t *model_setting(const char *model)
{
	return string_setting("model_file", model);
}

/* Settings reach the filter with the next picture; its status then is about them. */
static void let_settle(struct scene *scene)
{
	const struct view *view = watch_next(scene->watch, UINT64_MAX);

	if (view)
		watch_next(scene->watch, view->number + 1);
}

/* ---- cases --------------------------------------------------------------------------------- */

static void test_picture(const struct setup *setup)
{
	struct scene scene;
	const struct view *view;
	uint64_t before;

	open_scene(&scene, host_media("still", media(setup, "still.mkv")));
	watch_next(scene.watch, UINT64_MAX);
	before = add_filter(&scene, "upscale", setup->model, 2);
	/* OBS may have been in the middle of a picture. */
	view = watch_next(scene.watch, before + 1);
	CHECK(view && view->width == 128 && view->height == 128, "size of the first picture");
	expect_bicubic(scene.watch, "at first");
	CHECK(host_wait_status(scene.filter, "Sharpening 64x64 to 128x128", START_S), "no start");
	for (int i = 0; i < 10; i++)
		expect_upscaled(scene.watch, "then");
	close_scene(&scene);
}

static void test_toggle(const struct setup *setup)
{
	struct scene scene;

	open_scene(&scene, host_media("still", media(setup, "still.mkv")));
	add_filter(&scene, "upscale", setup->model, 2);
	CHECK(host_wait_status(scene.filter, "Sharpening", START_S), "no start");

	watch_begin_change(scene.watch);
	obs_source_set_enabled(scene.filter, false);
	watch_end_change(scene.watch, scene.filter, 1);
	expect_bicubic(scene.watch, "off");
	CHECK(host_wait_status(scene.filter, "Paused", 5.0), "computes while it is off");

	watch_begin_change(scene.watch);
	obs_source_set_enabled(scene.filter, true);
	watch_end_change(scene.watch, scene.filter, 2);
	expect_bicubic(scene.watch, "on again");
	CHECK(host_wait_status(scene.filter, "Sharpening", START_S), "no second start");
	expect_upscaled(scene.watch, "on again, after a while");
	close_scene(&scene);
}

static void test_settings(const struct setup *setup)
{
	struct scene scene;

	open_scene(&scene, host_media("still", media(setup, "still.mkv")));
	add_filter(&scene, "upscale", setup->model, 2);
	CHECK(host_wait_status(scene.filter, "Sharpening", START_S), "no start");

	change(&scene, int_setting("scale", 3), 3);
	let_settle(&scene);
	expect_bicubic(scene.watch, "another scale");
	CHECK(host_wait_status(scene.filter, "Sharpening 64x64 to 192x192", START_S), "scale");
	expect_upscaled(scene.watch, "another scale, after a while");

	change(&scene, model_setting("/nowhere/none.safetensors"), 3);
	CHECK(host_wait_status(scene.filter, "/nowhere/none.safetensors", START_S), "no reason");
	expect_bicubic(scene.watch, "a model that is not there");

	/* One change after the other, faster than anything can be loaded. */
	for (int kv_ratio = 1; kv_ratio <= 5; kv_ratio++)
		change(&scene, int_setting("kv_ratio", kv_ratio), 3);
	change(&scene, model_setting(setup->model), 3);
	change(&scene, int_setting("scale", 2), 2);
	CHECK(host_wait_status(scene.filter, "Sharpening 64x64 to 128x128", START_S), "model");
	expect_upscaled(scene.watch, "a model that is there");

	change(&scene, string_setting("step", "bicubic"), 2);
	CHECK(host_wait_status(scene.filter, "Not sharpened, as you chose", START_S),
	      "pinned to bicubic");
	expect_bicubic(scene.watch, "pinned to bicubic");
	close_scene(&scene);
}

static void test_source_size(const struct setup *setup)
{
	struct scene scene;

	open_scene(&scene, host_media("media", media(setup, "still.mkv")));
	add_filter(&scene, "upscale", setup->model, 2);
	CHECK(host_wait_status(scene.filter, "Sharpening 64x64 to 128x128", START_S), "no start");
	host_media_set_path(scene.source, media(setup, "moving.mkv"));
	CHECK(host_wait_status(scene.filter, "80x48 to 160x96", START_S), "new size");
	CHECK(host_wait_status(scene.filter, "Sharpening 80x48 to 160x96", START_S), "new start");
	host_media_set_path(scene.source, media(setup, "still.mkv"));
	CHECK(host_wait_status(scene.filter, "Sharpening 64x64 to 128x128", START_S), "back");
	expect_upscaled(scene.watch, "back at the first size");
	close_scene(&scene);
}

static void test_alpha(const struct setup *setup)
{
	struct scene scene;
	const struct view *view;

	open_scene(&scene, host_image("image", media(setup, "alpha.png")));
	add_filter(&scene, "upscale", setup->model, 2);
	view = watch_next(scene.watch, UINT64_MAX);
	report("bicubic", view);
	CHECK(compare(view).alpha_difference <= 2.0, "alpha of the bicubic picture");
	CHECK(host_wait_status(scene.filter, "Sharpening", START_S), "no start");
	view = watch_next(scene.watch, UINT64_MAX);
	report("upscaled", view);
	CHECK(compare(view).alpha_difference <= 2.0, "alpha of the upscaled picture");
	close_scene(&scene);
}

/* Returns the frame that a picture of ramp.mkv shows, by its brightness; see run-filter-test.sh. */
static double ramp_frame(const uint8_t *pixels, uint32_t width, uint32_t height)
{
	const size_t count = (size_t)width * height;
	double sum = 0.0;

	for (size_t i = 0; i < count; i++)
		sum += pixels[i * 4] + pixels[i * 4 + 1] + pixels[i * 4 + 2];
	return sum / (double)(count * 3) - RAMP_BASE;
}

/* Returns by how many pictures more than 'expected' it is late. The ramp repeats itself. */
static double excess_lag(const struct view *view, double expected)
{
	double lag = ramp_frame(view->source_pixels, view->source_width, view->source_height) -
		     ramp_frame(view->pixels, view->width, view->height);

	return remainder(lag - expected, RAMP_FRAMES);
}

static bool read_status(struct scene *scene, double *fps, double *delay_s)
{
	char *status = host_status(scene->filter);
	const char *late = strstr(status, "The picture is ");
	bool ok = late && sscanf(status, "Sharpening 64x64 to 128x128, %lf frames/s", fps) == 1 &&
		  sscanf(late, "The picture is %lf ms late", delay_s) == 1;

	*delay_s /= 1e3;

	if (!ok)
		printf("  %s\n", status);
	bfree(status);
	return ok;
}

/* Returns true when all pictures of two seconds were late by the delay in the dialog. */
static bool watch_lag(struct scene *scene)
{
	double lowest = RAMP_FRAMES, highest = -RAMP_FRAMES, delay_s, fps, then_delay_s, then_fps;
	const struct view *view = watch_next(scene->watch, UINT64_MAX);

	if (!read_status(scene, &fps, &delay_s))
		return false;
	for (int i = 0; view && i < 2 * HOST_FPS; i++) {
		view = watch_next(scene->watch, view->number);
		if (view) {
			lowest = fmin(lowest, excess_lag(view, delay_s * HOST_FPS));
			highest = fmax(highest, excess_lag(view, delay_s * HOST_FPS));
		}
	}
	if (!view || !read_status(scene, &then_fps, &then_delay_s))
		return false;
	printf("  %.1f frames/s, delay %.2f s (%.1f pictures), seen %+.1f .. %+.1f\n", fps, delay_s,
	       delay_s * HOST_FPS, lowest, highest);
	return then_delay_s == delay_s && lowest > -3.0 && highest < HOST_FPS / fps + 3.0;
}

/* The machine may be busy with other things, so not every stretch needs to be even. */
static void test_even(const struct setup *setup)
{
	struct scene scene;
	bool even = false;

	open_scene(&scene, host_media("ramp", media(setup, "ramp.mkv")));
	add_filter(&scene, "upscale", setup->model, 2);
	CHECK(host_wait_status(scene.filter, "Sharpening", START_S), "no start");
	for (int i = 0; i < 10 && !even; i++)
		even = watch_lag(&scene);
	CHECK(even, "the picture is never late by the same time for long");
	close_scene(&scene);
}

/* ---- under load ---------------------------------------------------------------------------- */

/* As many programs as the processor has threads, and again, which do nothing but take time. */
struct load {
	pthread_t threads[64];
	int count;
	atomic_bool over;
};

static void *burn(void *opaque)
{
	struct load *load = opaque;
	volatile unsigned number = 0;

	while (!atomic_load(&load->over))
		number++;
	return NULL;
}

static void load_begin(struct load *load)
{
	const int wanted = 2 * os_get_logical_cores();

	atomic_init(&load->over, false);
	for (load->count = 0; load->count < wanted && load->count < 64; load->count++)
		if (pthread_create(&load->threads[load->count], NULL, burn, load) != 0)
			break;
}

static void load_end(struct load *load)
{
	atomic_store(&load->over, true);
	while (load->count)
		pthread_join(load->threads[--load->count], NULL);
}

/* Returns the delay that the status tells; 0: none. */
static double told_delay(struct scene *scene)
{
	char *status = host_status(scene->filter);
	const char *text = strstr(status, "The picture is ");
	double delay_s = 0.0;

	if (text)
		sscanf(text, "The picture is %lf ms", &delay_s);
	bfree(status);
	return delay_s / 1e3;
}

/* Waits until the delay has been the same for some seconds, and returns it. */
static double settled_delay(struct scene *scene)
{
	double delay_s = told_delay(scene);

	for (int same = 0, i = 0; same < 80 && i < 1000; i++, same++) {
		host_sleep(0.1);
		if (told_delay(scene) != delay_s)
			same = 0;
		delay_s = told_delay(scene);
	}
	return delay_s;
}

static int compare_lags(const void *a, const void *b)
{
	return (*(const double *)a > *(const double *)b) -
	       (*(const double *)a < *(const double *)b);
}

/*
 * Watches that all the time the delay is told to be 'delay_s', and most pictures are late by that,
 * upscaled or not. OBS and the source are under load themselves, so not every picture can be.
 */
static void expect_delay(struct scene *scene, double delay_s, double seconds, const char *when)
{
	const uint64_t end_ns = os_gettime_ns() + (uint64_t)(seconds * 1e9);
	static double lags[20000];
	double told = delay_s;
	int count = 0;

	while (os_gettime_ns() < end_ns && count < 20000) {
		const struct view *view = watch_next(scene->watch, UINT64_MAX);

		if (view)
			lags[count++] = excess_lag(view, delay_s * HOST_FPS);
		if (told_delay(scene) != delay_s)
			told = told_delay(scene);
	}
	qsort(lags, (size_t)count, sizeof(*lags), compare_lags);
	printf("  %s: a delay of %.2f s, of %d pictures half are late by %+.1f .. %+.1f more\n",
	       when, delay_s, count, lags[count / 4], lags[count * 3 / 4]);
	CHECK(told == delay_s, "%s: a delay of %.2f s instead of %.2f", when, told, delay_s);
	CHECK(count > 10 && fabs(lags[count / 2]) < 3.0, "%s: late by %.1f pictures more", when,
	      lags[count / 2]);
}

/* However busy the machine becomes, the picture is as late as it was. */
static void test_load(const struct setup *setup)
{
	const bool many = getenv("FVSR_TEST_LONG") != NULL;
	struct scene scene;
	struct load load;
	double delay_s;

	open_scene(&scene, host_media("ramp", media(setup, "ramp.mkv")));
	add_filter(&scene, "upscale", NULL, 4);
	CHECK(host_wait_status(scene.filter, "Sharpening", START_S), "no start");
	delay_s = settled_delay(&scene);
	CHECK(delay_s > 0.0, "no delay");
	expect_delay(&scene, delay_s, 5.0, "before");
	load_begin(&load);
	expect_delay(&scene, delay_s, many ? 180.0 : 20.0, "under load");
	load_end(&load);
	expect_delay(&scene, delay_s, 10.0, "after it");
	close_scene(&scene);
}

static void test_two(const struct setup *setup)
{
	struct scene a, b;

	open_scene(&a, host_media("first", media(setup, "still.mkv")));
	open_scene(&b, host_media("second", media(setup, "moving.mkv")));
	add_filter(&a, "upscale 1", setup->model, 2);
	add_filter(&b, "upscale 2", setup->model, 2);
	CHECK(host_wait_status(a.filter, "Sharpening 64x64 to 128x128", START_S), "first");
	CHECK(host_wait_status(b.filter, "Sharpening 80x48 to 160x96", START_S), "second");
	expect_upscaled(a.watch, "beside another");
	remove_filter(&b);
	expect_bicubic(b.watch, "second without its filter");
	host_sleep(1.0);
	CHECK(host_wait_status(a.filter, "Sharpening", START_S), "first stopped with the second");
	expect_upscaled(a.watch, "alone");
	close_scene(&b);
	close_scene(&a);
}

/* What was shown before the first of the model's pictures is newer and stands still until then. */
static const struct view *wait_not_bicubic(struct scene *scene)
{
	const uint64_t end_ns = os_gettime_ns() + (uint64_t)(START_S * 1e9);
	const struct view *view;

	do
		view = watch_next(scene->watch, UINT64_MAX);
	while (view && is_bicubic(view) && os_gettime_ns() < end_ns);
	return CHECK(view && !is_bicubic(view), "nothing but bicubic") ? view : NULL;
}

/* Between whole scales the bundled model enlarges by the next one, and that picture is scaled. */
static void test_between(struct scene *scene, const struct view *twice)
{
	const size_t bytes = (size_t)twice->width * twice->height * 4;
	struct view expected = {.source_width = twice->width,
				.source_height = twice->height,
				.source_pixels = memcpy(malloc(bytes), twice->pixels, bytes)};
	obs_data_t *settings = int_setting("scale", 1);
	const struct view *view;

	obs_data_set_int(settings, "custom_width", 96);
	obs_data_set_int(settings, "custom_height", 96);
	change(scene, settings, 0);
	CHECK(host_wait_status(scene->filter, "Sharpening 64x64 to 96x96", START_S), "between");
	view = wait_not_bicubic(scene);
	if (view && CHECK(view->width == 96 && view->height == 96, "size")) {
		report("one and a half times", view);
		expected.width = view->width, expected.height = view->height;
		expected.pixels = view->pixels;
		report("as a scaled one of twice the size", &expected);
		CHECK(compare(&expected).mean_difference < 1.3, "not made of twice the size");
	}
	free(expected.source_pixels);
}

/* The filter as it is before anybody touches its settings. */
static void test_bundled(const struct setup *setup)
{
	struct scene scene;
	const struct view *view;

	open_scene(&scene, host_media("still", media(setup, "still.mkv")));
	add_filter(&scene, "upscale", NULL, 2);
	CHECK(host_wait_status(scene.filter, "Sharpening 64x64 to 128x128", START_S), "no start");
	CHECK(host_workers() > 0, "this test does not see the filter's threads");
	view = wait_not_bicubic(&scene);
	if (view) {
		report("the bundled model", view);
		/* It shows what the source shows, trained or not. */
		CHECK(compare(view).mean_difference < 16.0 && compare(view).mean_shift < 6.0,
		      "picture");
		test_between(&scene, view);
	}
	close_scene(&scene);
}

/* Waits until the worker must be inside the first chunk of a model that takes seconds for it. */
static void wait_computing(struct scene *scene)
{
	CHECK(host_wait_status(scene->filter, "needs 25 frames", START_S), "not running");
	host_sleep(2.0);
}

static void test_remove(const struct setup *setup)
{
	struct scene scene;
	uint64_t start_ns, frame_ns, longest_ns = 0;

	open_scene(&scene, host_media("moving", media(setup, "moving.mkv")));
	add_filter(&scene, "upscale", setup->slow_model, 4);
	wait_computing(&scene);
	start_ns = os_gettime_ns();
	remove_filter(&scene);
	printf("  removed in %.1f ms\n", (double)(os_gettime_ns() - start_ns) / 1e6);
	CHECK(os_gettime_ns() - start_ns < 500000000ULL, "removing waits for the worker");
	frame_ns = watch_next(scene.watch, UINT64_MAX)->time_ns;
	for (int i = 0; i < 20; i++) {
		const struct view *view = watch_next(scene.watch, UINT64_MAX);

		if (view && view->time_ns - frame_ns > longest_ns)
			longest_ns = view->time_ns - frame_ns;
		frame_ns = view ? view->time_ns : frame_ns;
	}
	printf("  pictures at most %.0f ms apart after that\n", (double)longest_ns / 1e6);
	CHECK(longest_ns < 1000000000ULL, "the render thread stalls");
	add_filter(&scene, "upscale again", setup->model, 2);
	CHECK(host_wait_status(scene.filter, "Sharpening 80x48 to 160x96", START_S), "again");
	close_scene(&scene);
}

static void test_shutdown(const struct setup *setup)
{
	struct scene scene;

	open_scene(&scene, host_media("moving", media(setup, "moving.mkv")));
	add_filter(&scene, "upscale", setup->slow_model, 4);
	wait_computing(&scene);
	expect_bicubic(scene.watch, "while the first chunk is computed");
	close_scene(&scene);
}

/* ---- main ---------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*run)(const struct setup *setup);
} cases[] = {
	{"picture", test_picture},   {"toggle", test_toggle},
	{"settings", test_settings}, {"source-size", test_source_size},
	{"alpha", test_alpha},       {"even", test_even},
	{"load", test_load},         {"two", test_two},
	{"remove", test_remove},     {"shutdown", test_shutdown},
	{"bundled", test_bundled},
};

static bool run_case(const struct setup *setup, const char *name)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (strcmp(cases[i].name, name) != 0)
			continue;
		if (!host_start(setup->plugin_folder))
			return false;
		cases[i].run(setup);
		host_stop();
		return true;
	}
	fprintf(stderr, "no case '%s'\n", name);
	return false;
}

int main(int argc, char **argv)
{
	struct setup setup;
	bool ok;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 6) {
		fprintf(stderr, "usage: filter-test PLUGIN_FOLDER MEDIA_FOLDER MODEL SLOW_MODEL "
				"CASE\n");
		return 2;
	}
	setup = (struct setup){argv[1], argv[2], argv[3], argv[4]};
	ok = run_case(&setup, argv[5]) && !check_failures();
	printf("%s\n", ok ? "OK" : "FAILED");
	return ok ? 0 : 1;
}
