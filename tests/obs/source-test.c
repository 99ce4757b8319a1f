/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter with the bundled model on the kinds of sources that a real libobs has, one after the
 * other:
 *
 *	source-test PLUGIN_FOLDER MEDIA_FOLDER MODEL SLOW_MODEL CASE
 *
 * Media files are in the other tests. Not here: a camera (linux-v4l2) needs a device, a desktop
 * portal (linux-pipewire) a session, the capture of one window (xcomposite) a graphics driver that
 * makes textures of the X server's pixmaps, which Mesa's software renderer does not; and a browser
 * is not among Debian's modules.
 */
#include "compare.h"
#include "obs-host.h"
#include "x-window.h"

#include <util/platform.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_S 100.0 /* patience, on a busy machine */
#define FPS     60    /* the first upscaled picture comes sooner */
#define RED     0xc0
#define GREEN   0x60
#define BLUE    0x30

static const char *media_folder;
static struct x_window *window;

struct sample {
	obs_source_t *source;
	obs_scene_t *scene; /* that it is in, or NULL */
};

/* ---- sources ------------------------------------------------------------------------------- */

static obs_source_t *create(const char *id, obs_data_t *settings)
{
	obs_source_t *source = obs_source_create_private(id, id, settings);

	CHECK(source != NULL, "OBS has no '%s'", id);
	obs_data_release(settings);
	return source;
}

static obs_source_t *blocks_image(void)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/blocks.png", media_folder);
	return host_image("blocks", path);
}

static void make_color(struct sample *sample)
{
	obs_data_t *settings = obs_data_create();

	obs_data_set_int(settings, "color", 0xff000000 | BLUE << 16 | GREEN << 8 | RED);
	obs_data_set_int(settings, "width", 60);
	obs_data_set_int(settings, "height", 40);
	sample->source = create("color_source_v3", settings);
}

static void make_text(struct sample *sample)
{
	obs_data_t *settings = obs_data_create(), *font = obs_data_create();

	obs_data_set_string(font, "face", "Sans Serif");
	obs_data_set_int(font, "size", 30);
	obs_data_set_obj(settings, "font", font);
	obs_data_set_string(settings, "text", "Text");
	obs_data_release(font);
	sample->source = create("text_ft2_source_v2", settings);
}

static void make_slideshow(struct sample *sample)
{
	obs_data_t *settings = obs_data_create(), *file = obs_data_create();
	obs_data_array_t *files = obs_data_array_create();
	char path[1024];

	snprintf(path, sizeof(path), "%s/blocks.png", media_folder);
	obs_data_set_string(file, "value", path);
	obs_data_array_push_back(files, file);
	obs_data_set_array(settings, "files", files);
	obs_data_array_release(files);
	obs_data_release(file);
	sample->source = create("slideshow", settings);
}

/* As large as the canvas. */
static void make_scene(struct sample *sample)
{
	obs_source_t *blocks = blocks_image();

	sample->scene = obs_scene_create_private("scene");
	obs_scene_add(sample->scene, blocks);
	obs_source_release(blocks);
	sample->source = obs_source_get_ref(obs_scene_get_source(sample->scene));
}

/* As large as what is in it. */
static void make_group(struct sample *sample)
{
	obs_source_t *blocks = blocks_image();
	obs_sceneitem_t *group, *item;

	sample->scene = obs_scene_create_private("scene");
	group = obs_scene_add_group2(sample->scene, "group", false);
	item = obs_scene_add(sample->scene, blocks);
	obs_sceneitem_group_add_item(group, item);
	obs_source_release(blocks);
	sample->source = obs_source_get_ref(obs_sceneitem_get_source(group));
}

static void make_screen(struct sample *sample)
{
	static const char *const names[] = {"cut_left", "cut_top", "cut_right", "cut_bot"};
	obs_data_t *settings = obs_data_create();
	int around[4];

	x_window_around(window, around);
	for (int i = 0; i < 4; i++)
		obs_data_set_int(settings, names[i], around[i]);
	obs_data_set_bool(settings, "show_cursor", false);
	sample->source = create("xshm_input", settings);
}

/* ---- what they show ------------------------------------------------------------------------ */

static bool has_color(const uint8_t *pixel, const uint8_t *rgb, int tolerance)
{
	for (int c = 0; c < 3; c++)
		if (abs(pixel[c] - rgb[c]) > tolerance)
			return false;
	return pixel[3] == 255;
}

/* In the middle of each block, of the source's picture and of the shown one. */
static bool shows_blocks(const struct view *view)
{
	const size_t scale = view->width / view->source_width;

	for (size_t y = BLOCKS_BLOCK / 2; y < BLOCKS_SIDE; y += BLOCKS_BLOCK)
		for (size_t x = BLOCKS_BLOCK / 2; x < BLOCKS_SIDE; x += BLOCKS_BLOCK) {
			const size_t from = (y * view->source_width + x) * 4;
			const size_t to = (y * scale * view->width + x * scale) * 4;
			uint8_t rgb[3];

			blocks_color((uint32_t)x, (uint32_t)y, rgb);
			if (!has_color(view->source_pixels + from, rgb, 1) ||
			    !has_color(view->pixels + to, rgb, 8))
				return false;
		}
	return true;
}

static bool shows_color(const struct view *view)
{
	static const uint8_t rgb[] = {RED, GREEN, BLUE};

	for (size_t i = 0; i < (size_t)view->width * view->height; i++)
		if (!has_color(view->pixels + i * 4, rgb, 8))
			return false;
	return has_color(view->source_pixels, rgb, 1);
}

/* White letters with nothing around them. */
static bool shows_text(const struct view *view)
{
	const size_t count = (size_t)view->width * view->height;
	size_t letters = 0, nothing = 0;

	for (size_t i = 0; i < count; i++) {
		letters += view->pixels[i * 4 + 3] > 250 && view->pixels[i * 4] > 240;
		nothing += view->pixels[i * 4 + 3] < 5;
	}
	return letters > count / 20 && nothing > count / 4;
}

/* ---- cases --------------------------------------------------------------------------------- */

static const struct kind {
	const char *name;
	void (*make)(struct sample *sample);
	bool (*shows)(const struct view *view);
	uint32_t width, height; /* 0: as the letters are */
	/* Of the levels, to bicubic. Edges of letters are mixed in linear light, levels are not. */
	double least_difference, most_difference;
} kinds[] = {
	{"color", make_color, shows_color, 60, 40, 0.0, 1.0},
	{"text", make_text, shows_text, 0, 0, 0.3, 6.0},
	{"slideshow", make_slideshow, shows_blocks, BLOCKS_SIDE, BLOCKS_SIDE, 0.3, 4.0},
	{"group", make_group, shows_blocks, BLOCKS_SIDE, BLOCKS_SIDE, 0.3, 4.0},
	{"scene", make_scene, shows_blocks, BLOCKS_SIDE, BLOCKS_SIDE, 0.3, 4.0},
	{"screen", make_screen, shows_blocks, BLOCKS_SIDE, BLOCKS_SIDE, 0.3, 4.0},
};

static bool has_size(const struct view *view, uint32_t width, uint32_t height)
{
	return view && view->width == width && view->height == height;
}

/* Some pictures pass before a text is drawn, a slide faded in. */
static const struct view *wait_picture(const struct kind *kind, struct watch *watch)
{
	const struct view *view = watch_next(watch, 0);

	for (int i = 0; i < 3 * FPS && view && !kind->shows(view); i++)
		view = watch_next(watch, view->number);
	return view;
}

/* The network's picture has the library's bicubic alpha, to the last bit, and other colours. */
static bool is_networks(const struct kind *kind, const struct view *view)
{
	const struct comparison to_bicubic = compare(view);

	return kind->shows(view) && to_bicubic.alpha_difference <= 1.0 &&
	       to_bicubic.mean_difference >= kind->least_difference &&
	       to_bicubic.mean_difference <= kind->most_difference;
}

/*
 * What was shown before the first upscaled picture was newer, so it stands still for the time of
 * the delay; on a busy machine it may take longer.
 */
static void judge_upscaled(const struct kind *kind, struct watch *watch)
{
	const uint64_t end_ns = os_gettime_ns() + (uint64_t)(START_S * 1e9);
	const struct view *view = watch_next(watch, UINT64_MAX);

	while (view && !is_networks(kind, view) && os_gettime_ns() < end_ns)
		view = watch_next(watch, view->number);
	if (!CHECK(view != NULL, "%s: no picture", kind->name))
		return;
	report(kind->name, view);
	CHECK(is_networks(kind, view), "%s: no upscaled picture of it", kind->name);
}

static void judge_removed(const struct kind *kind, struct watch *watch)
{
	const struct view *view = watch_next(watch, UINT64_MAX);

	if (!CHECK(view && has_size(view, view->source_width, view->source_height),
		   "%s: size without the filter", kind->name))
		return;
	CHECK(memcmp(view->pixels, view->source_pixels, (size_t)view->width * view->height * 4) ==
		      0,
	      "%s: picture without the filter", kind->name);
}

static void test_filter(const struct kind *kind, obs_source_t *source, struct watch *watch,
			uint32_t width, uint32_t height)
{
	obs_source_t *filter = host_create_filter("upscale", NULL, 2, "full");
	const uint64_t before = watch_next(watch, UINT64_MAX)->number;
	char status[64];

	watch_begin_change(watch);
	obs_source_filter_add(source, filter);
	watch_end_change(watch, filter, 2);
	CHECK(has_size(watch_next(watch, before), width * 2, height * 2),
	      "%s: size of the first picture", kind->name);
	snprintf(status, sizeof(status), "Sharpening %ux%u to %ux%u", width, height, width * 2,
		 height * 2);
	if (CHECK(host_wait_status(filter, status, START_S), "%s: no start", kind->name))
		judge_upscaled(kind, watch);
	watch_begin_change(watch);
	obs_source_filter_remove(source, filter);
	watch_end_change(watch, NULL, 1);
	obs_source_release(filter);
	judge_removed(kind, watch);
}

static void test_kind(const struct kind *kind)
{
	struct sample sample = {0};
	struct watch *watch;
	const struct view *view;

	kind->make(&sample);
	if (!sample.source)
		return;
	watch = watch_start(sample.source);
	view = wait_picture(kind, watch);
	if (CHECK(view && kind->shows(view), "%s: another picture", kind->name)) {
		CHECK(!kind->width || has_size(view, kind->width, kind->height),
		      "%s: %ux%u instead of %ux%u", kind->name, view->width, view->height,
		      kind->width, kind->height);
		test_filter(kind, sample.source, watch, view->width, view->height);
	}
	CHECK(watch_violations(watch) == 0, "%s: %u pictures were wrong", kind->name,
	      watch_violations(watch));
	watch_stop(watch);
	obs_source_release(sample.source);
	obs_scene_release(sample.scene);
}

static bool load_modules(void)
{
	return host_load_module("text-freetype2") && host_load_module("linux-capture") &&
	       host_load_module("obs-transitions"); /* for the slideshow */
}

static bool set_canvas(void)
{
	struct obs_video_info info;

	if (!obs_get_video_info(&info))
		return false;
	info.fps_num = FPS;
	info.base_width = info.output_width = BLOCKS_SIDE;
	info.base_height = info.output_height = BLOCKS_SIDE;
	return obs_reset_video(&info) == OBS_VIDEO_SUCCESS;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 6)
		return 2;
	media_folder = argv[2];
	window = x_window_open(40, 24);
	if (!window || !host_start(argv[1]))
		return 1;
	if (CHECK(load_modules() && set_canvas(), "OBS is not complete"))
		for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
			if (strcmp(argv[5], "all") == 0 || strcmp(argv[5], kinds[i].name) == 0)
				test_kind(&kinds[i]);
	host_stop();
	x_window_close(window);
	return check_result();
}
