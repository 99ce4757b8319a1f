/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stand-in's streams and events: work is put into queues, which a thread of its own empties
 * late, in any order that streams and events allow. A stream of a lower priority is later, as on a
 * card with a busy neighbour. So a program that forgets to wait for something sees that it was not
 * there yet.
 */
#ifndef FAKE_CUDA_QUEUES_H
#define FAKE_CUDA_QUEUES_H

#include <stdbool.h>
#include <stddef.h>

#define FAKE_LOWEST_PRIORITY  0
#define FAKE_HIGHEST_PRIORITY (-5)

struct fake_stream;
struct fake_event;

/* Start and end the thread that does the work. */
void fake_queues_start(void);
void fake_queues_stop(void);

struct fake_stream *fake_stream_create(int priority);
/* Waits for what is in the stream. */
void fake_stream_destroy(struct fake_stream *stream);
/* Has 'run' called with a copy of 'argument' when the stream comes to it. */
void fake_stream_add(struct fake_stream *stream, void (*run)(const void *argument),
		     const void *argument, size_t bytes);
void fake_stream_wait(struct fake_stream *stream, struct fake_event *event);
/* Keeps a stream from doing anything until it is called again; a test finds it in the library. */
__attribute__((visibility("default"))) void fake_stream_hold(struct fake_stream *stream, bool hold);
/* Tells whether the stream has come to a wait for an event that has not happened. */
bool fake_stream_held_up(struct fake_stream *stream);
void fake_stream_synchronize(struct fake_stream *stream);
/* Waits for all streams. */
void fake_streams_synchronize(void);

struct fake_event *fake_event_create(void);
/* Destroys an event as soon as the streams are done with it. */
void fake_event_destroy(struct fake_event *event);
void fake_event_record(struct fake_event *event, struct fake_stream *stream);
bool fake_event_happened(struct fake_event *event);
void fake_event_synchronize(struct fake_event *event);
/* Returns when an event happened last, in milliseconds. */
double fake_event_ms(struct fake_event *event);

#endif
