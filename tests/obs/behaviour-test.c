/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the filter behaves towards its user, in a real libobs: what it does when it is too slow, how
 * large it is, when its dialog is refreshed, and what it says where something is missing.
 *
 *	behaviour-test PLUGIN_FOLDER MEDIA_FOLDER MODEL SLOW_MODEL CASE
 */
#include "compare.h"
#include "obs-host.h"

#include "fvsr/fvsr.h"

#include <util/platform.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_S 100.0

struct setup {
	const char *media_folder, *model, *slow_model;
};

static obs_source_t *open_media(const struct setup *setup, const char *name)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", setup->media_folder, name);
	return host_media(name, path);
}

static void set_string(obs_source_t *filter, const char *key, const char *value)
{
	obs_data_t *settings = obs_data_create();

	obs_data_set_string(settings, key, value);
	obs_source_update(filter, settings);
	obs_data_release(settings);
}

static void set_int(obs_source_t *filter, const char *key, int value)
{
	obs_data_t *settings = obs_data_create();

	obs_data_set_int(settings, key, value);
	obs_source_update(filter, settings);
	obs_data_release(settings);
}

static void set_bool(obs_source_t *filter, const char *key, bool value)
{
	obs_data_t *settings = obs_data_create();

	obs_data_set_bool(settings, key, value);
	obs_source_update(filter, settings);
	obs_data_release(settings);
}

static bool status_has(obs_source_t *filter, const char *text)
{
	char *status = host_status(filter);
	const bool has = strstr(status, text) != NULL;

	bfree(status);
	return has;
}

/* ---- the ladder ---------------------------------------------------------------------------- */

/*
 * No machine here can keep up with this model. The filter leaves it for the bundled one and says
 * so, or goes on down where that is too slow, too. All the while pictures keep their size and are
 * not black.
 */
static void test_ladder(const struct setup *setup)
{
	obs_source_t *source = open_media(setup, "moving.mkv");
	struct watch *watch = watch_start(source);
	obs_source_t *filter = host_create_filter("upscale", setup->slow_model, 4, NULL);
	const uint64_t start_ns = os_gettime_ns();
	bool down = false;

	CHECK(watch_next(watch, 0) != NULL, "nothing");
	set_int(filter, "min_fps", 12);
	watch_begin_change(watch);
	obs_source_filter_add(source, filter);
	watch_end_change(watch, filter, 4);
	CHECK(host_wait_status(filter, "Step: Full quality", PATIENCE_S), "it starts elsewhere");
	while (!down && os_gettime_ns() - start_ns < (uint64_t)(PATIENCE_S * 1e9)) {
		down = status_has(filter, "Step: Use the small model") ||
		       status_has(filter, "Step: Fewer frames") ||
		       status_has(filter, "too slow or too busy");
		host_sleep(0.05);
	}
	CHECK(down, "it stays with a model that is too slow");
	printf("  down after %.1f s\n", (double)(os_gettime_ns() - start_ns) / 1e9);
	/* The worker first ends what it is doing, which takes the plain backend a while. */
	while (status_has(filter, "slow.json") && !status_has(filter, "too slow or too busy") &&
	       os_gettime_ns() - start_ns < (uint64_t)(PATIENCE_S * 1e9))
		host_sleep(0.05);
	CHECK(!status_has(filter, "slow.json") || status_has(filter, "too slow or too busy"),
	      "it still computes with the slow model");

	set_string(filter, "step", "small");
	CHECK(host_wait_status(filter, "Step: Use the small model (by choice)", PATIENCE_S),
	      "not pinned");
	CHECK(host_wait_status(filter, "FlashVSR small", PATIENCE_S), "another model");
	host_sleep(1.0);
	CHECK(watch_violations(watch) == 0, "%u pictures were wrong", watch_violations(watch));
	watch_stop(watch);
	obs_source_release(filter);
	obs_source_release(source);
}

/* ---- sizes --------------------------------------------------------------------------------- */

static bool wait_size(obs_source_t *source, uint32_t width, uint32_t height)
{
	for (int i = 0; i < 250; i++) {
		if (obs_source_get_width(source) == width &&
		    obs_source_get_height(source) == height)
			return true;
		host_sleep(0.02);
	}
	fprintf(stderr, "%ux%u instead of %ux%u\n", obs_source_get_width(source),
		obs_source_get_height(source), width, height);
	return false;
}

/* The canvas here is 320x240, the pictures 64x64 and 80x48. */
static void test_canvas(const struct setup *setup)
{
	obs_source_t *source = open_media(setup, "still.mkv");
	obs_source_t *filter = host_create_filter("upscale", setup->model, 0, "full");
	char path[1024];

	obs_source_inc_active(source);
	obs_source_filter_add(source, filter);
	CHECK(wait_size(source, 240, 240), "a square on the canvas");
	snprintf(path, sizeof(path), "%s/moving.mkv", setup->media_folder);
	host_media_set_path(source, path);
	CHECK(wait_size(source, 320, 192), "a wide one on the canvas");
	set_int(filter, "scale", 1);
	set_int(filter, "custom_width", 200);
	set_int(filter, "custom_height", 200);
	CHECK(wait_size(source, 200, 120), "in the user's box");
	set_int(filter, "custom_height", 48);
	CHECK(wait_size(source, 80, 48), "large enough already");
	obs_source_dec_active(source);
	obs_source_release(filter);
	obs_source_release(source);
}

/* ---- what the status says is true ------------------------------------------------------------ */

static bool is_red(obs_source_t *filter)
{
	obs_properties_t *props = obs_source_properties(filter);
	const bool red = obs_property_text_info_type(obs_properties_get(props, "status")) ==
			 OBS_TEXT_INFO_ERROR;

	obs_properties_destroy(props);
	return red;
}

/* Watches for two seconds that the status never says 'text'. */
static void expect_never(obs_source_t *filter, const char *text, const char *when)
{
	bool said = false;

	for (int i = 0; i < 200 && !said; i++) {
		said = status_has(filter, text);
		host_sleep(0.01);
	}
	CHECK(!said, "%s it says \"%s\"", when, text);
}

static void stand_still(void *opaque)
{
	(void)opaque;
	host_sleep(0.8);
}

/*
 * A source that is shown is not called hidden: neither before its first picture, nor when OBS
 * stands still for a moment.
 */
static void test_truth(const struct setup *setup)
{
	obs_source_t *source = open_media(setup, "still.mkv");
	struct watch *watch = watch_start(source);
	obs_source_t *filter = host_create_filter("upscale", setup->model, 2, "full");

	CHECK(watch_next(watch, 0) != NULL, "nothing");
	CHECK(!status_has(filter, "not shown"), "hidden before it could be shown");
	watch_begin_change(watch);
	obs_source_filter_add(source, filter);
	watch_end_change(watch, filter, 2);
	expect_never(filter, "not shown", "added to a source that is shown,");
	CHECK(host_wait_status(filter, "Sharpening", PATIENCE_S), "no start");
	for (int i = 0; i < 3; i++) {
		obs_queue_task(OBS_TASK_GRAPHICS, stand_still, NULL, true);
		expect_never(filter, "not shown", "after a lag");
		CHECK(!status_has(filter, "Getting ready"), "it starts over after a lag");
	}

	set_string(filter, "model_file", "");
	CHECK(host_wait_status(filter, "No model file is chosen yet", PATIENCE_S), "not said");
	CHECK(host_wait_status(filter, "Sharpening", PATIENCE_S), "it does not go on");
	CHECK(host_wait_status(filter, "FlashVSR small", PATIENCE_S), "with another model");
	CHECK(!is_red(filter), "red, though nothing is wrong");

	set_int(filter, "free_after_s", 0);
	set_string(filter, "step", "bicubic");
	for (int i = 0; i < 500 && !host_log_has("memory freed"); i++)
		host_sleep(0.02);
	CHECK(host_log_has("memory freed"), "memory is not freed");
	CHECK(!host_log_has("not shown"), "shown all the time, and the log says it was not");
	CHECK(watch_violations(watch) == 0, "%u pictures were wrong", watch_violations(watch));
	watch_stop(watch);
	obs_source_release(filter);
	obs_source_release(source);
}

/* ---- the dialog ---------------------------------------------------------------------------- */

static void count_signal(void *opaque, calldata_t *data)
{
	(void)data;
	atomic_fetch_add((atomic_int *)opaque, 1);
}

static int count_for(atomic_int *count, double seconds)
{
	const int before = atomic_load(count);

	host_sleep(seconds);
	return atomic_load(count) - before;
}

static bool has_property(obs_properties_t *props, const char *name, bool visible)
{
	obs_property_t *property = obs_properties_get(props, name);

	return property && obs_property_visible(property) == visible;
}

/* The dialog shows the settings that the choices call for, and every choice has an explanation. */
static void test_fields(obs_source_t *filter)
{
	obs_properties_t *props = obs_source_properties(filter);
	obs_data_t *settings = obs_source_get_settings(filter);

	obs_data_set_bool(settings, "details", false);
	obs_data_set_bool(settings, "advanced", false);
	obs_data_set_string(settings, "preset", "balanced");
	obs_data_set_int(settings, "scale", 2);
	obs_properties_apply_settings(props, settings);
	CHECK(has_property(props, "quality", false), "advanced settings from the start");
	CHECK(has_property(props, "custom_width", false), "a size that is not asked for");
	CHECK(has_property(props, "figures", false), "figures from the start");
	CHECK(has_property(props, "preset", true), "no settings");
	obs_data_set_bool(settings, "advanced", true);
	obs_data_set_string(settings, "preset", "custom");
	obs_data_set_int(settings, "scale", 1);
	obs_data_set_string(settings, "model", "file");
	obs_properties_apply_settings(props, settings);
	CHECK(has_property(props, "quality", true), "no advanced settings");
	CHECK(has_property(props, "custom_width", true), "no size to choose");
	CHECK(has_property(props, "sparse_ratio", true), "nothing to choose in custom quality");
	CHECK(has_property(props, "store_import", true), "no way to import");
	CHECK(has_property(props, "store_cancel", false), "something to cancel");
	for (obs_property_t *p = obs_properties_first(props); p; obs_property_next(&p))
		CHECK(obs_property_description(p), "'%s' has no text", obs_property_name(p));
	obs_data_set_bool(settings, "details", true);
	obs_properties_apply_settings(props, settings);
	CHECK(has_property(props, "figures", true) && has_property(props, "live_status", true),
	      "no figures among the details");
	/* The figures are rebuilt every second, which would close a list. */
	for (obs_property_t *p = obs_properties_first(props); p; obs_property_next(&p))
		CHECK(!obs_property_visible(p) || obs_property_get_type(p) == OBS_PROPERTY_BOOL ||
			      obs_property_get_type(p) == OBS_PROPERTY_BUTTON ||
			      obs_property_get_type(p) == OBS_PROPERTY_TEXT,
		      "'%s' stands beside live figures", obs_property_name(p));
	obs_data_release(settings);
	obs_properties_destroy(props);
}

static int count_lines(obs_properties_t *props, const char *name)
{
	const char *text = obs_property_description(obs_properties_get(props, name));
	int lines = 1;

	for (; text && *text; text++)
		lines += *text == '\n';
	return lines;
}

/* Whatever it tells, the dialog is as high as before, so that nothing moves under the mouse. */
static void expect_height(obs_source_t *filter, const char *when)
{
	obs_properties_t *props = obs_source_properties(filter);
	static const char *const first[] = {"status", "remedy", "details"};
	obs_property_t *p = obs_properties_first(props);

	for (int i = 0; i < 3; i++, obs_property_next(&p))
		CHECK(strcmp(obs_property_name(p), first[i]) == 0 && obs_property_visible(p),
		      "%s: '%s' where '%s' should be", when, obs_property_name(p), first[i]);
	CHECK(count_lines(props, "status") == 2, "%s: %d lines", when,
	      count_lines(props, "status"));
	CHECK(count_lines(props, "figures") == 8, "%s: %d figures", when,
	      count_lines(props, "figures"));
	obs_properties_destroy(props);
}

/* Returns whether the first button can be clicked, and whether it says 'text'. */
static bool offers(obs_source_t *filter, const char *text)
{
	obs_properties_t *props = obs_source_properties(filter);
	obs_property_t *button = obs_properties_get(props, "remedy");
	const bool is = obs_property_enabled(button) &&
			strstr(obs_property_description(button), text) != NULL;

	if (!is)
		printf("  the button says \"%s\"\n", obs_property_description(button));
	obs_properties_destroy(props);
	return is;
}

static void click_remedy(obs_source_t *filter)
{
	obs_properties_t *props = obs_source_properties(filter);

	obs_property_button_clicked(obs_properties_get(props, "remedy"), filter);
	obs_properties_destroy(props);
}

/* Where something is wrong, the first lines say what, and the button does what helps. */
static void test_remedy(const struct setup *setup)
{
	obs_source_t *source = open_media(setup, "still.mkv");
	obs_source_t *filter = host_create_filter("upscale", setup->model, 2, "full");
	struct watch *watch = watch_start(source);
	char *status;

	CHECK(watch_next(watch, 0) != NULL, "nothing");
	expect_height(filter, "before all");
	watch_begin_change(watch);
	obs_source_filter_add(source, filter);
	watch_end_change(watch, filter, 0);
	CHECK(host_wait_status(filter, "Sharpening 64x64 to 128x128, ", PATIENCE_S), "no start");
	expect_height(filter, "at work");
	CHECK(!offers(filter, ""), "a remedy, though nothing is wrong");

	set_string(filter, "step", "bicubic");
	CHECK(host_wait_status(filter, "Not sharpened, as you chose", PATIENCE_S), "pinned");
	expect_height(filter, "pinned");
	CHECK(offers(filter, "Sharpen again"), "no way back");
	click_remedy(filter);
	CHECK(host_wait_status(filter, "Sharpening", PATIENCE_S), "it does not sharpen again");

	set_string(filter, "model_file", "/nowhere/none.safetensors");
	CHECK(host_wait_status(filter, "/nowhere/none.safetensors", PATIENCE_S), "no reason");
	expect_height(filter, "failed");
	CHECK(offers(filter, "Use the small model"), "nothing in its place");
	click_remedy(filter);
	CHECK(host_wait_status(filter, "FlashVSR small", PATIENCE_S), "not the small model");
	CHECK(host_wait_status(filter, "Sharpening", PATIENCE_S), "it does not sharpen");

	set_string(filter, "step", "full");
	set_int(filter, "min_fps", 60);
	set_string(filter, "model_file", setup->slow_model);
	set_string(filter, "model", "file");
	CHECK(host_wait_status(filter, "too slow or too busy", PATIENCE_S), "it keeps up");
	expect_height(filter, "too slow");
	status = host_status(filter);
	printf("  %s\n", status);
	bfree(status);
	/* How slow depends on the machine: so few frames that another model helps more, or not. */
	CHECK(offers(filter, "Allow ") || offers(filter, "Use the small model"), "nothing helps");
	click_remedy(filter);
	CHECK(host_wait_status(filter, "Sharpening", PATIENCE_S), "that did not help");
	watch_stop(watch);
	obs_source_release(filter);
	obs_source_release(source);
}

static void test_dialog(const struct setup *setup)
{
	obs_source_t *source = open_media(setup, "still.mkv");
	obs_source_t *filter = host_create_filter("upscale", setup->model, 2, "full");
	signal_handler_t *signals = obs_source_get_signal_handler(filter);
	struct watch *watch = watch_start(source);
	obs_properties_t *props;
	atomic_int count = 0;

	CHECK(watch_next(watch, 0) != NULL, "nothing");
	signal_handler_connect(signals, "update_properties", count_signal, &count);
	watch_begin_change(watch);
	obs_source_filter_add(source, filter);
	watch_end_change(watch, filter, 2);
	CHECK(host_wait_status(filter, "Sharpening", PATIENCE_S), "no start");
	CHECK(atomic_load(&count) == 0, "%d refreshes of a dialog that is not open",
	      atomic_load(&count));

	/* Figures change with every chunk, and no list closes because of them. */
	props = obs_source_properties(filter);
	set_bool(filter, "live_status", true);
	host_sleep(4.0);
	CHECK(count_for(&count, 5.0) == 0, "rebuilt for figures that are not shown");
	set_string(filter, "step", "bicubic");
	CHECK(count_for(&count, 2.0) == 0, "refreshed while the user changes settings");
	CHECK(count_for(&count, 4.0) == 1, "the change of phase is not shown, once");
	set_bool(filter, "details", true);
	CHECK(count_for(&count, 2.0) == 0, "refreshed while the user changes settings");
	host_sleep(2.5);
	CHECK(count_for(&count, 3.5) >= 2, "no live figures");
	obs_properties_destroy(props);
	host_sleep(0.2);
	CHECK(count_for(&count, 2.0) == 0, "refreshed after it was closed");
	test_fields(filter);
	signal_handler_disconnect(signals, "update_properties", count_signal, &count);
	CHECK(watch_violations(watch) == 0, "%u pictures were wrong", watch_violations(watch));
	watch_stop(watch);
	obs_source_release(filter);
	obs_source_release(source);
}

/* ---- where something is missing ------------------------------------------------------------ */

/* Each backend that cannot be used here is in the list, cannot be chosen, and has a reason. */
static void test_backends(obs_source_t *filter)
{
	obs_properties_t *props = obs_source_properties(filter);
	obs_property_t *list = obs_properties_get(props, "backend");
	struct fvsr_backend_info info;

	for (unsigned i = 0; fvsr_backend_describe(i, &info) == FVSR_OK; i++) {
		const char *text = obs_property_list_item_name(list, i + 1);

		CHECK(obs_property_list_item_disabled(list, i + 1) == !info.available, "%s",
		      info.name);
		CHECK(text && strstr(text, info.available ? info.name : info.reason), "'%s'", text);
	}
	obs_properties_destroy(props);
}

/* Where PLUGIN_FOLDER has no model, the filter is there all the same and says what is missing. */
static void test_no_model(const struct setup *setup)
{
	obs_source_t *source = open_media(setup, "still.mkv");
	obs_source_t *filter = host_create_filter("upscale", NULL, 2, NULL);
	struct watch *watch = watch_start(source);
	char *status;

	CHECK(watch_next(watch, 0) != NULL, "nothing");
	watch_begin_change(watch);
	obs_source_filter_add(source, filter);
	watch_end_change(watch, filter, 2);
	CHECK(host_wait_status(filter, "The small model that is part of the plugin is missing",
			       PATIENCE_S),
	      "no reason");
	CHECK(status_has(filter, "/data/models/bundled.safetensors"), "not where it should be");
	status = host_status(filter);
	printf("  %s\n", status);
	bfree(status);
	expect_bicubic(watch, "without a model");
	test_backends(filter);
	CHECK(watch_violations(watch) == 0, "%u pictures were wrong", watch_violations(watch));
	watch_stop(watch);
	obs_source_release(filter);
	obs_source_release(source);
}

int main(int argc, char **argv)
{
	struct setup setup;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 6)
		return 2;
	setup = (struct setup){argv[2], argv[3], argv[4]};
	if (!host_start(argv[1]))
		return 1;
	if (strcmp(argv[5], "ladder") == 0)
		test_ladder(&setup);
	else if (strcmp(argv[5], "truth") == 0)
		test_truth(&setup);
	else if (strcmp(argv[5], "remedy") == 0)
		test_remedy(&setup);
	else if (strcmp(argv[5], "canvas") == 0)
		test_canvas(&setup);
	else if (strcmp(argv[5], "no-model") == 0)
		test_no_model(&setup);
	else
		test_dialog(&setup);
	host_stop();
	return check_result();
}
