/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter's drawing: the source's picture into a texture for the engine, and what is shown,
 * upscaled or bicubic, always at the output's size. Everything here runs on the graphics thread or
 * inside the graphics context.
 */
#ifndef FLASHVSR_DRAWING_H
#define FLASHVSR_DRAWING_H

#include <obs-module.h>

#include "policy/sizes.h"

struct drawing;

/* Loads the effect. NULL when that fails; the reason is logged by libobs. */
struct drawing *drawing_create(void);
/* NULL is allowed. */
void drawing_destroy(struct drawing *drawing);

/*
 * Renders what lies under 'filter' into a GS_RGBA_UNORM texture of straight alpha and returns it;
 * NULL when there is nothing to render. It stays valid until the next call.
 */
gs_texture_t *drawing_capture(struct drawing *drawing, obs_source_t *filter, uint32_t width,
			      uint32_t height);
/* How long drawing the source itself took in the last drawing_capture(). */
int64_t drawing_source_ns(const struct drawing *drawing);

/* Sets what is shown: 'texture' (GS_RGBA_UNORM, straight alpha), scaled if it is smaller. */
bool drawing_compose(struct drawing *drawing, gs_texture_t *texture, uint32_t width,
		     uint32_t height);
/*
 * The same without a copy: shows 'texture' itself, of the output's size, which must stay and change
 * only with what is shown. Before it goes, drawing_keep() takes the copy.
 */
void drawing_show(struct drawing *drawing, gs_texture_t *texture);
void drawing_keep(struct drawing *drawing);
/*
 * For high dynamic range: renders what lies under 'filter' as it is, light of 'space' in floating
 * point, and sets that, enlarged, as what is shown.
 */
bool drawing_compose_hdr(struct drawing *drawing, obs_source_t *filter, const struct sizes *sizes,
			 enum gs_color_space space);
/* True when something of this size was composed and can be drawn (again). */
bool drawing_composed(const struct drawing *drawing, uint32_t width, uint32_t height);
/* Draws it where OBS is drawing, in the colour space of that. */
void drawing_draw(struct drawing *drawing);

#endif
