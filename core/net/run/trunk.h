/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trunk (section 11): from a frame's canvas to its picture, with no other frame.
 */
#ifndef FVSR_NET_TRUNK_H
#define FVSR_NET_TRUNK_H

#include "net/arena.h"
#include "net/run/canvas.h"
#include "net/run/context.h"

struct fvsr_trunk {
	const struct fvsr_context *ctx;
	const struct fvsr_canvases *canvases;
	int index, side; /* which of the model's, and for which scale; see fvsr_trunk_for() */
	double scale;    /* how much the stream enlarges */
	/* Called for the picture when it is in 'rgb'. */
	void (*finish)(void *opaque, int64_t n);
	void *opaque;

	void *input; /* ACT (h, w, FVSR_TRUNK_CHANNELS) */
	void *skips; /* ACT (FVSR_TRUNK_SKIPS, h, w, channels): what 'join' reads */
	void *x[2];  /* ACT (h, w, channels): of blocks whose results are no skips */
	void *t[2];  /* ACT (h, w, channels): within a block */
	void *flat;  /* ACT (h, w, 3 side side) */
	void *rgb;   /* F32 (3, H, W) */
};

/* Returns the trunk whose scale is nearest, of two the one of the larger. */
int fvsr_trunk_for(const struct fvsr_config *config, double scale);
/* Returns the side of a trunk's canvas for a visible side of 'px' pixels. */
int fvsr_trunk_canvas_px(const struct fvsr_config *config, double scale, int px);

/* Places all buffers, none of which outlives a frame. */
void fvsr_trunk_place_work(struct fvsr_trunk *t, struct fvsr_arena *arena);
/* Makes the picture of frame n. */
void fvsr_trunk_frame(const struct fvsr_trunk *t, int64_t n);

#endif
