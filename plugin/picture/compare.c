/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comparing before and after: see compare.h.
 */
#include "picture/compare.h"

#include "picture/label.h"

#include <stdlib.h>

#define LINES_A_DOT 270 /* of the output: labels are as large on the screen at any size */

/* ---- words and line ------------------------------------------------------------------------ */

static gs_texture_t *make_label(const char *text, uint32_t unit)
{
	struct label label = label_make(text, unit);
	const uint8_t *pixels = label.pixels;
	gs_texture_t *texture = NULL;

	if (pixels)
		texture = gs_texture_create(label.width, label.height, GS_RGBA, 1, &pixels, 0);
	free(label.pixels);
	return texture;
}

/* White between two dark edges, so that it is seen on any ground; as tall as it is drawn. */
static gs_texture_t *make_line(uint32_t unit)
{
	const uint32_t width = 3 * unit;
	uint8_t *pixels = bzalloc((size_t)width * 4);
	const uint8_t *data = pixels;
	gs_texture_t *texture;

	for (uint32_t i = 0; i < width * 4; i++)
		pixels[i] = i % 4 == 3 || (i / 4 >= unit && i / 4 < 2 * unit) ? 255 : 0;
	texture = gs_texture_create(width, 1, GS_RGBA, 1, &data, 0);
	bfree(pixels);
	return texture;
}

static void free_labels(struct compare *compare)
{
	gs_texture_destroy(compare->before_label);
	gs_texture_destroy(compare->after_label);
	gs_texture_destroy(compare->line);
	compare->before_label = compare->after_label = compare->line = NULL;
	compare->unit = 0;
}

static void make_labels(struct compare *compare, const struct sizes *sizes)
{
	const uint32_t unit = sizes->out_height > LINES_A_DOT ? sizes->out_height / LINES_A_DOT : 1;

	if (compare->unit == unit)
		return;
	free_labels(compare);
	compare->before_label = make_label(obs_module_text("Compare.Before"), unit);
	compare->after_label = make_label(obs_module_text("Compare.After"), unit);
	compare->line = make_line(unit);
	compare->unit = unit;
}

/* ---- the picture before -------------------------------------------------------------------- */

void compare_clear(struct compare *compare, struct screen *screen)
{
	if (!compare->unit)
		return;
	obs_enter_graphics();
	free_labels(compare);
	drawing_drop_before(screen->drawing);
	obs_leave_graphics();
	compare->content_ns = 0;
}

static bool is_ready(const struct compare *compare, const struct screen *screen)
{
	return screen->upscaled && compare->content_ns == screen->content_ns;
}

void compare_prepare(struct compare *compare, struct screen *screen, const struct sizes *sizes)
{
	int64_t time = screen->content_ns;
	gs_texture_t *texture;

	make_labels(compare, sizes);
	if (!screen->upscaled || (is_ready(compare, screen) && sizes_same(&compare->sizes, sizes)))
		return;
	compare->content_ns = 0;
	texture = past_pictures_at(screen->past, &time);
	if (!texture ||
	    !drawing_compose_before(screen->drawing, texture, sizes->out_width, sizes->out_height))
		return;
	compare->sizes = *sizes;
	compare->content_ns = screen->content_ns;
}

/* ---- drawing ------------------------------------------------------------------------------- */

/* Draws a word at the top of the columns from 'left' to 'right', if there is room. */
static void draw_label(gs_texture_t *label, uint32_t left, uint32_t right, bool at_right)
{
	const uint32_t width = label ? gs_texture_get_width(label) : 0;
	const uint32_t height = label ? gs_texture_get_height(label) : 0;
	const uint32_t margin = height / 4;

	if (label && left + width + 2 * margin <= right)
		drawing_draw_over(label, at_right ? right - margin - width : left + margin, margin,
				  width, height);
}

static void draw_line(const struct compare *compare, const struct sizes *sizes, uint32_t x)
{
	const uint32_t width = 3 * compare->unit;
	uint32_t left = x > width / 2 ? x - width / 2 : 0;

	if (left + width > sizes->out_width)
		left = sizes->out_width - width;
	if (compare->line)
		drawing_draw_over(compare->line, left, 0, width, sizes->out_height);
}

static void draw_sides(const struct compare *compare, const struct screen *screen,
		       const struct sizes *sizes, uint32_t percent)
{
	const uint32_t width = sizes->out_width;
	const uint32_t x = (uint32_t)((uint64_t)width * percent / 100);
	const bool ready = is_ready(compare, screen);

	if (x)
		drawing_draw_columns(screen->drawing, ready, 0, x);
	if (x < width)
		drawing_draw_columns(screen->drawing, false, x, width - x);
	draw_line(compare, sizes, x);
	if (ready || !screen->upscaled)
		draw_label(compare->before_label, 0, x, false);
	if (screen->upscaled)
		draw_label(compare->after_label, x, width, true);
}

static void draw_one(const struct compare *compare, const struct screen *screen,
		     const struct sizes *sizes, bool held)
{
	const bool before = held && is_ready(compare, screen);

	drawing_draw_columns(screen->drawing, before, 0, sizes->out_width);
	draw_label(before || !screen->upscaled ? compare->before_label : compare->after_label, 0,
		   sizes->out_width, false);
}

void compare_draw(const struct compare *compare, const struct screen *screen,
		  const struct sizes *sizes, const struct compare_view *view)
{
	if (view->mode == COMPARE_LINE)
		draw_sides(compare, screen, sizes, view->percent);
	else
		draw_one(compare, screen, sizes, view->held);
}
