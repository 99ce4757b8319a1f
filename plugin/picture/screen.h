/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the filter shows: which picture of the source it is, and the source's past pictures, of
 * which a bicubic one is made where there is no upscaled one. Time never goes back on it: when the
 * delay becomes longer the picture stands still.
 *
 * For the graphics thread.
 */
#ifndef FLASHVSR_SCREEN_H
#define FLASHVSR_SCREEN_H

#include "picture/drawing.h"
#include "picture/past-pictures.h"

struct screen {
	struct drawing *drawing;
	struct past_pictures *past;
	int64_t content_ns; /* when what is shown was the source's picture */
	bool upscaled;      /* what is shown is the network's picture */
};

/* False when the effect cannot be loaded. screen_free() must follow in any case. */
bool screen_init(struct screen *screen);
void screen_free(struct screen *screen);

/* True when something of this output's size can be drawn. */
bool screen_ready(const struct screen *screen, const struct sizes *sizes);
/* True when a picture of this time may be shown. */
bool screen_is_news(const struct screen *screen, const struct sizes *sizes, int64_t time);
/*
 * Shows a picture of this time, scaled to the output's size by bicubic interpolation. False: that
 * failed, or the picture is NULL.
 */
bool screen_compose(struct screen *screen, const struct sizes *sizes, gs_texture_t *texture,
		    int64_t time);
/*
 * Shows a picture of the network. If it has the output's size and is 'lasting', which
 * means that it changes only with what is shown, it is not copied, which would take OBS's time.
 */
bool screen_show(struct screen *screen, const struct sizes *sizes, gs_texture_t *texture,
		 bool lasting, int64_t time);

#endif
