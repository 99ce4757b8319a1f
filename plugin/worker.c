/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's thread: see worker.h. 'lock' guards what both sides see and is never held while
 * anything takes time; model and stream belong to the thread alone.
 */
#include "worker.h"

#include "system.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CHUNK_FRAMES 21 /* see struct fvsr_stream_cost */

struct worker {
	struct fvsr_log log;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;

	/* Under 'lock'. */
	struct job *next; /* the job to switch to */
	bool switching;   /* 'next' is to replace 'job', NULL included */
	struct worker_status status;

	atomic_bool interrupt; /* what is being loaded is not wanted any more */
	atomic_bool quit;

	/* The thread's own. */
	struct job *job;
	struct job_request opened; /* what model and stream were opened for */
	fvsr_model *model;
	fvsr_stream *stream;
	bool output_due; /* the stream may have frames ready */
};

static void say(struct worker *worker, enum fvsr_log_level level, const char *format, ...)
{
	char text[768];
	va_list args;

	if (!worker->log.write)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	worker->log.write(worker->log.opaque, level, text);
}

/* ---- status -------------------------------------------------------------------------------- */

static void set_state(struct worker *worker, enum worker_state state)
{
	pthread_mutex_lock(&worker->lock);
	worker->status.state = state;
	worker->status.reason[0] = 0;
	worker->status.loaded_percent = 0;
	pthread_mutex_unlock(&worker->lock);
}

static void fail(struct worker *worker, const char *reason)
{
	pthread_mutex_lock(&worker->lock);
	worker->status.state = WORKER_FAILED;
	snprintf(worker->status.reason, sizeof(worker->status.reason), "%s", reason);
	pthread_mutex_unlock(&worker->lock);
	say(worker, FVSR_LOG_WARNING, "%s", reason);
}

void worker_get_status(struct worker *worker, struct worker_status *status)
{
	pthread_mutex_lock(&worker->lock);
	*status = worker->status;
	pthread_mutex_unlock(&worker->lock);
}

/* ---- model and stream ---------------------------------------------------------------------- */

static bool report_progress(void *opaque, uint64_t done, uint64_t total, const char *what)
{
	struct worker *worker = opaque;

	(void)what;
	pthread_mutex_lock(&worker->lock);
	worker->status.loaded_percent = total ? (int)((double)done * 100.0 / (double)total) : 0;
	pthread_mutex_unlock(&worker->lock);
	return !atomic_load(&worker->interrupt);
}

static void close_stream(struct worker *worker)
{
	fvsr_stream_close(worker->stream);
	worker->stream = NULL;
}

static void close_model(struct worker *worker)
{
	close_stream(worker);
	fvsr_model_unref(worker->model);
	worker->model = NULL;
}

static bool open_model(struct worker *worker, const struct job_request *request)
{
	struct fvsr_model_options options;
	struct fvsr_model_info info;
	struct fvsr_error err;
	int code;

	set_state(worker, WORKER_LOADING);
	fvsr_model_options_default(&options);
	options.backend = request->backend;
	options.card = request->card;
	options.background = true;
	options.log = worker->log;
	options.progress = (struct fvsr_progress){report_progress, worker};
	code = fvsr_model_open(&worker->model, request->model, &options, &err);
	if (code == FVSR_ERR_CANCELLED)
		return false;
	if (code < 0) {
		fail(worker, err.text);
		return false;
	}
	fvsr_model_describe(worker->model, &info);
	pthread_mutex_lock(&worker->lock);
	snprintf(worker->status.backend, sizeof(worker->status.backend), "%s", info.backend);
	snprintf(worker->status.model_name, sizeof(worker->status.model_name), "%s", info.name);
	worker->status.card = info.card;
	pthread_mutex_unlock(&worker->lock);
	return true;
}

/* A stream that does not fit would push everything else, OBS first, out of memory. */
static bool fits(struct worker *worker, const struct fvsr_stream_cost *cost)
{
	uint64_t available = system_available_memory();
	struct fvsr_model_info info;
	char reason[256];

	fvsr_model_describe(worker->model, &info);
	pthread_mutex_lock(&worker->lock);
	worker->status.cost = *cost;
	worker->status.host_bytes = info.host_bytes + cost->host_bytes;
	worker->status.device_bytes = info.device_bytes + cost->device_bytes;
	worker->status.available_bytes = available;
	pthread_mutex_unlock(&worker->lock);
	if (!available || cost->host_bytes < available)
		return true;
	snprintf(reason, sizeof(reason), "%dx%d needs %.2f GiB of memory and only %.2f GiB is free",
		 worker->job->request.settings.out_width, worker->job->request.settings.out_height,
		 (double)cost->host_bytes / (1 << 30), (double)available / (1 << 30));
	fail(worker, reason);
	return false;
}

static bool open_stream(struct worker *worker, const struct job_request *request)
{
	struct fvsr_stream_cost cost;
	struct fvsr_error err;

	set_state(worker, WORKER_OPENING);
	if (fvsr_stream_cost(worker->model, &request->settings, &cost, &err) < 0) {
		fail(worker, err.text);
		return false;
	}
	if (!fits(worker, &cost))
		return false;
	if (fvsr_stream_open(&worker->stream, worker->model, &request->settings, &err) < 0) {
		fail(worker, err.text);
		return false;
	}
	return true;
}

/* Makes worker->job the stream's work. Keeps of the job before what serves this one too. */
static void start_job(struct worker *worker)
{
	const struct job_request *request = &worker->job->request;

	worker->output_due = false;
	if (worker->model && !job_request_same_model(&worker->opened, request))
		close_model(worker);
	if (worker->stream && !job_request_same(&worker->opened, request))
		close_stream(worker);
	if (worker->stream)
		fvsr_stream_reset(worker->stream);
	worker->opened = *request;
	if (!worker->model && !open_model(worker, request))
		return;
	if (!worker->stream && !open_stream(worker, request))
		return;
	fvsr_stream_set_budget(worker->stream, (double)worker->job->budget_ns / 1e6);
	set_state(worker, WORKER_RUNNING);
}

/* ---- frames -------------------------------------------------------------------------------- */

static bool has_work(const struct worker *worker)
{
	if (!worker->job || !worker->stream)
		return false;
	return worker->output_due ? !frame_queue_full(worker->job->out)
				  : frame_queue_peek(worker->job->in, 0) != NULL;
}

static void note_timing(struct worker *worker)
{
	struct fvsr_timing timing;

	fvsr_stream_timing(worker->stream, &timing, true);
	if (!timing.chunks)
		return;
	pthread_mutex_lock(&worker->lock);
	worker->status.chunk_ms = timing.total_ms / (double)timing.chunks;
	worker->status.chunk_frames =
		worker->status.chunks ? worker->status.cost.chunk : FIRST_CHUNK_FRAMES;
	worker->status.chunks += timing.chunks;
	pthread_mutex_unlock(&worker->lock);
}

/* The stream's last error is final for it: nothing more is sent until a new job comes. */
static void fail_stream(struct worker *worker)
{
	char reason[512];

	snprintf(reason, sizeof(reason), "%s", fvsr_stream_error(worker->stream));
	close_stream(worker);
	fail(worker, reason);
}

/* One frame out or one frame in. */
static void work(struct worker *worker)
{
	struct frame_queue *in = worker->job->in, *out = worker->job->out;
	int code;

	if (worker->output_due) {
		code = fvsr_stream_receive(worker->stream, frame_queue_write_begin(out));
		note_timing(worker);
		if (code == FVSR_OK)
			frame_queue_write_end(out);
		worker->output_due = code == FVSR_OK;
		if (code < 0 && code != FVSR_ERR_AGAIN)
			fail_stream(worker);
		return;
	}
	code = fvsr_stream_send(worker->stream, frame_queue_peek(in, 0));
	worker->output_due = true;
	if (code != FVSR_ERR_AGAIN)
		frame_queue_pop(in);
	if (code < 0 && code != FVSR_ERR_AGAIN)
		fail_stream(worker);
}

/* ---- the thread ---------------------------------------------------------------------------- */

/* Called and left with the lock held. */
static void switch_job(struct worker *worker)
{
	struct job *old = worker->job;

	worker->job = worker->next;
	worker->next = NULL;
	worker->switching = false;
	worker->status.serial = worker->job ? worker->job->serial : 0;
	worker->status.state = WORKER_OPENING;
	worker->status.chunks = 0;
	worker->status.chunk_ms = 0.0;
	atomic_store(&worker->interrupt, false);
	pthread_mutex_unlock(&worker->lock);

	job_unref(old);
	if (worker->job) {
		start_job(worker);
	} else {
		close_stream(worker);
		set_state(worker, WORKER_IDLE);
	}
	pthread_mutex_lock(&worker->lock);
}

static void *run(void *opaque)
{
	struct worker *worker = opaque;

	system_name_thread("flashvsr worker");
	system_lower_thread_priority();
	pthread_mutex_lock(&worker->lock);
	while (!atomic_load(&worker->quit)) {
		if (worker->switching) {
			switch_job(worker);
		} else if (has_work(worker)) {
			pthread_mutex_unlock(&worker->lock);
			work(worker);
			pthread_mutex_lock(&worker->lock);
		} else {
			pthread_cond_wait(&worker->wake, &worker->lock);
		}
	}
	pthread_mutex_unlock(&worker->lock);
	close_model(worker);
	return NULL;
}

struct worker *worker_create(const struct fvsr_log *log)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	if (log)
		worker->log = *log;
	worker->status.state = WORKER_IDLE;
	atomic_init(&worker->interrupt, false);
	atomic_init(&worker->quit, false);
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->wake, NULL);
	if (pthread_create(&worker->thread, NULL, run, worker) != 0) {
		pthread_cond_destroy(&worker->wake);
		pthread_mutex_destroy(&worker->lock);
		free(worker);
		return NULL;
	}
	return worker;
}

void worker_destroy(struct worker *worker)
{
	if (!worker)
		return;
	pthread_mutex_lock(&worker->lock);
	atomic_store(&worker->quit, true);
	atomic_store(&worker->interrupt, true);
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);

	job_unref(worker->next);
	job_unref(worker->job);
	pthread_cond_destroy(&worker->wake);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

void worker_set_job(struct worker *worker, struct job *job)
{
	struct job *unwanted;

	pthread_mutex_lock(&worker->lock);
	unwanted = worker->next;
	worker->next = job ? job_ref(job) : NULL;
	worker->switching = true;
	atomic_store(&worker->interrupt, true);
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
	job_unref(unwanted);
}

void worker_wake(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
}
