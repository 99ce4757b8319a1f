/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A job: one run of video from the render thread through the worker and back. It says what to run
 * and holds the two queues that the frames travel in. Whenever anything changes (settings, sizes, a
 * gap in time), the render thread makes a new job and forgets the old one, which is freed when the
 * worker drops it, too. So frames from before and after a change never mix, and neither thread
 * waits for the other.
 */
#ifndef FLASHVSR_JOB_H
#define FLASHVSR_JOB_H

#include "transport/frame-queue.h"

#include <stdatomic.h>

/* Room for a chunk, and for some more frames, so that the worker finds the next chunk complete. */
#define JOB_INPUT_FRAMES 12
/*
 * Room for a chunk that waits for its time to be shown, and for the next one; and where frames are
 * small, for those that wait because the delay has room for a lower frame rate.
 */
#define JOB_OUTPUT_FRAMES     16
#define JOB_OUTPUT_FRAMES_MAX 38

struct job_request {
	char model[1024]; /* as for fvsr_model_open() */
	char backend[16]; /* "auto" or a backend's name */
	int card; /* the GPU that OBS renders on, see struct fvsr_model_options; not compared */
	struct fvsr_settings settings;
};

struct job {
	/* These three never change once the worker has the job. */
	struct job_request request;
	int64_t budget_ns; /* the time that a chunk may take; 0: no longer than it must */
	uint64_t serial;   /* tells what belongs to this job from what came before */

	struct frame_queue *in, *out; /* frames are tagged with the time of their input, in ns */
	/* What a chunk may cost, at most what 'request' says; see job_set_effort(). */
	atomic_int sparse_thousandths, kv_ratio;
};

/* Creates a job with one owner. 'maker' is used during the call only. NULL: out of memory. */
struct job *job_create(const struct job_request *request, uint64_t serial,
		       const struct frame_maker *maker);
/* Returns how many of the frames that have come out can wait to be shown. */
int job_held_frames(const struct job *job);
/* Adds an owner and returns 'job'. */
struct job *job_ref(struct job *job);
/* Removes an owner; the last one frees the job. NULL is allowed. */
void job_unref(struct job *job);

/* Sets what a chunk may cost, from the next one on. Any thread. */
void job_set_effort(struct job *job, double sparse_ratio, int kv_ratio);

/* Returns true when one open model serves both. */
bool job_request_same_model(const struct job_request *a, const struct job_request *b);
/* Returns true when one open stream serves both. */
bool job_request_same(const struct job_request *a, const struct job_request *b);

#endif
