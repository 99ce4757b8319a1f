/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a frame is taken and when its upscaled version is shown. The network takes and gives frames
 * in chunks, but what is seen must move evenly. So frames are taken at equal distances, which the
 * ladder chooses (ladder.h), and each is shown the same time, the delay, after it was taken.
 *
 * The delay is a promise, because sound and other sources are set by it: it is chosen once, with
 * room, and a frame that comes later than that is left out. It is chosen anew only where frames
 * come so much closer together that the queue could not hold those that wait for their time.
 *
 * Arithmetic only, for one thread: no clock, no OBS. All times are in nanoseconds.
 */
#ifndef FLASHVSR_SCHEDULE_H
#define FLASHVSR_SCHEDULE_H

#include "transport/frame-queue.h"

struct schedule {
	int64_t tick_ns;     /* between two pictures of OBS */
	int64_t interval_ns; /* between two frames taken; a multiple of tick_ns */
	int64_t delay_ns;    /* from taking a frame to showing it; 0 until it is chosen */
	/* The delay is good for distances from 'shortest_ns' to 'longest_ns'. */
	int64_t shortest_ns, longest_ns;
	int64_t budget_ns; /* what the worker may stretch a chunk to, see schedule_spread() */
	int latency;       /* frames that must follow before a frame can come out */
	int start_frames;  /* frames at the start of a job that are late by nature */
	/* Of the current job: */
	int64_t taken_ns; /* when the last frame was taken */
	bool any_taken;
	int64_t arrived;   /* frames that came back */
	unsigned waiting;  /* so many of these are still in the queue */
	int64_t looked_ns; /* when schedule_due() was called last */
	bool stalled;      /* what comes back is so old that the job must start over */
};

/* Starts for a model or size that nothing is known about. */
void schedule_init(struct schedule *schedule, int64_t tick_ns);
/* Starts for a new job of the same kind: what was promised stays. */
void schedule_restart(struct schedule *schedule);

/*
 * Returns the time that a chunk of the next job may take: if 'spread', most of the time in which
 * its frames come in; else 0, which means no longer than it must.
 */
int64_t schedule_spread(struct schedule *schedule, bool spread);

/* Returns true when the picture of 'now' is to be taken, and counts it as taken. */
bool schedule_take(struct schedule *schedule, int64_t now);

/*
 * Sets another distance between frames, a multiple of tick_ns. True when the job must start over
 * for it: its history has holes at the very start, or its work is spread over too long a time.
 */
bool schedule_set_interval(struct schedule *schedule, int64_t interval_ns);

/* Notes the latencies of the stream at work, see struct fvsr_stream_cost. */
void schedule_stream(struct schedule *schedule, int latency, int first_latency);
/*
 * Chooses the delay, if there is none yet, for a stream that keeps up: with room for frames at
 * distances of up to 'longest_ns', where 'held' frames that wait to be shown are enough for that.
 * Returns true when it is chosen now.
 */
bool schedule_choose(struct schedule *schedule, int64_t longest_ns, int held);

/*
 * Returns the frame that is due at 'now', or NULL; after a frame schedule_shown() must follow.
 * Frames are tagged with the time they were taken. Frames whose time has passed are given back to
 * the worker, and so are, as long as there is no delay, those that the queue has no room for; then
 * *freed says so.
 */
const fvsr_frame *schedule_due(struct schedule *schedule, struct frame_queue *out, int64_t now,
			       bool *freed);
/* Gives the frame of the last schedule_due() back. */
void schedule_shown(struct schedule *schedule, struct frame_queue *out);
/* Returns true when the frame shown last, taken at 'taken', is so old that the worker is behind. */
bool schedule_behind(const struct schedule *schedule, int64_t taken, int64_t now);

#endif
