/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A filter's place on an NVIDIA card: the context that the engine works in, streams beside the
 * engine's, and frames in the card's memory. It has several owners, a transport and its frames,
 * and lives as long as the last of them.
 */
#ifndef FLASHVSR_CUDA_SHARE_H
#define FLASHVSR_CUDA_SHARE_H

#include "transport/cuda-driver.h"
#include "fvsr/fvsr.h"

struct cuda_share {
	struct cuda_driver driver;
	int card;
	cuda_handle context;           /* the card's primary one, as the engine's is */
	unsigned long long context_id; /* another one after somebody has reset the context */
	bool retained;
	/*
	 * The render thread's copies. OBS's next commands wait for what is in here, so this stream
	 * never waits for the engine's work.
	 */
	cuda_handle stream;
	/* What frames for the engine, and from it, are ordered on. */
	cuda_handle to_engine, from_engine;
	cuda_handle order; /* an event, for the render thread */
};

/* With one owner. NULL: it cannot be had, and 'reason' says why. */
struct cuda_share *cuda_share_create(int card, char *reason, size_t reason_size);
void cuda_share_ref(struct cuda_share *share);
/*
 * The last owner frees everything. That waits for the card, so on a thread that draws, or holds
 * the graphics context, it is left to OBS's thread for destroying things ('later').
 */
void cuda_share_unref(struct cuda_share *share, bool later);

/* The context for the calling thread until cuda_share_leave(). False: it is lost or was reset. */
bool cuda_share_enter(struct cuda_share *share);
void cuda_share_leave(struct cuda_share *share);

/* An RGBA frame in the card's memory, ordered on 'stream', which owns the share too. In the
 * context. */
int cuda_share_make_frame(struct cuda_share *share, cuda_handle stream, fvsr_frame **out, int width,
			  int height);

#endif
