/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Before and after in one picture, at one size and one delay. "After" is what the filter shows,
 * "before" the source's own picture of the same time, enlarged by bicubic interpolation. Words in
 * the picture say which is which. Where no upscaled picture is shown, all of it is "before".
 *
 * For the graphics thread.
 */
#ifndef FLASHVSR_COMPARE_H
#define FLASHVSR_COMPARE_H

#include "picture/screen.h"

enum compare_mode {
	COMPARE_OFF = 1,
	COMPARE_LINE, /* before on the left of a line, after on its right */
	COMPARE_HOLD, /* after, or before while a key is held */
};

struct compare_view {
	enum compare_mode mode;
	uint32_t percent; /* where the line is, from the left */
	bool held;
};

struct compare {
	gs_texture_t *before_label, *after_label, *line;
	uint32_t unit;      /* pixels of a dot of the labels; 0: there are none yet */
	struct sizes sizes; /* of the picture that was made ready */
	int64_t content_ns; /* and its time; 0: there is none */
};

/* Frees all that was made. compare_prepare() makes it again. Any thread. */
void compare_clear(struct compare *compare, struct screen *screen);
/*
 * Makes ready what the picture on the screen is compared with. To be called for each picture,
 * before the past picture of its time is given up.
 */
void compare_prepare(struct compare *compare, struct screen *screen, const struct sizes *sizes);
/* Draws the picture on the screen as drawing_draw() does, compared. */
void compare_draw(const struct compare *compare, const struct screen *screen,
		  const struct sizes *sizes, const struct compare_view *view);

#endif
