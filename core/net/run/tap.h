/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taps show intermediate tensors to a caller, under the names and in the shapes of the golden
 * streams. Each function does nothing unless there is a tap that wants its tensor.
 */
#ifndef FVSR_NET_TAP_H
#define FVSR_NET_TAP_H

#include "net/run/context.h"

struct fvsr_tap_state;

/* Opens a tap on runs that attend to 'key_slices' slices at most. FVSR_ERR_MEMORY is possible. */
int fvsr_tap_open(struct fvsr_tap_state **out, const struct fvsr_context *ctx, int key_slices,
		  const struct fvsr_tap *tap);
/* NULL is allowed. */
void fvsr_tap_close(struct fvsr_tap_state *state);

/* Shows tokens of all slices of chunk k: ACT (slices, rows, dim). */
void fvsr_tap_tokens(struct fvsr_tap_state *state, int64_t k, const char *what, const void *tokens);
/* Adds the lists of slice 'place' of chunk k to the mask, and shows it when it is whole. */
void fvsr_tap_mask(struct fvsr_tap_state *state, int64_t k, int place,
		   const struct fvsr_block_select *select);
/* Adds the latent frames of slice 'place' of chunk k, and shows them when they are whole. */
void fvsr_tap_latent(struct fvsr_tap_state *state, int64_t k, int place, const void *latent);
/* Shows picture n: F32 (3, height, width). */
void fvsr_tap_picture(struct fvsr_tap_state *state, int64_t n, const char *what,
		      const void *picture, int width, int height);

#endif
