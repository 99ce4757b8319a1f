/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bicubic as in Pillow (Keys, a = -0.5), which makes a canvas of a frame. Each axis has a table of
 * integer weights, so that every backend that uses the tables makes the same bytes: a pass sums
 * products in 32 bits, adds a half and cuts the fraction off.
 */
#ifndef FVSR_BASE_BICUBIC_H
#define FVSR_BASE_BICUBIC_H

#include <stddef.h>
#include <stdint.h>

/* Taps of one axis of a resize: output i reads 'count[i]' inputs from 'first[i]' on. */
struct fvsr_resize_axis {
	int in, out, taps; /* taps: the most that an output reads */
	int *first, *count;
	int32_t *weight; /* (out, taps), 22 fractional bits */
};

/*
 * Makes the table for 'in' to 'out' elements, unless it is that table already. The axis is all
 * zero or has been initialised before. FVSR_ERR_MEMORY leaves it all zero.
 */
int fvsr_resize_axis_init(struct fvsr_resize_axis *axis, int in, int out);
/* Frees the table and zeroes the axis. */
void fvsr_resize_axis_clear(struct fvsr_resize_axis *axis);
/*
 * Scales a picture of four 8-bit channels. 'rows' is room for (in height, out width, 4) bytes;
 * 'dst' has no space between its rows. Allocates nothing.
 */
void fvsr_resize_u8x4(uint8_t *dst, uint8_t *rows, const uint8_t *src, size_t src_stride,
		      const struct fvsr_resize_axis *horizontal,
		      const struct fvsr_resize_axis *vertical, int threads);

#endif
