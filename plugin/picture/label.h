/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words in the picture, for comparing. OBS draws text with modules that need not be there, and with
 * fonts that differ from system to system, so these few words have a font of their own: letters of
 * dots, only those that the translations and `fvsr compare` need. No OBS here.
 */
#ifndef FLASHVSR_LABEL_H
#define FLASHVSR_LABEL_H

#include <stdint.h>

struct label {
	uint32_t width, height;
	uint8_t *pixels; /* RGBA, premultiplied: white dots on a dark, translucent ground */
};

/*
 * Draws a word of UTF-8 with dots of 'unit' pixels. free() the pixels; they are NULL where a
 * character is unknown or there is no memory.
 */
struct label label_make(const char *text, uint32_t unit);

#endif
