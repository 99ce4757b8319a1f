/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The source's past pictures, as far back as the delay. While there is no upscaled picture to show
 * (the stream starts over, or the worker is behind), the bicubic one is made from a past picture,
 * so that it is as late as the upscaled ones and the sound stays with it.
 *
 * For the graphics thread. All times are in nanoseconds.
 */
#ifndef FLASHVSR_PAST_PICTURES_H
#define FLASHVSR_PAST_PICTURES_H

#include <obs-module.h>

struct past_pictures;

struct past_pictures *past_pictures_create(void);
/* NULL is allowed. */
void past_pictures_destroy(struct past_pictures *past);
/* Forgets all pictures and frees their textures. */
void past_pictures_clear(struct past_pictures *past);

/*
 * Returns true when the picture of 'now' is to be kept for a delay of 'delay_ns'. Where the delay
 * is long or the pictures are large, fewer of them a second are kept, so that memory stays bounded.
 */
bool past_pictures_wanted(const struct past_pictures *past, uint32_t width, uint32_t height,
			  int64_t now, int64_t delay_ns, int64_t tick_ns);
/* Keeps a copy of 'texture' (GS_RGBA_UNORM). Pictures of another size are forgotten. */
void past_pictures_keep(struct past_pictures *past, gs_texture_t *texture, int64_t now,
			int64_t delay_ns);
/*
 * Returns the newest picture that is not younger than '*time', or else the oldest, and sets '*time'
 * to the picture's own. Where the source was not drawn for a moment, the picture is the nearest,
 * before or after that. NULL when there is none.
 */
gs_texture_t *past_pictures_at(const struct past_pictures *past, int64_t *time);

#endif
