/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping past pictures: see past-pictures.h. They are a short list, oldest first. The texture of a
 * picture that is too old to be shown again is used for the newest.
 */
#include "picture/past-pictures.h"

#include <string.h>

#define PICTURES_MAX 256
#define PICTURES_MIN 4
#define BYTES_MAX    (256u << 20)
#define GAP_NS       100000000LL

struct past_picture {
	gs_texture_t *texture;
	int64_t time;
};

struct past_pictures {
	struct past_picture list[PICTURES_MAX];
	unsigned count;
	uint32_t width, height;
};

struct past_pictures *past_pictures_create(void)
{
	return bzalloc(sizeof(struct past_pictures));
}

static void drop_oldest(struct past_pictures *past)
{
	gs_texture_destroy(past->list[0].texture);
	past->count--;
	memmove(past->list, past->list + 1, past->count * sizeof(*past->list));
}

void past_pictures_clear(struct past_pictures *past)
{
	if (!past->count)
		return;
	obs_enter_graphics();
	while (past->count)
		drop_oldest(past);
	obs_leave_graphics();
}

void past_pictures_destroy(struct past_pictures *past)
{
	if (!past)
		return;
	past_pictures_clear(past);
	bfree(past);
}

static unsigned limit(uint32_t width, uint32_t height)
{
	const uint64_t fit = BYTES_MAX / ((uint64_t)width * height * 4);

	return fit > PICTURES_MAX   ? PICTURES_MAX
	       : fit < PICTURES_MIN ? PICTURES_MIN
				    : (unsigned)fit;
}

bool past_pictures_wanted(const struct past_pictures *past, uint32_t width, uint32_t height,
			  int64_t now, int64_t delay_ns, int64_t tick_ns)
{
	const int64_t room = limit(width, height) - 2;
	int64_t step_ns;

	if (!delay_ns || !past->count || width != past->width || height != past->height)
		return delay_ns != 0;
	/* Whole ticks, or the pictures would be uneven; half a tick of tolerance. */
	step_ns = (delay_ns / tick_ns + room - 1) / room * tick_ns;
	return now - past->list[past->count - 1].time >= step_ns - tick_ns / 2;
}

/* Returns a texture for the newest picture: the oldest picture's, if that can be spared. */
static gs_texture_t *spare_texture(struct past_pictures *past, int64_t needed)
{
	gs_texture_t *texture;

	/* A delay that became shorter needs fewer of them. */
	while (past->count > 2 && past->list[2].time <= needed)
		drop_oldest(past);
	if (past->count < limit(past->width, past->height) &&
	    (past->count < 2 || past->list[1].time > needed))
		return gs_texture_create(past->width, past->height, GS_RGBA_UNORM, 1, NULL, 0);
	texture = past->list[0].texture;
	past->count--;
	memmove(past->list, past->list + 1, past->count * sizeof(*past->list));
	return texture;
}

void past_pictures_keep(struct past_pictures *past, gs_texture_t *texture, int64_t now,
			int64_t delay_ns)
{
	struct past_picture newest = {.time = now};

	if (gs_texture_get_width(texture) != past->width ||
	    gs_texture_get_height(texture) != past->height) {
		past_pictures_clear(past);
		past->width = gs_texture_get_width(texture);
		past->height = gs_texture_get_height(texture);
	}
	newest.texture = spare_texture(past, now - delay_ns);
	if (!newest.texture)
		return;
	gs_copy_texture(newest.texture, texture);
	past->list[past->count++] = newest;
}

gs_texture_t *past_pictures_at(const struct past_pictures *past, int64_t *time)
{
	unsigned i = past->count;
	int64_t since_ns;

	while (i > 1 && past->list[i - 1].time > *time)
		i--;
	if (!i)
		return NULL;
	since_ns = *time - past->list[i - 1].time;
	if (i < past->count && since_ns > GAP_NS && past->list[i].time - *time < since_ns)
		i++;
	*time = past->list[i - 1].time;
	return past->list[i - 1].texture;
}
