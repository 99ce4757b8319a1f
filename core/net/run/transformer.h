/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The diffusion transformer (sections 5 and 6): from noise and LQ tokens to latent frames.
 */
#ifndef FVSR_NET_TRANSFORMER_H
#define FVSR_NET_TRANSFORMER_H

#include "net/arena.h"
#include "net/run/context.h"
#include "net/run/kv.h"
#include "net/run/tap.h"

struct fvsr_transformer {
	const struct fvsr_context *ctx;
	void *const *tokens;        /* the projection's, by layer: ACT (3 slices, rows, dim) */
	struct fvsr_tap_state *tap; /* or NULL */
	struct fvsr_kv kv;
	int prompt; /* which of the model's */
	int local_range;
	int64_t topk; /* see struct fvsr_block_select */
	enum fvsr_noise noise_kind;
	uint64_t seed;
	int64_t first_slice; /* that the run's slice 0 is in the whole video */

	void *latent;        /* F32 (3 slices, 2, lh, lw, channels); outlives the chunk */
	void *x;             /* ACT (3 slices, rows, dim) */
	void *q;             /* ACT (3 slices, rows, dim), window order */
	void *a;             /* ACT (rows, dim) */
	void *wide;          /* ACT (rows, max(3 dim, ffn)) */
	void *q_mean;        /* F32 (3 slices, nb, dim) */
	void *index, *count; /* of struct fvsr_block_select, for one slice of queries */
	void *rope_frame[FVSR_CHUNK0_SLICES], *rope_row, *rope_column;
	void *noise;   /* F32 (3 slices, 2, lh, lw, channels) */
	void *patches; /* ACT (rows, 4 channels), of one slice */
};

/* Sets the attention budget from the next chunk on: the share of pairs of blocks that is kept. */
void fvsr_transformer_set_topk(struct fvsr_transformer *t, double topk_ratio);
/* Places the buffers that outlive a chunk, the cache included. */
void fvsr_transformer_place(struct fvsr_transformer *t, struct fvsr_arena *arena);
/* Places the buffers that do not. */
void fvsr_transformer_place_work(struct fvsr_transformer *t, struct fvsr_arena *arena);
/* Makes the latent frames of chunk k, whose tokens are there. */
void fvsr_transformer_chunk(struct fvsr_transformer *t, int64_t k);
/* Returns the latent frames of slice s, whose chunk is the last that has run. */
const void *fvsr_transformer_latent(const struct fvsr_transformer *t, int64_t s);

#endif
