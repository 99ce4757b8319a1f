/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A transport: how pixels get from a texture of OBS into a frame for the worker, and back. The
 * filter knows only this interface; whether pixels pass through host memory or stay on the card is
 * the transport's business.
 *
 * All functions run on a thread that is inside the graphics context, and none waits for the GPU or
 * for the worker. Frames are freed with fvsr_frame_destroy() and may outlive the transport. The
 * worker waits for the card before it hands a frame back: one to be shown is complete, and one to
 * be filled has been read.
 */
#ifndef FLASHVSR_TRANSPORT_H
#define FLASHVSR_TRANSPORT_H

#include <graphics/graphics.h>

#include "transport/frame-queue.h"

struct frame_transport; /* each transport has its own */

/* Textures of in_width x in_height go in, of out_width x out_height come out. */
struct frame_transport_setup {
	int in_width, in_height, out_width, out_height;
	int card; /* the engine runs on it, as CUDA counts them; -1: on none, or that is not known
		   */
};

struct frame_exchange {
	bool fetch;            /* the oldest staged texture is to be fetched, ... */
	fvsr_frame *in;        /* ... into this frame, with its tag; NULL: it is dropped */
	const fvsr_frame *out; /* this frame is to be shown; NULL: none */
	bool fetched;          /* result: 'in' is complete */
	gs_texture_t *shown;   /* result: it shows 'out', until another is shown; NULL: failed */
};

struct frame_transport_ops {
	bool lasting; /* what exchange() shows stays as it is until it shows another */

	/* Makes a transport. NULL: it cannot be had, and 'reason' says why. */
	struct frame_transport *(*create)(const struct frame_transport_setup *setup, char *reason,
					  size_t reason_size);
	/* Frees a transport. NULL is allowed. */
	void (*destroy)(struct frame_transport *transport);

	/* Makes a frame in the memory that this transport reads and writes; see struct frame_maker.
	 */
	int (*make_frame)(void *transport, fvsr_frame **out, enum frame_direction direction,
			  int width, int height);

	/*
	 * Starts to carry a GS_RGBA_UNORM texture of straight alpha. False: it is not taken,
	 * because too many are on their way.
	 */
	bool (*stage)(struct frame_transport *transport, gs_texture_t *texture, int64_t tag);
	/* To be called once for each picture of OBS. */
	void (*advance)(struct frame_transport *transport);
	/* Returns true when the oldest staged texture can be fetched without waiting. */
	bool (*ready)(const struct frame_transport *transport);
	/* Carries pixels both ways at once, which pays where textures are mapped for it. */
	void (*exchange)(struct frame_transport *transport, struct frame_exchange *exchange);
	/* Forgets everything on its way. */
	void (*clear)(struct frame_transport *transport);
	/*
	 * Returns why this transport has ceased to work; NULL while it works. The function may be
	 * NULL.
	 */
	const char *(*trouble)(const struct frame_transport *transport);
};

/* Carries pixels through host memory, with every card and every backend. */
extern const struct frame_transport_ops frame_transport_readback;
/* Carries pixels on the card, for an engine that runs on the NVIDIA card that OBS renders on. */
extern const struct frame_transport_ops frame_transport_interop;

#endif
