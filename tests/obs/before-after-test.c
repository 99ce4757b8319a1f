/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comparing before and after in a real libobs, pixel by pixel. A picture with the line must consist
 * of two others, drawn in the same moment with the line at the left and at the right end; of these
 * one is what bicubic scaling makes of the source's picture of that time, and the other upscaled.
 *
 *	before-after-test PLUGIN_FOLDER MEDIA_FOLDER MODEL SLOW_MODEL CASE
 */
#include "obs-host.h"

#include <graphics/graphics.h>
#include <util/platform.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_S 100.0
#define SIDE       128 /* of the output */
#define TOP        24  /* so many rows may have a label; it is 16 rows high, 4 from the border */
#define DOT        250 /* levels from here on are a label's or the line's: the media are darker */

static const char *media_folder, *model;

/* ---- pictures ------------------------------------------------------------------------------ */

struct shot {
	uint8_t pixels[SIDE][SIDE][4];
};

struct shots {
	struct shot before, after, line, plain;
	bool ok;
};

static bool read_target(struct shot *shot, gs_texrender_t *target)
{
	gs_stagesurf_t *surface = gs_stagesurface_create(SIDE, SIDE, GS_RGBA);
	uint32_t linesize;
	uint8_t *data;
	bool ok;

	gs_stage_texture(surface, gs_texrender_get_texture(target));
	ok = gs_stagesurface_map(surface, &data, &linesize);
	for (uint32_t y = 0; ok && y < SIDE; y++)
		memcpy(shot->pixels[y], data + (size_t)y * linesize, sizeof(shot->pixels[y]));
	if (ok)
		gs_stagesurface_unmap(surface);
	gs_stagesurface_destroy(surface);
	return ok;
}

static bool take_shot(struct shot *shot, obs_source_t *source)
{
	gs_texrender_t *target;
	struct vec4 black;
	bool ok;

	obs_enter_graphics();
	target = gs_texrender_create(GS_RGBA, GS_ZS_NONE);
	ok = obs_source_get_width(source) == SIDE && gs_texrender_begin(target, SIDE, SIDE);
	if (ok) {
		vec4_zero(&black);
		gs_clear(GS_CLEAR_COLOR, &black, 0.0f, 0);
		gs_ortho(0.0f, SIDE, 0.0f, SIDE, -100.0f, 100.0f);
		gs_blend_state_push();
		gs_blend_function(GS_BLEND_ONE, GS_BLEND_ZERO);
		obs_source_video_render(source);
		gs_blend_state_pop();
		gs_texrender_end(target);
		ok = read_target(shot, target);
	}
	gs_texrender_destroy(target);
	obs_leave_graphics();
	return ok;
}

/* ---- hotkeys ------------------------------------------------------------------------------- */

struct key_search {
	const char *name;
	obs_hotkey_id id;
};

static bool match_key(void *opaque, obs_hotkey_id id, obs_hotkey_t *key)
{
	struct key_search *search = opaque;

	if (strcmp(obs_hotkey_get_name(key), search->name) == 0)
		search->id = id;
	return true;
}

static void press(const char *name, bool pressed)
{
	struct key_search search = {name, OBS_INVALID_HOTKEY_ID};

	obs_enum_hotkeys(match_key, &search);
	CHECK(search.id != OBS_INVALID_HOTKEY_ID, "no hotkey '%s'", name);
	obs_hotkey_trigger_routed_callback(search.id, pressed);
}

static void press_often(const char *name, int times)
{
	for (int i = 0; i < times; i++) {
		press(name, true);
		press(name, false);
	}
}

/* ---- a source with its filter -------------------------------------------------------------- */

struct stage {
	obs_source_t *source, *filter;
	struct shots shots;
};

static void set_string(struct stage *stage, const char *key, const char *value)
{
	obs_data_t *settings = obs_data_create();

	obs_data_set_string(settings, key, value);
	obs_source_update(stage->filter, settings);
	obs_data_release(settings);
	host_sleep(0.2);
}

static void open_stage(struct stage *stage, const char *file)
{
	obs_data_t *settings = obs_data_create();
	char path[1024];

	memset(stage, 0, sizeof(*stage));
	snprintf(path, sizeof(path), "%s/%s", media_folder, file);
	obs_data_set_string(settings, "local_file", path);
	obs_data_set_bool(settings, "looping", true);
	obs_data_set_bool(settings, "hw_decode", false);
	stage->source = obs_source_create("ffmpeg_source", "video", settings, NULL);
	obs_data_release(settings);
	stage->filter = host_create_filter("upscale", model, 2, "full");
	obs_source_filter_add(stage->source, stage->filter);
	obs_set_output_source(0, stage->source);
	obs_hotkey_enable_callback_rerouting(true);
	CHECK(host_wait_status(stage->filter, "Sharpening 64x64 to 128x128", PATIENCE_S),
	      "no start");
}

static void close_stage(struct stage *stage)
{
	obs_set_output_source(0, NULL);
	obs_source_release(stage->filter);
	obs_source_release(stage->source);
}

static bool is_mode(struct stage *stage, const char *mode)
{
	obs_data_t *settings = obs_source_get_settings(stage->filter);
	const bool is = strcmp(obs_data_get_string(settings, "compare"), mode) == 0;

	obs_data_release(settings);
	return is;
}

/* On the graphics thread between two pictures, so that all shots are of one moment. */
static void shoot_line(void *opaque)
{
	struct stage *stage = opaque;
	struct shots *shots = &stage->shots;

	press_often("flashvsr_compare_left", 10);
	shots->ok = take_shot(&shots->after, stage->source);
	press_often("flashvsr_compare_right", 20);
	shots->ok &= take_shot(&shots->before, stage->source);
	press_often("flashvsr_compare_left", 10);
	shots->ok &= take_shot(&shots->line, stage->source);
}

static void shoot_held(void *opaque)
{
	struct stage *stage = opaque;
	struct shots *shots = &stage->shots;

	shots->ok = take_shot(&shots->after, stage->source);
	press("flashvsr_compare_hold", true);
	shots->ok &= take_shot(&shots->before, stage->source);
	press("flashvsr_compare_hold", false);
	shots->ok &= take_shot(&shots->line, stage->source);
}

static void shoot_plain(void *opaque)
{
	struct stage *stage = opaque;

	stage->shots.ok = take_shot(&stage->shots.plain, stage->source);
}

static bool shoot(struct stage *stage, void (*how)(void *))
{
	obs_queue_task(OBS_TASK_GRAPHICS, how, stage, true);
	return CHECK(stage->shots.ok, "no picture");
}

/* ---- judging ------------------------------------------------------------------------------- */

/* Returns how many pixels differ in these columns below the labels. */
static int differing(const struct shot *a, const struct shot *b, int left, int right)
{
	int count = 0;

	for (int y = TOP; y < SIDE; y++)
		for (int x = left; x < right; x++)
			count += memcmp(a->pixels[y][x], b->pixels[y][x], 4) != 0;
	return count;
}

/* Returns how many dots a label has in these columns. */
static int dots(const struct shot *shot, int left, int right)
{
	int count = 0;

	for (int y = 0; y < TOP; y++)
		for (int x = left; x < right; x++)
			count += shot->pixels[y][x][0] >= DOT;
	return count;
}

/* Returns the mean of a picture below the labels, as the frame of ramp.mkv that has it. */
static double ramp_frame(const struct shot *shot)
{
	double sum = 0.0;

	for (int y = TOP; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++)
			sum += shot->pixels[y][x][0] + shot->pixels[y][x][1] +
			       shot->pixels[y][x][2];
	return sum / (3.0 * SIDE * (SIDE - TOP));
}

/* The line is three pixels wide at this size, around the middle. */
static void check_line(const struct shots *shots)
{
	CHECK(differing(&shots->line, &shots->before, 0, SIDE / 2 - 1) == 0, "left of the line");
	CHECK(differing(&shots->line, &shots->after, SIDE / 2 + 2, SIDE) == 0, "right of the line");
	for (int y = 0; y < SIDE; y++)
		CHECK(shots->line.pixels[y][SIDE / 2][0] == 255 &&
			      shots->line.pixels[y][SIDE / 2 - 1][0] == 0 &&
			      shots->line.pixels[y][SIDE / 2 + 1][0] == 0,
		      "row %d of the line", y);
	CHECK(differing(&shots->before, &shots->after, 0, SIDE) > SIDE * (SIDE - TOP) / 2,
	      "before and after are much the same");
	CHECK(dots(&shots->line, 0, SIDE / 2 - 1) > 50, "no label on the left");
	CHECK(dots(&shots->line, SIDE / 2 + 2, SIDE) > 50, "no label on the right");
}

/*
 * Waits until an upscaled picture is shown: the label on the right says so. What was shown before
 * is newer, and stands still until then.
 */
static bool wait_upscaled(struct stage *stage)
{
	set_string(stage, "compare", "line");
	for (int i = 0; i < (int)(PATIENCE_S * 10.0); i++) {
		if (!shoot(stage, shoot_line))
			return false;
		if (dots(&stage->shots.line, SIDE / 2 + 2, SIDE))
			return true;
		host_sleep(0.1);
	}
	return CHECK(false, "nothing upscaled is shown");
}

/* ---- cases --------------------------------------------------------------------------------- */

static void test_line(struct stage *stage)
{
	if (!wait_upscaled(stage))
		return;
	for (int i = 0; i < 5; i++) {
		if (!shoot(stage, shoot_line))
			return;
		check_line(&stage->shots);
		host_sleep(0.1);
	}
	/* The source stands still, so bicubic is the same at any time. */
	set_string(stage, "compare", "off");
	set_string(stage, "step", "bicubic");
	CHECK(host_wait_status(stage->filter, "Not sharpened, as you chose", PATIENCE_S),
	      "not bicubic");
	host_sleep(0.2);
	if (!shoot(stage, shoot_plain))
		return;
	CHECK(dots(&stage->shots.plain, 0, SIDE) == 0, "a label where nothing is compared");
	/* The ends of the line are a few columns at the borders. */
	CHECK(differing(&stage->shots.before, &stage->shots.plain, 3, SIDE - 3) == 0,
	      "before is not bicubic");
	/* Without an upscaled picture there is nothing to be called "after". */
	set_string(stage, "compare", "line");
	if (!shoot(stage, shoot_line))
		return;
	CHECK(differing(&stage->shots.line, &stage->shots.plain, SIDE / 2 + 2, SIDE) == 0,
	      "bicubic on both sides");
	CHECK(dots(&stage->shots.line, 0, SIDE / 2 - 1) > 50, "no label on the left");
	CHECK(dots(&stage->shots.line, SIDE / 2 + 2, SIDE) == 0, "bicubic called upscaled");
}

static void test_hold(struct stage *stage)
{
	struct shots *shots = &stage->shots;

	if (!wait_upscaled(stage))
		return;
	set_string(stage, "compare", "hold");
	if (!shoot(stage, shoot_held))
		return;
	CHECK(differing(&shots->after, &shots->line, 0, SIDE) == 0, "released");
	CHECK(differing(&shots->before, &shots->after, 0, SIDE) > SIDE * (SIDE - TOP) / 2,
	      "held: nothing changes");
	CHECK(dots(&shots->after, 0, SIDE / 2) > 50 && dots(&shots->before, 0, SIDE / 2) > 50,
	      "no labels");
	CHECK(memcmp(shots->after.pixels, shots->before.pixels, (size_t)TOP * SIDE * 4) != 0,
	      "the same label");
	press_often("flashvsr_compare_line", 1);
	host_sleep(0.2);
	CHECK(is_mode(stage, "line"), "the hotkey does not switch the line on");
	press_often("flashvsr_compare_line", 1);
	host_sleep(0.2);
	CHECK(is_mode(stage, "off"), "the hotkey does not switch the line off");
}

/* The frames of ramp.mkv get brighter by a level each, so the two sides tell their times. */
static void test_time(struct stage *stage)
{
	double largest = 0.0;
	bool seen = false;

	if (!wait_upscaled(stage))
		return;
	host_sleep(2.0); /* until all past pictures were kept for this */
	for (int i = 0; i < 30; i++) {
		double apart;

		if (!shoot(stage, shoot_line))
			return;
		apart = ramp_frame(&stage->shots.after) - ramp_frame(&stage->shots.before);
		seen |= differing(&stage->shots.before, &stage->shots.after, 0, SIDE) > SIDE;
		largest = fmax(largest, fabs(apart));
		host_sleep(0.07);
	}
	printf("  the two sides are at most %.2f frames apart\n", largest);
	CHECK(seen, "nothing was upscaled");
	CHECK(largest < 1.0, "%.2f frames apart", largest);
}

/* ---- on the air ---------------------------------------------------------------------------- */

static obs_output_t *start_recording(const char *name)
{
	obs_data_t *settings = obs_data_create();
	obs_output_t *output;
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s.nut", media_folder, name);
	obs_data_set_string(settings, "url", path);
	obs_data_set_string(settings, "format_name", "nut");
	obs_data_set_string(settings, "video_encoder", "rawvideo");
	obs_data_set_string(settings, "audio_encoder", "pcm_s16le");
	obs_data_set_int(settings, "video_bitrate", 2500);
	obs_data_set_int(settings, "audio_bitrate", 160);
	output = obs_output_create("ffmpeg_output", name, settings, NULL);
	obs_data_release(settings);
	obs_output_set_media(output, obs_get_video(), obs_get_audio());
	CHECK(obs_output_start(output), "no recording: %s", obs_output_get_last_error(output));
	for (int i = 0; i < 100 && !obs_output_active(output); i++)
		host_sleep(0.02);
	CHECK(obs_output_active(output), "the recording does not begin");
	host_sleep(0.3);
	return output;
}

static void stop_recording(obs_output_t *output)
{
	obs_output_stop(output);
	for (int i = 0; i < 100 && obs_output_active(output); i++)
		host_sleep(0.02);
	obs_output_release(output);
}

static void test_ends(struct stage *stage)
{
	obs_data_t *settings = obs_data_create();
	obs_output_t *first, *second;
	obs_source_t *again;

	set_string(stage, "compare", "line");
	first = start_recording("first");
	CHECK(is_mode(stage, "off"), "compared on the air");
	set_string(stage, "compare", "line");
	host_sleep(0.3);
	CHECK(is_mode(stage, "line"), "it cannot be shown to viewers");

	/* A collection that was saved so is loaded. */
	obs_data_set_string(settings, "compare", "line");
	again = obs_source_create("flashvsr_filter", "again", settings, NULL);
	obs_source_filter_remove(stage->source, stage->filter);
	obs_source_release(stage->filter);
	stage->filter = again;
	obs_source_filter_add(stage->source, again);
	host_sleep(0.3);
	CHECK(is_mode(stage, "off"), "loaded on the air");

	obs_data_set_bool(settings, "compare_ends", false); /* these are the filter's own by now */
	obs_data_release(settings);
	set_string(stage, "compare", "line");
	second = start_recording("second");
	CHECK(is_mode(stage, "line"), "against the user's choice");
	stop_recording(first);
	stop_recording(second);
}

static const struct {
	const char *name, *file;
	void (*run)(struct stage *stage);
} cases[] = {
	{"line", "still.mkv", test_line},
	{"hold", "still.mkv", test_hold},
	{"time", "ramp.mkv", test_time},
	{"ends", "still.mkv", test_ends},
};

static bool run_case(const char *name)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct stage *stage;

		if (strcmp(cases[i].name, name) != 0)
			continue;
		stage = malloc(sizeof(*stage));
		open_stage(stage, cases[i].file);
		cases[i].run(stage);
		close_stage(stage);
		free(stage);
		return true;
	}
	fprintf(stderr, "no case '%s'\n", name);
	return false;
}

int main(int argc, char **argv)
{
	bool found;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 6)
		return 2;
	media_folder = argv[2];
	model = argv[3];
	if (!host_start(argv[1]))
		return 1;
	found = run_case(argv[5]);
	host_stop();
	return found ? check_result() : 1;
}
