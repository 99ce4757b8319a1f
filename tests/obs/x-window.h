/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A window on the test's display, for sources that capture screens. It shows a square of coloured
 * blocks, the same as in blocks.png (see run-filter-test.sh).
 */
#ifndef TEST_OBS_X_WINDOW_H
#define TEST_OBS_X_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define BLOCKS_SIDE  64
#define BLOCKS_BLOCK 16

struct x_window;

/* Returns the colour of the block at 'x', 'y' pixels. */
void blocks_color(uint32_t x, uint32_t y, uint8_t *rgb);

/* Opens the window. NULL without a display. */
struct x_window *x_window_open(int x, int y);
void x_window_close(struct x_window *window);
/* Tells how much of the screen lies left of, above, right of and below the window. */
void x_window_around(const struct x_window *window, int around[4]);

#endif
