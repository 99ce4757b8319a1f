/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The canvases of the latest frames, and their alpha, in a ring.
 */
#ifndef FVSR_NET_CANVAS_H
#define FVSR_NET_CANVAS_H

#include "net/arena.h"
#include "net/run/context.h"

struct fvsr_canvases {
	const struct fvsr_context *ctx;
	int count;    /* how many there are: a frame's canvas stays until that many more came */
	void *canvas; /* CANVAS (count, 3, pad_height, pad_width) */
	void *alpha;  /* U8 (count, height, width) */
};

void fvsr_canvases_place(struct fvsr_canvases *canvases, struct fvsr_arena *arena);
/* Puts frame n on its canvas. */
void fvsr_canvases_ingest(const struct fvsr_canvases *canvases, int64_t n,
			  const struct fvsr_picture *picture);
/* Returns the canvas of frame n; frames before the first and after 'last' repeat those. */
void *fvsr_canvas(const struct fvsr_canvases *canvases, int64_t n, int64_t last);
/* Returns the alpha of frame n, which there is. */
void *fvsr_canvas_alpha(const struct fvsr_canvases *canvases, int64_t n);

#endif
