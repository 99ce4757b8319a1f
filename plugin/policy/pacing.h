/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to take a frame and when to show its upscaled version. The network takes and gives frames in
 * chunks; what is seen must be even. So frames are taken at equal distances, which the ladder
 * chooses (ladder.h), and each is shown the same time, the delay, after it was taken.
 *
 * Arithmetic only, for one thread: no clock, no OBS. All times are in nanoseconds.
 */
#ifndef FLASHVSR_PACING_H
#define FLASHVSR_PACING_H

#include "transport/frame-queue.h"

struct pacing {
	int64_t tick_ns;     /* between two pictures of OBS */
	int64_t interval_ns; /* between two frames taken; a multiple of tick_ns */
	int64_t delay_ns;    /* from taking to showing; 0 until known */
	int64_t frame_ns;    /* what a frame costs the worker; 0 until measured */
	int64_t budget_ns;   /* what the worker may stretch a chunk to, see pacing_spread() */
	int latency;         /* frames that must follow before a frame can come out */
	int start_frames;    /* frames at the start of a job that are late by nature */
	int64_t spare_ns;    /* how long before their time frames came, at least, ... */
	int64_t spare_since; /* ... since then; 0: not watched yet */
	/* Of the current job: */
	int64_t taken_ns; /* when the last frame was taken */
	bool any_taken;
	int64_t arrived;  /* frames that came back */
	unsigned waiting; /* of these, in the queue */
	bool stalled;     /* what comes back is so old that the job must start over */
};

/* For a model or size that nothing is known about. */
void pacing_init(struct pacing *pacing, int64_t tick_ns);
/* A new job of the same kind: what was measured stays. */
void pacing_restart(struct pacing *pacing);

/*
 * The next job's chunks are to be spread over the time in which their frames come in, with some of
 * it to spare, or not. Returns what a chunk may take; 0: no longer than it must.
 */
int64_t pacing_spread(struct pacing *pacing, bool spread);

/* True when the picture of 'now' is to be taken; then it counts as taken. */
bool pacing_take(struct pacing *pacing, int64_t now);

/*
 * Another distance between frames, a multiple of tick_ns. True when the job must start over with
 * it: its history has holes, or would be shown too late.
 */
bool pacing_set_interval(struct pacing *pacing, int64_t interval_ns);

/*
 * The worker computed a chunk: 'chunk_ns' for 'frames' frames; latency and first_latency are the
 * stream's.
 */
void pacing_measured(struct pacing *pacing, int64_t chunk_ns, int frames, int latency,
		     int first_latency);

/*
 * The frame that is due at 'now', or NULL; pacing_shown() must follow. Frames are tagged with the
 * time they were taken. Those whose time has passed are given back, which *freed says; one that
 * comes late makes the delay longer once the job is past its start. When for half a minute none was
 * even nearly late, a delay that is longer than needed becomes shorter again.
 */
const fvsr_frame *pacing_due(struct pacing *pacing, struct frame_queue *out, int64_t now,
			     bool *freed);
/* Gives the frame of the last pacing_due() back. */
void pacing_shown(struct pacing *pacing, struct frame_queue *out);
/* Whether the frame shown last is so old that the worker must be called behind. */
bool pacing_behind(const struct pacing *pacing, int64_t taken, int64_t now);

#endif
