/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread behind a filter. It loads the model, opens the stream and runs the network; the render
 * thread only hands it a job and moves frames in and out of the job's queues. It knows neither OBS
 * nor textures.
 */
#ifndef FLASHVSR_WORKER_H
#define FLASHVSR_WORKER_H

#include "session/job.h"
#include "session/model-pool.h"

struct worker;

enum worker_state {
	WORKER_IDLE = 1, /* no job */
	WORKER_LOADING,  /* the model */
	WORKER_OPENING,  /* the stream */
	WORKER_RUNNING,
	WORKER_FAILED, /* for this job; 'reason' says why */
};

struct worker_status {
	uint64_t serial; /* of the job that all this is about; 0: none */
	enum worker_state state;
	char reason[512];
	char model_name[128], backend[16];
	int card;                          /* see struct fvsr_model_info */
	int loaded_percent;                /* while loading */
	struct fvsr_stream_cost cost;      /* once a stream was opened or refused */
	uint64_t host_bytes, device_bytes; /* of model and stream together */
	uint64_t available_bytes;          /* host memory that was free before; 0: unknown */
	uint64_t chunks;                   /* computed for this job */
	double chunk_ms;      /* the last chunk's: waiting for its turn and computing */
	int chunk_frames;     /* and how many frames came out of it */
	double computing_ms;  /* since the chunk at hand began; 0: there is none */
	int computing_frames; /* that it will give */
	bool no_memory;       /* failed because of it: something smaller may do */
	bool device_failed;   /* failed because of it: it may do later */
};

/*
 * 'log' is copied, its 'write' is called from the worker's thread. 'pool' may be NULL. NULL when
 * the thread cannot start.
 */
struct worker *worker_create(const struct fvsr_log *log, struct model_pool *pool);
/* Stops loading and computing at once, and waits for that. */
void worker_destroy(struct worker *worker);

/*
 * Drops the job before, stopping what it computes, and starts 'job'. Any thread, returns at once. A
 * job with the request of the one before starts a new video on the same stream. NULL: none; stream
 * and model are kept for the time of worker_set_keep().
 */
void worker_set_job(struct worker *worker, struct job *job);
/* After frames were written to or read from the current job's queues. */
void worker_wake(struct worker *worker);
/* How long memory is kept without a job, in case there will be one again. */
void worker_set_keep(struct worker *worker, int seconds);
void worker_get_status(struct worker *worker, struct worker_status *status);

#endif
