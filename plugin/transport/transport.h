/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How pixels get from a texture of OBS into a frame for the worker, and back. The filter knows only
 * this; whether the pixels pass through host memory or are mapped on the card is the transport's
 * business.
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

struct frame_transport; /* each implementation's own */

/* Textures of in_width x in_height go in, of out_width x out_height come out. */
struct frame_transport_setup {
	int in_width, in_height, out_width, out_height;
	int card; /* that the engine runs on, as CUDA counts them; -1: none, or not known */
};

struct frame_exchange {
	bool fetch;            /* the oldest staged texture, ... */
	fvsr_frame *in;        /* ... into this, with its tag; NULL: it is dropped */
	const fvsr_frame *out; /* to be shown; NULL: none */
	bool fetched;          /* result: 'in' is complete */
	gs_texture_t *shown;   /* result: 'out', until there is another; NULL: failed */
};

struct frame_transport_ops {
	bool lasting; /* what exchange() shows stays as it is until it shows another */

	/* NULL: it cannot be had, and 'reason' says why. */
	struct frame_transport *(*create)(const struct frame_transport_setup *setup, char *reason,
					  size_t reason_size);
	/* NULL is allowed. */
	void (*destroy)(struct frame_transport *transport);

	/* A frame in the memory that this transport reads and writes. For struct frame_maker. */
	int (*make_frame)(void *transport, fvsr_frame **out, enum frame_direction direction,
			  int width, int height);

	/*
	 * Starts to carry a GS_RGBA_UNORM texture of straight alpha. False when too many are on
	 * their way: this one is not taken. Call advance() once for each picture of OBS.
	 */
	bool (*stage)(struct frame_transport *transport, gs_texture_t *texture, int64_t tag);
	void (*advance)(struct frame_transport *transport);
	/* True when the oldest staged texture can be fetched without waiting. */
	bool (*ready)(const struct frame_transport *transport);
	/* Carries pixels both ways at once: with textures that are mapped for it, that pays. */
	void (*exchange)(struct frame_transport *transport, struct frame_exchange *exchange);
	/* Forgets everything on its way. */
	void (*clear)(struct frame_transport *transport);
	/* Why this transport has ceased to work; NULL while it does. The function may be NULL. */
	const char *(*trouble)(const struct frame_transport *transport);
};

/* Through host memory: works with every card and every backend. */
extern const struct frame_transport_ops frame_transport_readback;
/* On the card, for an engine that runs on the NVIDIA card that OBS renders on. */
extern const struct frame_transport_ops frame_transport_interop;

#endif
