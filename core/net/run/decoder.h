/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decoder (section 7): from latent frames and canvases to pictures.
 */
#ifndef FVSR_NET_DECODER_H
#define FVSR_NET_DECODER_H

#include "net/arena.h"
#include "net/run/canvas.h"
#include "net/run/context.h"

/* Buffers are by level: 1/8, 1/4, 1/2, 1/1. */
struct fvsr_decoder {
	const struct fvsr_context *ctx;
	const struct fvsr_canvases *canvases;
	bool lean; /* one frame at a time, and strips of the largest level */
	/* Called for every picture when it is in 'rgb', in order. */
	void (*finish)(void *opaque, int64_t n);
	void *opaque;

	void *input; /* ACT (2, lh, lw, 768 + channels) */
	/* ACT (1 + frames, ...): a MemBlock's input, behind one frame of past */
	void *block[3][FVSR_DEC_BLOCKS_MAX];
	void *t1[3], *t2[3]; /* ACT, frames of a level; t2: input of a level without MemBlocks */
	void *top[2];        /* ACT (H, W, c3); of a strip, when there are several */
	void *flat;      /* ACT (h, w, rgb channels): end of a decoder of fewer levels, or NULL */
	void *rgb;       /* F32 (3, H, W) */
	void *strip_rgb; /* F32 (3, rows of a strip, W), if there are several strips */
	void *strip_canvas; /* CANVAS, the same shape */
};

/* Returns how many latent frames before its own a picture depends on. */
int fvsr_decoder_past(const struct fvsr_config *config);
/* Places the buffers that outlive a slice. */
void fvsr_decoder_place(struct fvsr_decoder *d, struct fvsr_arena *arena);
/* Places the buffers that do not. */
void fvsr_decoder_place_work(struct fvsr_decoder *d, struct fvsr_arena *arena);
/* Forgets the past: the next slice is the first of a video. */
void fvsr_decoder_reset(const struct fvsr_decoder *d);
/* Makes the pictures of slice s from its latent frames, but none before frame 0 or after 'last'. */
void fvsr_decoder_slice(const struct fvsr_decoder *d, const void *latent, int64_t s, int64_t last);

#endif
