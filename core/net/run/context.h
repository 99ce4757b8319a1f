/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all stages of a run have in common: the network and its backend, the queue, the sizes, and
 * a way to rest between two pieces of work. A stage keeps a pointer to it beside its own buffers
 * and knows nothing of the run.
 */
#ifndef FVSR_NET_CONTEXT_H
#define FVSR_NET_CONTEXT_H

#include "net/net.h"
#include "net/slices.h"

#define FVSR_EPS 1e-6f /* of all norms */

struct fvsr_context {
	const struct fvsr_net *net;
	const struct fvsr_backend *backend;
	struct fvsr_queue *queue;

	int width, height;                     /* px, what is visible */
	int pad_width, pad_height;             /* px, of the canvas */
	int lw, lh;                            /* latent positions of a frame; a trunk has none */
	int w, h;                              /* tokens of a frame */
	int block_columns, block_rows, blocks; /* of a slice */
	int rows;                              /* tokens of a slice */

	void (*breathe)(void *opaque); /* or NULL */
	void *breathe_opaque;
};

/* Returns the bytes of so many activations. */
static inline size_t fvsr_act_bytes(const struct fvsr_context *ctx, size_t elements)
{
	return elements * ctx->backend->act_bytes;
}

/* Returns the bytes of the latent frames of a slice: F32 (2, lh, lw, channels). */
static inline size_t fvsr_latent_bytes(const struct fvsr_context *ctx)
{
	size_t channels = (size_t)ctx->net->config.in_dim;

	return FVSR_SLICE_LATENTS * channels * ctx->lh * ctx->lw * sizeof(float);
}

/* Lets others have their turn between two pieces of work. */
static inline void fvsr_breathe(const struct fvsr_context *ctx)
{
	if (ctx->breathe)
		ctx->breathe(ctx->breathe_opaque);
}

#endif
