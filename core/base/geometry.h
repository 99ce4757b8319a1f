/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the network divides a canvas into latent positions, tokens and blocks (section 1), and a
 * head into the parts that rotate with frame, row and column (section 5). Readers of models, the
 * network and the backends all need these numbers.
 */
#ifndef FVSR_BASE_GEOMETRY_H
#define FVSR_BASE_GEOMETRY_H

#include "base/common.h"

#define FVSR_LATENT_PX      8  /* side of the square of pixels that a latent position stands for */
#define FVSR_TOKEN_PX       16 /* of the square that a token stands for: 2 x 2 latent positions */
#define FVSR_BLOCK_SIDE     8  /* tokens */
#define FVSR_CANVAS_STEP_PX (FVSR_BLOCK_SIDE * FVSR_TOKEN_PX) /* sides of a canvas: multiples */
#define FVSR_BLOCK_TOKENS   (2 * FVSR_BLOCK_SIDE * FVSR_BLOCK_SIDE)
#define FVSR_PATCH          4 /* latent positions of a token */

/* Samples of a canvas under a token, which the projection reads (section 4): 768. */
#define FVSR_TOKEN_SAMPLES (3 * FVSR_TOKEN_PX * FVSR_TOKEN_PX)
/* Samples of four canvases under a latent position, the decoder's condition (section 7): 768. */
#define FVSR_CONDITION_SAMPLES (3 * 4 * FVSR_LATENT_PX * FVSR_LATENT_PX)

#define FVSR_TRUNK_INPUTS   4  /* channels that a trunk sees: three colours and the scale */
#define FVSR_TRUNK_CHANNELS 8  /* of them in memory: the rest is 0 */
#define FVSR_TRUNK_STEP     16 /* its grid's sides are multiples, as convolutions like them */

/* Returns the side of the canvas for a visible side of 'px' pixels. */
static inline int fvsr_canvas_px(int px)
{
	return fvsr_round_up(px, FVSR_CANVAS_STEP_PX);
}

/* Returns how many elements of a head rotate with the row, and as many with the column. */
static inline int fvsr_rope_side(int head_dim)
{
	return head_dim / 3 & ~1;
}

/* Returns how many elements of a head rotate with the frame: the rest. */
static inline int fvsr_rope_frame(int head_dim)
{
	return head_dim - 2 * fvsr_rope_side(head_dim);
}

#endif
