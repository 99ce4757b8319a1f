/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting and stopping libobs, and moving pictures to and from textures: see bare-obs.h.
 */
#include "bare-obs.h"

#include <obs.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long blocks_before;

static void log_line(int level, const char *format, va_list args, void *data)
{
	(void)data;
	if (level > LOG_ERROR && !getenv("TEST_OBS_LOG"))
		return;
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

bool bare_obs_start(void)
{
	struct obs_video_info video = {
		/* A libobs without a display has no name for development. */
		.graphics_module =
			getenv("OBS_HEADLESS_DATA") ? "libobs-opengl.so.1" : "libobs-opengl",
		.fps_num = 30,
		.fps_den = 1,
		.base_width = 320,
		.base_height = 240,
		.output_width = 320,
		.output_height = 240,
		.output_format = VIDEO_FORMAT_NV12,
		.gpu_conversion = true,
	};
	struct obs_audio_info audio = {.samples_per_sec = 48000, .speakers = SPEAKERS_STEREO};

	obs_add_data_path("/"); /* libobs never frees this list */
	obs_remove_data_path("/");
	blocks_before = bnum_allocs();
	base_set_log_handler(log_line, NULL);
	if (!obs_startup("en-US", NULL, NULL))
		return false;
	if (getenv("OBS_HEADLESS_DATA"))
		obs_add_data_path(getenv("OBS_HEADLESS_DATA"));
	return obs_reset_video(&video) == OBS_VIDEO_SUCCESS && obs_reset_audio(&audio);
}

bool bare_obs_stop(void)
{
	if (getenv("OBS_HEADLESS_DATA"))
		obs_remove_data_path(getenv("OBS_HEADLESS_DATA"));
	obs_shutdown();
	return bnum_allocs() <= blocks_before;
}

gs_texture_t *bare_obs_texture(int width, int height, const uint8_t *pixels)
{
	return gs_texture_create((uint32_t)width, (uint32_t)height, GS_RGBA_UNORM, 1,
				 pixels ? &pixels : NULL, 0);
}

uint8_t *bare_obs_read(gs_texture_t *texture, int width, int height)
{
	gs_stagesurf_t *surface =
		gs_stagesurface_create((uint32_t)width, (uint32_t)height, GS_RGBA_UNORM);
	uint8_t *pixels = calloc((size_t)width * (size_t)height, 4), *data;
	uint32_t linesize;

	gs_stage_texture(surface, texture);
	if (gs_stagesurface_map(surface, &data, &linesize)) {
		for (int y = 0; y < height; y++)
			memcpy(pixels + (size_t)y * (size_t)width * 4, data + (size_t)y * linesize,
			       (size_t)width * 4);
		gs_stagesurface_unmap(surface);
	}
	gs_stagesurface_destroy(surface);
	return pixels;
}
