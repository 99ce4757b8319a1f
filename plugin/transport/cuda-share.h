/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A filter's share of an NVIDIA card: the context that the engine works in, streams beside the
 * engine's, and frames in the card's memory. A share is owned by a transport and by its frames, and
 * lives as long as the last of them.
 */
#ifndef FLASHVSR_CUDA_SHARE_H
#define FLASHVSR_CUDA_SHARE_H

#include "transport/cuda-driver.h"
#include "fvsr/fvsr.h"

struct cuda_share {
	struct cuda_driver driver;
	int card;
	cuda_handle context;           /* the card's primary context, which is the engine's, too */
	unsigned long long context_id; /* another one after somebody has reset the context */
	bool retained;
	/*
	 * The stream of the render thread's copies. OBS's next commands wait for them, so this
	 * stream never waits for the engine's work.
	 */
	cuda_handle stream;
	/* The streams that frames for the engine, and frames from it, are ordered on. */
	cuda_handle to_engine, from_engine;
	cuda_handle order; /* an event that the render thread records */
};

/* Creates a share with one owner. NULL: it cannot be had, and 'reason' says why. */
struct cuda_share *cuda_share_create(int card, char *reason, size_t reason_size);
/* Adds an owner. */
void cuda_share_ref(struct cuda_share *share);
/*
 * Removes an owner; the last one frees everything. Freeing waits for the card, so a thread that
 * draws or holds the graphics context leaves it to OBS's thread for destroying things ('later').
 */
void cuda_share_unref(struct cuda_share *share, bool later);

/* Enters the context until cuda_share_leave(). False: the context is lost or was reset. */
bool cuda_share_enter(struct cuda_share *share);
void cuda_share_leave(struct cuda_share *share);

/*
 * Makes an RGBA frame in the card's memory, which is ordered on 'stream' and owns the share, too.
 * In the context.
 */
int cuda_share_make_frame(struct cuda_share *share, cuda_handle stream, fvsr_frame **out, int width,
			  int height);

#endif
