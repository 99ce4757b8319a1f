/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter's drawing: the source's picture into a texture for the engine, and what is shown,
 * upscaled or bicubic, always at the output's size. Everything here runs on the graphics thread or
 * inside the graphics context.
 */
#ifndef FLASHVSR_PICTURE_H
#define FLASHVSR_PICTURE_H

#include <obs-module.h>

#include "policy/sizes.h"

struct picture;

/* Loads the effect. NULL when that fails; the reason is logged by libobs. */
struct picture *picture_create(void);
/* NULL is allowed. */
void picture_destroy(struct picture *picture);

/*
 * Renders what lies under 'filter' into a GS_RGBA_UNORM texture of straight alpha and returns it;
 * NULL when there is nothing to render. It stays valid until the next call.
 */
gs_texture_t *picture_capture(struct picture *picture, obs_source_t *filter, uint32_t width,
			      uint32_t height);
/* How long drawing the source itself took in the last picture_capture(). */
int64_t picture_source_ns(const struct picture *picture);

/* Sets what is shown: 'texture' (GS_RGBA_UNORM, straight alpha), scaled if it is smaller. */
bool picture_compose(struct picture *picture, gs_texture_t *texture, uint32_t width,
		     uint32_t height);
/*
 * The same without a copy: shows 'texture' itself, of the output's size, which must stay and change
 * only with what is shown. Before it goes, picture_keep() takes the copy.
 */
void picture_show(struct picture *picture, gs_texture_t *texture);
void picture_keep(struct picture *picture);
/*
 * For high dynamic range: renders what lies under 'filter' as it is, light of 'space' in floating
 * point, and sets that, enlarged, as what is shown.
 */
bool picture_compose_hdr(struct picture *picture, obs_source_t *filter, const struct sizes *sizes,
			 enum gs_color_space space);
/* True when something of this size was composed and can be drawn (again). */
bool picture_composed(const struct picture *picture, uint32_t width, uint32_t height);
/* Draws it where OBS is drawing, in the colour space of that. */
void picture_draw(struct picture *picture);

#endif
