/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The source's pictures of the last moment, as long as the delay. While there is no upscaled
 * picture to show (the stream starts over, the worker is behind) the bicubic one is made from
 * these, so that it is as late as the upscaled ones are and the sound stays with it.
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
/* Forgets all and frees their textures. */
void past_pictures_clear(struct past_pictures *past);

/*
 * True when the picture of 'now' should be kept for a delay of 'delay_ns'. A long delay of large
 * pictures is kept with fewer of them a second, so that the memory stays bounded.
 */
bool past_pictures_wanted(const struct past_pictures *past, uint32_t width, uint32_t height,
			  int64_t now, int64_t delay_ns, int64_t tick_ns);
/* Copies 'texture' (GS_RGBA_UNORM); another size than before forgets what there was. */
void past_pictures_keep(struct past_pictures *past, gs_texture_t *texture, int64_t now,
			int64_t delay_ns);
/*
 * The newest that is not younger than '*time', or else the oldest, and when it was kept. Where the
 * source was not drawn for a moment it is the nearest, before or after. NULL when there is none.
 */
gs_texture_t *past_pictures_at(const struct past_pictures *past, int64_t *time);

#endif
