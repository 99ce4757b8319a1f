/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A short queue of frames between two threads, one that writes and one that reads. The frames are
 * made once and used in turn. Neither side ever waits: the writer is told when the queue is full,
 * and the reader when it is empty.
 */
#ifndef FLASHVSR_FRAME_QUEUE_H
#define FLASHVSR_FRAME_QUEUE_H

#include "fvsr/fvsr.h"

#define FRAME_QUEUE_MAX 38

struct frame_queue;

/* Which way a frame goes. */
enum frame_direction {
	FRAME_TO_ENGINE = 1,
	FRAME_FROM_ENGINE,
};

/*
 * Makes the frames of a queue, in whatever memory the transport and the backend share. Returns
 * FVSR_OK or an error, as fvsr_frame_create() does.
 */
struct frame_maker {
	int (*make)(void *opaque, fvsr_frame **out, enum frame_direction direction, int width,
		    int height);
	void *opaque;
};

/* Creates a queue. 'capacity' is at most FRAME_QUEUE_MAX. NULL when memory runs out. */
struct frame_queue *frame_queue_create(unsigned capacity, const struct frame_maker *maker,
				       enum frame_direction direction, int width, int height);
/* Frees a queue that neither side uses any more. NULL is allowed. */
void frame_queue_destroy(struct frame_queue *queue);

/* Writer: returns the frame to fill next, or NULL when the queue is full. */
fvsr_frame *frame_queue_write_begin(struct frame_queue *queue);
/* Writer: hands the frame of the last frame_queue_write_begin() to the reader. */
void frame_queue_write_end(struct frame_queue *queue);

/* Reader: returns frame 'index', 0 being the oldest, or NULL. The frame stays the reader's. */
fvsr_frame *frame_queue_peek(const struct frame_queue *queue, unsigned index);
/* Reader: gives the oldest frame back to the writer. */
void frame_queue_pop(struct frame_queue *queue);

/* Either side: returns how many frames the reader has. The other side may change that at once. */
unsigned frame_queue_count(const struct frame_queue *queue);
bool frame_queue_full(const struct frame_queue *queue);

#endif
