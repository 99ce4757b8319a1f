/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 3x3 convolutions with a quarter of the multiplications: Winograd's F(4x4, 3x3) (Lavin and Gray,
 * "Fast algorithms for convolutional neural networks", arXiv 1509.09308). A tile of 6x6 pixels and
 * the kernels are transformed, products of matrices remain in between, 36 of them, and their
 * results are transformed to 4x4 pixels.
 */
#ifndef FVSR_CPU_WINOGRAD_H
#define FVSR_CPU_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>

struct fvsr_conv3x3;
struct fvsr_dnnl_device;
struct fvsr_queue;
struct fvsr_winograd_weight;

#define FVSR_WINOGRAD_IN  6  /* side of a tile that is read */
#define FVSR_WINOGRAD_OUT 4  /* side of a tile that is written */
#define FVSR_WINOGRAD_ALL 36 /* matrices */

/* Where a tile's pixels go. Steps in elements. */
struct fvsr_winograd_tile {
	float *dst;
	const float *residual, *bias; /* NULL: none */
	size_t pixel, row;
	int height, width; /* of what lies inside of the picture */
	int channels;      /* a multiple of 16, as everywhere here */
	bool relu;
};

/* Does the convolution, or plans it; false when another way is better for its shape. */
bool fvsr_winograd_conv3x3(struct fvsr_queue *queue, const struct fvsr_conv3x3 *a);
/* Drops transformed weights of what lies within 'bytes' from 'memory' on. The device is locked. */
void fvsr_winograd_forget(struct fvsr_dnnl_device *device, const void *memory, size_t bytes);

#endif
