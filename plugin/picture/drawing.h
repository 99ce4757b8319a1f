/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter's drawing. It renders the source into a texture for the engine, and it makes and draws
 * what is shown, upscaled or bicubic, at the output's size. All functions run on the graphics
 * thread or inside the graphics context.
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
/* Returns how long drawing the source itself took in the last drawing_capture(). */
int64_t drawing_source_ns(const struct drawing *drawing);

/* Sets what is shown: 'texture' (GS_RGBA_UNORM, straight alpha), scaled if it is smaller. */
bool drawing_compose(struct drawing *drawing, gs_texture_t *texture, uint32_t width,
		     uint32_t height);
/*
 * Sets 'texture' itself, without a copy, as what is shown. It has the output's size, and must stay
 * and change only with what is shown. Before it goes, drawing_keep() copies it.
 */
void drawing_show(struct drawing *drawing, gs_texture_t *texture);
void drawing_keep(struct drawing *drawing);
/*
 * Renders what lies under 'filter' in high dynamic range, as light of 'space' in floating point,
 * and sets the enlarged result as what is shown.
 */
bool drawing_compose_hdr(struct drawing *drawing, obs_source_t *filter, const struct sizes *sizes,
			 enum gs_color_space space);
/* Returns true when there is something of this size to be drawn. */
bool drawing_composed(const struct drawing *drawing, uint32_t width, uint32_t height);
/*
 * Enlarges 'texture' by bicubic interpolation beside what is shown, to be compared with it;
 * drawing_drop_before() frees the result.
 */
bool drawing_compose_before(struct drawing *drawing, gs_texture_t *texture, uint32_t width,
			    uint32_t height);
void drawing_drop_before(struct drawing *drawing);

/* Draws what is shown where OBS is drawing, in the colour space of OBS's target. */
void drawing_draw(struct drawing *drawing);
/* Draws some columns of what is shown, or of what drawing_compose_before() made. */
void drawing_draw_columns(struct drawing *drawing, bool before, uint32_t x, uint32_t width);
/* Draws a GS_RGBA texture, premultiplied, over what was drawn. */
void drawing_draw_over(gs_texture_t *texture, uint32_t x, uint32_t y, uint32_t width,
		       uint32_t height);

#endif
