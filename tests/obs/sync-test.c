/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records a clip of flashes and beeps through OBS with the filter on it, while things happen:
 *
 *	sync-test PLUGIN_FOLDER MODEL SLOW_MODEL FPS CLIP RECORDING EVENT...
 *
 * An event is one of 'steady', 'pause', 'seek', 'back', 'scene', 'overload', 'busy' and 'soak'
 * (below), and has a number of seconds behind a colon: how long it lasts. After each, when the
 * filter upscales again, some seconds are left as they are: a line "window NAME FROM TO LAGGED" on
 * stdout says where in the recording, and how many pictures OBS left out there, for sync-check.py.
 * With FVSR_SYNC_CONTROL set some seconds without the filter follow.
 */
#include "obs-host.h"

#include <media-io/audio-io.h>
#include <util/platform.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE      128 /* of the canvas: the clip's, twice */
#define START_S   100.0
#define WINDOW_S  3.2 /* three flashes, or four */
#define CONTROL_S 2.2
#define SPINNERS  12
#define MINUTE_S  60.0
#define STEADY_S  3.0
#define POLL_S    0.1
#define SETTLE_S  2.0 /* more than the delay: what was heard before an event is through */

struct test {
	const char *model, *slow_model;
	obs_source_t *media, *filter;
	obs_scene_t *scene, *other_scene;
	obs_output_t *output;
	obs_encoder_t *video_encoder, *audio_encoder;
	uint64_t start_ns;
	int fps;
};

static double now_s(const struct test *test)
{
	return (double)(os_gettime_ns() - test->start_ns) / 1e9;
}

/* ---- OBS ----------------------------------------------------------------------------------- */

static void set_video(uint32_t fps)
{
	struct obs_video_info info;

	if (!CHECK(obs_get_video_info(&info), "no video"))
		return;
	info.fps_num = fps;
	info.base_width = info.base_height = SIDE;
	info.output_width = info.output_height = SIDE;
	CHECK(obs_reset_video(&info) == OBS_VIDEO_SUCCESS, "%u frames/s", fps);
}

static void show(obs_scene_t *scene)
{
	obs_set_output_source(0, scene ? obs_scene_get_source(scene) : NULL);
}

static void open_scenes(struct test *test, const char *clip)
{
	const struct vec2 all = {.x = SIDE, .y = SIDE};
	obs_sceneitem_t *item;

	test->scene = obs_scene_create("clip");
	test->other_scene = obs_scene_create("nothing");
	test->media = host_media("media", clip);
	test->filter = host_create_filter("upscale", test->model, 2, NULL);
	item = obs_scene_add(test->scene, test->media);
	obs_sceneitem_set_bounds_type(item, OBS_BOUNDS_STRETCH);
	obs_sceneitem_set_bounds(item, &all);
	obs_source_filter_add(test->media, test->filter);
	show(test->scene);
}

/* Since version 32 libobs keeps a scene that has a name until it is removed. */
static void close_scene(obs_scene_t *scene)
{
	obs_source_remove(obs_scene_get_source(scene));
	obs_scene_release(scene);
}

static void close_scenes(struct test *test)
{
	show(NULL);
	obs_source_release(test->filter);
	obs_source_release(test->media);
	close_scene(test->scene);
	close_scene(test->other_scene);
}

/* As OBS itself records by default. */
static bool start_recording(struct test *test, const char *path)
{
	obs_data_t *settings = obs_data_create();

	obs_data_set_string(settings, "path", path);
	test->output = obs_output_create("ffmpeg_muxer", "recording", settings, NULL);
	obs_data_release(settings);
	settings = obs_data_create();
	obs_data_set_string(settings, "rate_control", "CRF");
	obs_data_set_int(settings, "crf", 10);
	obs_data_set_string(settings, "preset", "ultrafast");
	test->video_encoder = obs_video_encoder_create("obs_x264", "video", settings, NULL);
	test->audio_encoder = obs_audio_encoder_create("ffmpeg_aac", "audio", NULL, 0, NULL);
	obs_data_release(settings);
	obs_encoder_set_video(test->video_encoder, obs_get_video());
	obs_encoder_set_audio(test->audio_encoder, obs_get_audio());
	obs_output_set_video_encoder(test->output, test->video_encoder);
	obs_output_set_audio_encoder(test->output, test->audio_encoder, 0);
	if (!CHECK(obs_output_start(test->output), "%s", obs_output_get_last_error(test->output)))
		return false;
	while (!obs_output_get_total_frames(test->output))
		os_sleep_ms(2);
	test->start_ns = os_gettime_ns();
	return true;
}

static void stop_recording(struct test *test)
{
	obs_output_stop(test->output);
	for (int i = 0; i < 1000 && obs_output_active(test->output); i++)
		os_sleep_ms(10);
	CHECK(!obs_output_active(test->output), "the recording does not stop");
	printf("lagged %u of %u pictures\n", obs_get_lagged_frames(), obs_get_total_frames());
	obs_output_release(test->output);
	obs_encoder_release(test->video_encoder);
	obs_encoder_release(test->audio_encoder);
}

static void set_model(struct test *test, const char *model)
{
	obs_data_t *settings = obs_data_create();

	obs_data_set_string(settings, "model_file", model);
	obs_source_update(test->filter, settings);
	obs_data_release(settings);
}

/* ---- events -------------------------------------------------------------------------------- */

/* Nothing. */
static void steady(struct test *test, double seconds)
{
	(void)test;
	host_sleep(seconds);
}

static void pause_media(struct test *test, double seconds)
{
	obs_source_media_play_pause(test->media, true);
	host_sleep(seconds);
	obs_source_media_play_pause(test->media, false);
}

static void seek(struct test *test, double seconds)
{
	obs_source_media_set_time(test->media, obs_source_media_get_time(test->media) + 10500);
	host_sleep(seconds);
}

static void seek_back(struct test *test, double seconds)
{
	obs_source_media_set_time(test->media, 3300);
	host_sleep(seconds);
}

static void switch_scene(struct test *test, double seconds)
{
	show(test->other_scene);
	host_sleep(seconds);
	show(test->scene);
}

static void let_pass(struct test *test, const char *kind, const char *event, double seconds)
{
	const double from_s = now_s(test);
	const uint32_t lagged = obs_get_lagged_frames();

	host_sleep(seconds);
	printf("%s %s %.2f %.2f %u\n", kind, event, from_s, now_s(test),
	       obs_get_lagged_frames() - lagged);
}

/* Of a status, what changes when the ladder does: the delay and the step. */
static void read_step(obs_source_t *filter, char *text, size_t size)
{
	char *status = host_status(filter), *line = strstr(status, "The picture is ");
	const char *step = strstr(status, "Step: ");

	if (line)
		line[strcspn(line, "\n")] = 0;
	snprintf(text, size, "%s %.*s", line ? line : "", step ? (int)strcspn(step, "\n") : 0,
		 step ? step : "");
	bfree(status);
}

/*
 * The ladder goes down first, and each other delay moves the picture once: until neither has
 * changed for some seconds. It climbs again after ten at the earliest.
 */
static void wait_steady(obs_source_t *filter)
{
	char before[160] = "", now[160];
	double waited_s = 0, steady_s = 0;

	while (steady_s < STEADY_S && waited_s < START_S) {
		host_sleep(POLL_S);
		waited_s += POLL_S;
		read_step(filter, now, sizeof(now));
		steady_s = strcmp(now, before) == 0 && strstr(now, "picture is") ? steady_s + POLL_S
										 : 0;
		snprintf(before, sizeof(before), "%s", now);
	}
	CHECK(steady_s >= STEADY_S, "the ladder finds no rest: %s", now);
}

/* A model that cannot keep up: bicubic, and as soon as possible upscaled again. */
static void overload(struct test *test, double seconds)
{
	set_model(test, test->slow_model);
	wait_steady(test->filter);
	let_pass(test, "window", "in-overload", seconds);
	set_model(test, test->model);
	/* Until the change is noticed, the status still tells of the old model. */
	CHECK(host_wait_status(test->filter, "until then", START_S), "the model does not change");
}

static void *spin(void *opaque)
{
	const atomic_bool *stop = opaque;

	while (!atomic_load(stop))
		;
	return NULL;
}

/* Others want the processors, all of them and more. */
static void busy(struct test *test, double seconds)
{
	pthread_t threads[SPINNERS];
	atomic_bool stop = false;
	int count = 0;

	(void)test;
	while (count < SPINNERS && pthread_create(&threads[count], NULL, spin, &stop) == 0)
		count++;
	host_sleep(seconds);
	atomic_store(&stop, true);
	while (count)
		pthread_join(threads[--count], NULL);
}

/* Nothing happens for long; every minute there is a window, and a line "memory SECONDS BYTES". */
static void soak(struct test *test, double seconds)
{
	const double began_s = now_s(test);
	char name[32];

	for (int minute = 1; now_s(test) - began_s < seconds; minute++) {
		snprintf(name, sizeof(name), "minute-%d", minute);
		let_pass(test, "window", name, WINDOW_S);
		host_sleep(MINUTE_S - WINDOW_S);
		printf("memory %.0f %llu\n", now_s(test) - began_s,
		       (unsigned long long)os_get_proc_resident_size());
	}
}

static const struct {
	const char *name;
	void (*run)(struct test *test, double seconds);
} events[] = {
	{"steady", steady},      {"pause", pause_media}, {"seek", seek}, {"back", seek_back},
	{"scene", switch_scene}, {"overload", overload}, {"busy", busy}, {"soak", soak},
};

static void wait_upscaling(struct test *test, const char *event)
{
	char rate[32];

	CHECK(host_wait_status(test->filter, "Sharpening", START_S), "%s", event);
	/* After a lag it may do with fewer pictures for a while. */
	snprintf(rate, sizeof(rate), " %d frames/s,", test->fps);
	CHECK(host_wait_status(test->filter, rate, START_S), "%s", event);
	host_sleep(SETTLE_S);
}

/*
 * For comparison, the same source as OBS shows it without the filter: libobs itself can show a
 * media source's pictures up to a tenth of a second later than its sound, and differently after
 * each pause.
 */
static void record_control(struct test *test, const char *event)
{
	if (!getenv("FVSR_SYNC_CONTROL"))
		return;
	obs_source_set_enabled(test->filter, false);
	host_sleep(0.5);
	let_pass(test, "control", event, CONTROL_S);
	obs_source_set_enabled(test->filter, true);
}

/* "NAME:SECONDS" */
static bool run_event(struct test *test, const char *event)
{
	const char *colon = strchr(event, ':');
	size_t i = 0;

	while (colon && i < sizeof(events) / sizeof(*events) &&
	       (strlen(events[i].name) != (size_t)(colon - event) ||
		strncmp(events[i].name, event, (size_t)(colon - event)) != 0))
		i++;
	if (!CHECK(colon && i < sizeof(events) / sizeof(*events), "event %s", event))
		return false;
	wait_upscaling(test, "before");
	printf("event %s %.2f\n", event, now_s(test));
	events[i].run(test, atof(colon + 1));
	wait_upscaling(test, event);
	let_pass(test, "window", event, WINDOW_S);
	CHECK(host_wait_status(test->filter, "Sharpening", 0.0), "not upscaling after %s", event);
	record_control(test, event);
	return true;
}

int main(int argc, char **argv)
{
	struct test test = {0};
	bool ok = false;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 8) {
		fprintf(stderr, "usage: sync-test PLUGIN_FOLDER MODEL SLOW_MODEL FPS CLIP "
				"RECORDING EVENT...\n");
		return 2;
	}
	if (!host_start(argv[1]) || !host_load_module("obs-x264"))
		return 1;
	test.model = argv[2];
	test.slow_model = argv[3];
	test.fps = atoi(argv[4]);
	set_video((uint32_t)test.fps);
	open_scenes(&test, argv[5]);
	host_sleep(SETTLE_S); /* OBS finds out how much sound it must buffer */
	if (start_recording(&test, argv[6])) {
		ok = true;
		for (int i = 7; ok && i < argc; i++)
			ok = run_event(&test, argv[i]);
		stop_recording(&test);
	}
	close_scenes(&test);
	host_stop();
	return ok && !check_failures() ? 0 : 1;
}
