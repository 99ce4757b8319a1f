/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The LQ projection (section 4): from canvases to the tokens that steer the transformer.
 */
#ifndef FVSR_NET_PROJECTION_H
#define FVSR_NET_PROJECTION_H

#include "net/arena.h"
#include "net/run/canvas.h"
#include "net/run/context.h"

struct fvsr_projection {
	const struct fvsr_context *ctx;
	const struct fvsr_canvases *canvases;
	enum fvsr_lq_version version; /* V1 or V1_1 */

	void *input;  /* ACT (10, h, w, 768): two frames before the slice, then its eight */
	void *middle; /* ACT (6, h, w, hidden1): two from before, then the slice's four */
	void *output; /* ACT (2, h, w, hidden2) */
	void *tokens[FVSR_MAX_LQ_LAYERS]; /* ACT (3 slices, rows, dim) */
};

/* Places the buffers that outlive a slice. */
void fvsr_projection_place(struct fvsr_projection *projection, struct fvsr_arena *arena);
/* Places the buffers that do not. */
void fvsr_projection_place_work(struct fvsr_projection *projection, struct fvsr_arena *arena);
/* Makes the tokens of slice s, which go to its place in 'tokens'; 'last': see fvsr_canvas(). */
void fvsr_projection_slice(const struct fvsr_projection *projection, int64_t s, int64_t last);

#endif
