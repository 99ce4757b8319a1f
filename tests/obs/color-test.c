/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Colours through the filter in a real libobs, pixel by pixel. The pictures are blocks of one
 *colour each, larger than bicubic reaches, so in the middle of a block the filter must show exactly
 *what the source shows: for every kind of SDR, with alpha, and with the light of HDR.
 *
 *	color-test PLUGIN_FOLDER MEDIA_FOLDER MODEL SLOW_MODEL CASE
 *
 * CASE is sdr, hdr, or card. The last is for the stand-in for a card, whose network changes
 *nothing: there the upscaled picture, which is shown from the texture that is shared with the card,
 *must be exact, too.
 */
#include "obs-host.h"

#include <graphics/graphics.h>
#include <util/platform.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE   64
#define BLOCK  16
#define BLOCKS (SIDE / BLOCK)

static const char *media_folder;
static const char *upscaling_model; /* of the case 'card'; NULL: bicubic */

static const char *media(const char *name)
{
	static char path[1024];

	snprintf(path, sizeof(path), "%s/%s", media_folder, name);
	return path;
}

/* ---- looking at light, not at bytes -------------------------------------------------------- */

struct light {
	float rgba[BLOCKS][BLOCKS][4]; /* in the middle of each block */
};

static float half_to_float(uint16_t half)
{
	const int exponent = half >> 10 & 31, mantissa = half & 1023;
	const float value = exponent ? ldexpf(1.0f + (float)mantissa / 1024.0f, exponent - 15)
				     : ldexpf((float)mantissa / 1024.0f, -14);

	return half & 0x8000 ? -value : value;
}

static void read_blocks(struct light *light, const uint8_t *data, uint32_t linesize, uint32_t side)
{
	const uint32_t block = side / BLOCKS;

	for (uint32_t y = 0; y < BLOCKS; y++)
		for (uint32_t x = 0; x < BLOCKS; x++)
			for (uint32_t c = 0; c < 4; c++) {
				const size_t at = (y * block + block / 2) * (size_t)linesize +
						  (x * block + block / 2) * 8 + c * 2;
				uint16_t half;

				memcpy(&half, data + at, sizeof(half));
				light->rgba[y][x][c] = half_to_float(half);
			}
}

/* Looks at what the source draws where OBS draws light of 'space'. */
static bool grab_light(struct light *light, obs_source_t *source, enum gs_color_space space)
{
	gs_texrender_t *target;
	gs_stagesurf_t *surface;
	struct vec4 clear_color;
	uint32_t side, linesize;
	uint8_t *data;
	bool ok;

	obs_enter_graphics();
	/* Only now: the watch switches the filter off for a moment, between two pictures of OBS. */
	side = obs_source_get_width(source);
	target = gs_texrender_create(GS_RGBA16F, GS_ZS_NONE);
	surface = gs_stagesurface_create(side, side, GS_RGBA16F);
	ok = gs_texrender_begin_with_color_space(target, side, side, space);
	vec4_zero(&clear_color);
	gs_clear(GS_CLEAR_COLOR, &clear_color, 0.0f, 0);
	gs_ortho(0.0f, (float)side, 0.0f, (float)side, -100.0f, 100.0f);
	gs_blend_state_push();
	gs_blend_function(GS_BLEND_ONE, GS_BLEND_ZERO);
	obs_source_video_render(source);
	gs_blend_state_pop();
	gs_texrender_end(target);
	gs_stage_texture(surface, gs_texrender_get_texture(target));
	ok = ok && gs_stagesurface_map(surface, &data, &linesize);
	if (ok) {
		read_blocks(light, data, linesize, side);
		gs_stagesurface_unmap(surface);
	}
	gs_stagesurface_destroy(surface);
	gs_texrender_destroy(target);
	obs_leave_graphics();
	return ok;
}

/* ---- SDR ----------------------------------------------------------------------------------- */

static int largest_difference(const struct view *view)
{
	const uint32_t scale = view->width / view->source_width;
	int largest = 0;

	for (uint32_t y = BLOCK / 2; y < SIDE; y += BLOCK)
		for (uint32_t x = BLOCK / 2; x < SIDE; x += BLOCK)
			for (int c = 0; c < 4; c++) {
				const size_t from = ((size_t)y * view->source_width + x) * 4 + c;
				const size_t to =
					((size_t)y * scale * view->width + x * scale) * 4 + c;
				const int d = abs(view->pixels[to] - view->source_pixels[from]);

				largest = d > largest ? d : largest;
			}
	return largest;
}

static obs_source_t *add_filter(obs_source_t *source, struct watch *watch, const char *step,
				int scale)
{
	obs_source_t *filter = host_create_filter("upscale", upscaling_model, scale, step);

	watch_begin_change(watch);
	obs_source_filter_add(source, filter);
	watch_end_change(watch, filter, scale > 1 ? (uint32_t)scale : 1);
	return filter;
}

static void test_one(const char *name, int tolerance)
{
	const bool image = strstr(name, ".png") != NULL;
	obs_source_t *source =
		image ? host_image(name, media(name)) : host_media(name, media(name));
	struct watch *watch = watch_start(source);
	obs_source_t *filter;
	const struct view *view = watch_next(watch, 0);

	CHECK(view != NULL, "'%s' shows nothing", name);
	filter = add_filter(source, watch, upscaling_model ? "full" : "bicubic", 2);
	CHECK(host_wait_status(
		      filter, upscaling_model ? "Sharpening" : "Not sharpened, as you chose", 30.0),
	      "%s", name);
	if (upscaling_model)
		CHECK(host_wait_status(filter, "frames by shared textures", 10.0), "%s", name);
	view = watch_next(watch, UINT64_MAX);
	if (CHECK(view && view->width == 2 * SIDE, "%s: size", name)) {
		printf("  %-28s largest difference %d of 255\n", name, largest_difference(view));
		CHECK(largest_difference(view) <= tolerance, "%s is off by %d", name,
		      largest_difference(view));
	}
	CHECK(watch_violations(watch) == 0, "%u pictures of '%s' were wrong",
	      watch_violations(watch), name);
	watch_stop(watch);
	obs_source_release(filter);
	obs_source_release(source);
}

static void test_sdr(void)
{
	static const char *const opaque[] = {
		"blocks.png",
		"blocks-bt709-tv.mkv",
		"blocks-bt709-pc.mkv",
		"blocks-smpte170m-tv.mkv",
		"blocks-smpte170m-pc.mkv",
	};

	for (size_t i = 0; i < sizeof(opaque) / sizeof(*opaque); i++)
		test_one(opaque[i], 0);
	/* Straightened and multiplied again, in bytes. */
	test_one("blocks-alpha.png", 1);
}

/* A source that is large enough already keeps every pixel as it is. */
static void test_passed_on(void)
{
	obs_source_t *source = host_image("blocks", media("blocks-alpha.png"));
	struct watch *watch = watch_start(source);
	obs_data_t *settings = obs_data_create();
	const struct view *view = watch_next(watch, 0);
	obs_source_t *filter = host_create_filter("upscale", NULL, 1, NULL);

	obs_data_set_int(settings, "custom_width", SIDE);
	obs_data_set_int(settings, "custom_height", SIDE);
	obs_source_update(filter, settings);
	obs_data_release(settings);
	watch_begin_change(watch);
	obs_source_filter_add(source, filter);
	watch_end_change(watch, filter, 1);
	CHECK(host_wait_status(filter, "as large as wanted already", 10.0), "no bypass");
	view = watch_next(watch, UINT64_MAX);
	if (CHECK(view && view->width == SIDE && view->height == SIDE, "size"))
		CHECK(memcmp(view->pixels, view->source_pixels, SIDE * SIDE * 4) == 0,
		      "pixels that were passed on");
	CHECK(watch_violations(watch) == 0, "%u pictures were wrong", watch_violations(watch));
	watch_stop(watch);
	obs_source_release(filter);
	obs_source_release(source);
}

/* ---- HDR ----------------------------------------------------------------------------------- */

static bool reset_canvas(enum video_colorspace colorspace)
{
	struct obs_video_info info;

	if (!obs_get_video_info(&info))
		return false;
	info.colorspace = colorspace;
	info.output_format = colorspace == VIDEO_CS_709 ? VIDEO_FORMAT_NV12 : VIDEO_FORMAT_P010;
	return obs_reset_video(&info) == OBS_VIDEO_SUCCESS;
}

/* Finds the largest difference, in parts of the light, and the most light that there is. */
static double compare_light(const struct light *a, const struct light *b, double *most)
{
	double largest = 0.0;

	*most = 0.0;
	for (int y = 0; y < BLOCKS; y++)
		for (int x = 0; x < BLOCKS; x++)
			for (int c = 0; c < 4; c++) {
				const double is = a->rgba[y][x][c], should = b->rgba[y][x][c];
				const double d = fabs(is - should) / fmax(should, 0.01);

				largest = fmax(largest, d);
				*most = fmax(*most, should);
			}
	return largest;
}

/* A canvas with HDR keeps all the light, and the dialog says that the network rests. */
static void test_hdr_canvas(void)
{
	obs_source_t *source = host_media("pq", media("pq.mkv"));
	struct watch *watch = watch_start(source);
	struct light plain, shown;
	obs_source_t *filter;
	double largest, most;

	CHECK(watch_next(watch, 0) != NULL, "nothing");
	for (int i = 0; i < 2; i++) {
		const enum gs_color_space space = i ? GS_CS_709_SCRGB : GS_CS_709_EXTENDED;

		CHECK(grab_light(&plain, source, space), "plain");
		filter = add_filter(source, watch, "auto", 2);
		CHECK(host_wait_status(filter, "HDR", 10.0), "it is not said");
		CHECK(grab_light(&shown, source, space), "shown");
		largest = compare_light(&shown, &plain, &most);
		printf("  HDR canvas, space %d: up to %.2f, largest difference %.2f %%\n",
		       (int)space, most, largest * 100.0);
		CHECK(most > 2.0, "this clip has no high dynamic range: %.2f", most);
		CHECK(largest < 0.01, "the light is another");
		watch_begin_change(watch);
		obs_source_filter_remove(source, filter);
		watch_end_change(watch, NULL, 1);
		obs_source_release(filter);
		watch_next(watch, UINT64_MAX);
	}
	CHECK(watch_violations(watch) == 0, "%u pictures were wrong", watch_violations(watch));
	watch_stop(watch);
	obs_source_release(source);
}

/* On a canvas without HDR tones are as libobs maps them for this source anyway, and upscaled. */
static void test_sdr_canvas(void)
{
	obs_source_t *source = host_media("pq", media("pq.mkv"));
	struct watch *watch = watch_start(source);
	const struct view *view = watch_next(watch, 0);
	obs_source_t *filter;

	CHECK(view != NULL, "nothing");
	filter = add_filter(source, watch, "auto", 2);
	CHECK(host_wait_status(filter, "Only enlarged until then", 20.0),
	      "the network does not start");
	view = watch_next(watch, UINT64_MAX);
	if (CHECK(view != NULL, "nothing")) {
		printf("  SDR canvas: largest difference %d of 255\n", largest_difference(view));
		CHECK(largest_difference(view) <= 1, "off by %d", largest_difference(view));
	}
	CHECK(watch_violations(watch) == 0, "%u pictures were wrong", watch_violations(watch));
	watch_stop(watch);
	obs_source_release(filter);
	obs_source_release(source);
}

static void test_hdr(void)
{
	CHECK(reset_canvas(VIDEO_CS_2100_PQ), "no HDR canvas");
	/* As OBS Studio sets them. */
	obs_set_video_levels(300.0f, 1000.0f);
	test_hdr_canvas();
	CHECK(reset_canvas(VIDEO_CS_709), "no SDR canvas");
	test_sdr_canvas();
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 6)
		return 2;
	media_folder = argv[2];
	if (!host_start(argv[1]))
		return 1;
	if (strcmp(argv[5], "hdr") == 0) {
		test_hdr();
	} else {
		upscaling_model = strcmp(argv[5], "card") == 0 ? argv[3] : NULL;
		test_sdr();
		test_passed_on();
	}
	host_stop();
	return check_result();
}
