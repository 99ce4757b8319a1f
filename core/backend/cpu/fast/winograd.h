/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 3x3 convolutions with a quarter of the multiplications: Winograd's F(4x4, 3x3) (Lavin and Gray,
 * "Fast algorithms for convolutional neural networks", arXiv 1509.09308). Tiles of 6x6 pixels and
 * the kernels are transformed, what remains is 36 products of matrices, and their results are
 * transformed to 4x4 pixels.
 */
#ifndef FVSR_CPU_FAST_WINOGRAD_H
#define FVSR_CPU_FAST_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>

#include "backend/ops.h"

struct fvsr_conv3x3;
struct fvsr_fast_device;
struct fvsr_queue;

#define FVSR_WINOGRAD_IN  6  /* side of a tile that is read */
#define FVSR_WINOGRAD_OUT 4  /* side of a tile that is written */
#define FVSR_WINOGRAD_ALL 36 /* matrices */

/* Says where a tile's pixels go; steps are in elements. */
struct fvsr_winograd_tile {
	float *dst;
	const float *residual, *bias; /* NULL: none */
	size_t pixel, row;
	int height, width; /* of the part that lies inside the picture */
	int channels;      /* a multiple of 16, as everywhere here */
	bool relu;
	enum fvsr_trunk_end end; /* see struct fvsr_conv3x3 */
};

/*
 * Computes the convolution, or plans it, and returns true; returns false when another way is better
 * for its shape. Planning without addresses does not tell whether there will be a past, and with it
 * which way is better: it asks for the scratch memory of this one and returns false, so that the
 * caller plans the other one too.
 */
bool fvsr_winograd_conv3x3(struct fvsr_queue *queue, const struct fvsr_conv3x3 *a);
/* Drops the transformed weights of what lies within 'bytes' from 'memory' on. */
void fvsr_winograd_forget(struct fvsr_fast_device *device, const void *memory, size_t bytes);

#endif
