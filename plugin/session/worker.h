/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread behind a filter. The worker loads the model, opens the stream and runs the network;
 * the render thread only hands it a job and moves frames in and out of the job's queues. The worker
 * knows neither OBS nor textures.
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
	uint64_t serial; /* of the job that this status is about; 0: there is none */
	enum worker_state state;
	char reason[512];
	char model_name[128], backend[16];
	int card;                          /* see struct fvsr_model_info */
	int loaded_percent;                /* while loading */
	struct fvsr_stream_cost cost;      /* once a stream was opened or refused */
	uint64_t host_bytes, device_bytes; /* of model and stream together */
	uint64_t available_bytes; /* host memory that was free before the stream; 0: unknown */
	uint64_t chunks;          /* so many were computed for this job */
	double chunk_ms;          /* the last chunk took to wait for its turn and to be computed */
	int chunk_frames;         /* came out of the last chunk */
	double computing_ms;      /* since the chunk at hand began; 0: there is none */
	int computing_frames;     /* will come out of the chunk at hand */
	bool no_memory;           /* WORKER_FAILED because of it: something smaller may work */
	bool device_failed;       /* WORKER_FAILED because of it: it may work later */
};

/*
 * Starts a worker. 'log' is copied, and its 'write' is called from the worker's thread; it may be
 * NULL, and so may 'pool'. NULL when the thread cannot start.
 */
struct worker *worker_create(const struct fvsr_log *log, struct model_pool *pool);
/* Stops loading and computing at once, and waits until the thread has ended. */
void worker_destroy(struct worker *worker);

/*
 * Drops the job before, stopping what is computed for it, and starts 'job'. A job with the request
 * of the one before starts a new video on the same stream. NULL: there is no job any more; stream
 * and model are kept for the time of worker_set_keep(). Returns at once. Any thread.
 */
void worker_set_job(struct worker *worker, struct job *job);
/* Tells the worker that frames were written to or read from the job's queues. */
void worker_wake(struct worker *worker);
/* Sets how long memory is kept without a job, in case there will be one again. */
void worker_set_keep(struct worker *worker, int seconds);
/* Copies the status. Any thread. */
void worker_get_status(struct worker *worker, struct worker_status *status);

#endif
