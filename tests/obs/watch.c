/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The watch: see obs-host.h. It draws the source in libobs' render loop, before OBS does, into a
 * texture of the size that the source says it has, and reads it back.
 */
#include "obs-host.h"

#include <graphics/graphics.h>
#include <util/platform.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLACK_BELOW 8.0 /* mean level of a picture that counts as black */

struct grab {
	gs_texrender_t *texrender;
	gs_stagesurf_t *surface;
	uint32_t width, height;
	uint8_t *pixels;
};

struct watch {
	pthread_mutex_t lock;
	obs_source_t *source, *filter;
	uint32_t scale, scale_before;
	struct grab shown, plain;
	uint64_t number, time_ns;
	unsigned violations;
	struct view copy;
};

static bool grab_resize(struct grab *grab, uint32_t width, uint32_t height)
{
	if (grab->surface && grab->width == width && grab->height == height)
		return true;
	gs_stagesurface_destroy(grab->surface);
	grab->surface = gs_stagesurface_create(width, height, GS_RGBA);
	grab->width = width;
	grab->height = height;
	free(grab->pixels);
	grab->pixels = malloc((size_t)width * height * 4);
	return grab->surface && grab->pixels;
}

static bool grab_read(struct grab *grab)
{
	uint32_t linesize;
	uint8_t *data;

	gs_stage_texture(grab->surface, gs_texrender_get_texture(grab->texrender));
	if (!gs_stagesurface_map(grab->surface, &data, &linesize))
		return false;
	for (uint32_t y = 0; y < grab->height; y++)
		memcpy(grab->pixels + (size_t)y * grab->width * 4, data + (size_t)y * linesize,
		       (size_t)grab->width * 4);
	gs_stagesurface_unmap(grab->surface);
	return true;
}

static bool grab_source(struct grab *grab, obs_source_t *source, uint32_t width, uint32_t height)
{
	struct vec4 clear_color;

	if (!grab_resize(grab, width, height))
		return false;
	if (!grab->texrender)
		grab->texrender = gs_texrender_create(GS_RGBA, GS_ZS_NONE);
	gs_texrender_reset(grab->texrender);
	if (!gs_texrender_begin(grab->texrender, width, height))
		return false;
	vec4_zero(&clear_color);
	gs_clear(GS_CLEAR_COLOR, &clear_color, 0.0f, 0);
	gs_ortho(0.0f, (float)width, 0.0f, (float)height, -100.0f, 100.0f);
	gs_blend_state_push();
	gs_blend_function_separate(GS_BLEND_SRCALPHA, GS_BLEND_INVSRCALPHA, GS_BLEND_ONE,
				   GS_BLEND_INVSRCALPHA);
	obs_source_video_render(source);
	gs_blend_state_pop();
	gs_texrender_end(grab->texrender);
	return grab_read(grab);
}

static void grab_free(struct grab *grab)
{
	gs_stagesurface_destroy(grab->surface);
	gs_texrender_destroy(grab->texrender);
	free(grab->pixels);
}

/* Draws the same moment without the filter: the source's frame changes between pictures only. */
static bool grab_plain(struct watch *watch)
{
	const bool enabled = watch->filter && obs_source_enabled(watch->filter);
	bool ok;

	if (enabled)
		obs_source_set_enabled(watch->filter, false);
	ok = grab_source(&watch->plain, watch->source, obs_source_get_base_width(watch->source),
			 obs_source_get_base_height(watch->source));
	if (enabled)
		obs_source_set_enabled(watch->filter, true);
	return ok;
}

static double mean_level(const struct grab *grab)
{
	const size_t count = (size_t)grab->width * grab->height;
	double sum = 0.0;

	for (size_t i = 0; i < count; i++)
		sum += grab->pixels[i * 4] + grab->pixels[i * 4 + 1] + grab->pixels[i * 4 + 2];
	return sum / (double)(count * 3);
}

static void violation(struct watch *watch, const char *what)
{
	if (++watch->violations <= 5)
		fprintf(stderr, "    picture %llu of '%s', %ux%u of %ux%u: %s\n",
			(unsigned long long)watch->number, obs_source_get_name(watch->source),
			watch->shown.width, watch->shown.height, watch->plain.width,
			watch->plain.height, what);
}

static bool has_scale(const struct watch *watch, uint32_t scale)
{
	return !scale || (watch->shown.width == watch->plain.width * scale &&
			  watch->shown.height == watch->plain.height * scale);
}

static void judge(struct watch *watch)
{
	if (has_scale(watch, watch->scale))
		watch->scale_before = watch->scale;
	else if (!has_scale(watch, watch->scale_before))
		violation(watch, "wrong size");
	if (mean_level(&watch->plain) >= BLACK_BELOW && mean_level(&watch->shown) < BLACK_BELOW)
		violation(watch, "black");
}

static void look(void *opaque, uint32_t cx, uint32_t cy)
{
	struct watch *watch = opaque;

	(void)cx, (void)cy;
	pthread_mutex_lock(&watch->lock);
	if (obs_source_get_base_width(watch->source) && obs_source_get_base_height(watch->source)) {
		watch->number++;
		watch->time_ns = obs_get_video_frame_time();
		if (grab_source(&watch->shown, watch->source, obs_source_get_width(watch->source),
				obs_source_get_height(watch->source)) &&
		    grab_plain(watch))
			judge(watch);
		else
			violation(watch, "cannot be read");
	}
	pthread_mutex_unlock(&watch->lock);
}

struct watch *watch_start(obs_source_t *source)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		abort();
	watch->source = source;
	watch->scale = watch->scale_before = 1;
	pthread_mutex_init(&watch->lock, NULL);
	obs_source_inc_active(source);
	obs_add_main_render_callback(look, watch);
	return watch;
}

void watch_stop(struct watch *watch)
{
	obs_remove_main_render_callback(look, watch);
	obs_source_dec_active(watch->source);
	obs_enter_graphics();
	grab_free(&watch->shown);
	grab_free(&watch->plain);
	obs_leave_graphics();
	free(watch->copy.pixels);
	free(watch->copy.source_pixels);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}

uint64_t watch_begin_change(struct watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	return watch->number;
}

void watch_end_change(struct watch *watch, obs_source_t *filter, uint32_t scale)
{
	watch->filter = filter;
	watch->scale = scale;
	pthread_mutex_unlock(&watch->lock);
}

static uint8_t *copy_pixels(uint8_t *to, const struct grab *grab)
{
	const size_t bytes = (size_t)grab->width * grab->height * 4;

	to = realloc(to, bytes);
	if (!to)
		abort();
	memcpy(to, grab->pixels, bytes);
	return to;
}

static void copy_view(struct watch *watch)
{
	struct view *copy = &watch->copy;

	copy->width = watch->shown.width;
	copy->height = watch->shown.height;
	copy->source_width = watch->plain.width;
	copy->source_height = watch->plain.height;
	copy->pixels = copy_pixels(copy->pixels, &watch->shown);
	copy->source_pixels = copy_pixels(copy->source_pixels, &watch->plain);
	copy->number = watch->number;
	copy->time_ns = watch->time_ns;
}

const struct view *watch_next(struct watch *watch, uint64_t after)
{
	const uint64_t end_ns = os_gettime_ns() + 10000000000ULL;
	bool found = false;

	while (!found && os_gettime_ns() < end_ns) {
		pthread_mutex_lock(&watch->lock);
		if (after == UINT64_MAX)
			after = watch->number;
		found = watch->number > after;
		if (found)
			copy_view(watch);
		pthread_mutex_unlock(&watch->lock);
		if (!found)
			os_sleep_ms(3);
	}
	return found ? &watch->copy : NULL;
}

unsigned watch_violations(struct watch *watch)
{
	unsigned violations;

	pthread_mutex_lock(&watch->lock);
	violations = watch->violations;
	pthread_mutex_unlock(&watch->lock);
	return violations;
}
