/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A window on the test's display, for what captures screens: a square of blocks of colours, the
 * same as in blocks.png (see run-filter-test.sh).
 */
#ifndef TEST_OBS_X_WINDOW_H
#define TEST_OBS_X_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define BLOCKS_SIDE  64
#define BLOCKS_BLOCK 16

struct x_window;

/* The colour of the block at 'x', 'y' pixels. */
void blocks_color(uint32_t x, uint32_t y, uint8_t *rgb);

/* NULL without a display. */
struct x_window *x_window_open(int x, int y);
void x_window_close(struct x_window *window);
/* How much of the screen lies left, above, right and below of it. */
void x_window_around(const struct x_window *window, int around[4]);

#endif
