/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The queue is a ring with two counters that only ever grow: 'written' belongs to the writer,
 * 'read' to the reader. The frames between them are the reader's, the others are the writer's.
 */
#include "transport/frame-queue.h"

#include <stdatomic.h>
#include <stdlib.h>

struct frame_queue {
	fvsr_frame *frames[FRAME_QUEUE_MAX];
	unsigned capacity;
	atomic_ullong written, read;
};

struct frame_queue *frame_queue_create(unsigned capacity, const struct frame_maker *maker,
				       enum frame_direction direction, int width, int height)
{
	struct frame_queue *queue;

	if (capacity < 1 || capacity > FRAME_QUEUE_MAX)
		return NULL;
	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return NULL;
	for (unsigned i = 0; i < capacity; i++) {
		if (maker->make(maker->opaque, &queue->frames[i], direction, width, height) < 0) {
			frame_queue_destroy(queue);
			return NULL;
		}
		queue->capacity++;
	}
	return queue;
}

void frame_queue_destroy(struct frame_queue *queue)
{
	if (!queue)
		return;
	for (unsigned i = 0; i < queue->capacity; i++)
		fvsr_frame_destroy(queue->frames[i]);
	free(queue);
}

unsigned frame_queue_count(const struct frame_queue *queue)
{
	/* The reader's counter first: it never overtakes the writer's. */
	unsigned long long read = atomic_load_explicit(&queue->read, memory_order_acquire);

	return (unsigned)(atomic_load_explicit(&queue->written, memory_order_acquire) - read);
}

bool frame_queue_full(const struct frame_queue *queue)
{
	return frame_queue_count(queue) >= queue->capacity;
}

fvsr_frame *frame_queue_write_begin(struct frame_queue *queue)
{
	unsigned long long written = atomic_load_explicit(&queue->written, memory_order_relaxed);

	return frame_queue_full(queue) ? NULL : queue->frames[written % queue->capacity];
}

void frame_queue_write_end(struct frame_queue *queue)
{
	atomic_fetch_add_explicit(&queue->written, 1, memory_order_release);
}

fvsr_frame *frame_queue_peek(const struct frame_queue *queue, unsigned index)
{
	unsigned long long read = atomic_load_explicit(&queue->read, memory_order_relaxed);

	if (index >= frame_queue_count(queue))
		return NULL;
	return queue->frames[(read + index) % queue->capacity];
}

void frame_queue_pop(struct frame_queue *queue)
{
	atomic_fetch_add_explicit(&queue->read, 1, memory_order_release);
}
