/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's thread: see worker.h. 'lock' guards what both sides see, and is never held while
 * something takes time. Model and stream belong to the thread alone.
 */
#include "session/worker.h"

#include "system.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct worker {
	struct fvsr_log log;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;

	/* Under 'lock'. */
	struct job *next; /* the job to switch to */
	bool switching;   /* 'next' is to replace 'job', NULL included */
	struct worker_status status;
	fvsr_stream *interruptible; /* 'stream', while other threads may interrupt it */
	double began_ms;            /* the chunk at hand; 0: there is none */
	int keep_s;

	atomic_bool interrupt; /* another job, or none, is due */
	atomic_bool quit;

	/* The thread's own. */
	struct job *job;
	struct job_request opened; /* the request that model and stream were opened for */
	fvsr_model *model;
	fvsr_stream *stream;
	int parts; /* so many of a chunk were computed */
	double parts_ms;
	bool output_due; /* the stream may have frames ready */
	double free_ms;  /* without a job: when model and stream are freed; 0: they are not */
	int sparse_thousandths, kv_ratio; /* the stream's effort */
	struct model_pool *pool;
	struct model_pool_turn turn;
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

static double now_ms(void)
{
	return (double)system_now_ns() * 1e-6;
}

/* ---- status -------------------------------------------------------------------------------- */

static void set_state(struct worker *worker, enum worker_state state)
{
	pthread_mutex_lock(&worker->lock);
	worker->status.state = state;
	worker->status.reason[0] = 0;
	worker->status.loaded_percent = 0;
	worker->status.no_memory = worker->status.device_failed = false;
	pthread_mutex_unlock(&worker->lock);
}

static void fail(struct worker *worker, int code, const char *reason)
{
	pthread_mutex_lock(&worker->lock);
	worker->status.state = WORKER_FAILED;
	worker->status.no_memory = code == FVSR_ERR_MEMORY;
	worker->status.device_failed = code == FVSR_ERR_BACKEND;
	snprintf(worker->status.reason, sizeof(worker->status.reason), "%s", reason);
	pthread_mutex_unlock(&worker->lock);
	say(worker, FVSR_LOG_WARNING, "%s", reason);
}

void worker_get_status(struct worker *worker, struct worker_status *status)
{
	pthread_mutex_lock(&worker->lock);
	*status = worker->status;
	status->computing_ms = worker->began_ms > 0.0 ? now_ms() - worker->began_ms : 0.0;
	status->computing_frames =
		status->chunks ? worker->status.cost.chunk : FVSR_FIRST_CHUNK_FRAMES;
	pthread_mutex_unlock(&worker->lock);
}

/* ---- model and stream ---------------------------------------------------------------------- */

/* Returns true when the model is needed, also for the next job if there is one. Lock held. */
static bool model_wanted(const struct worker *worker)
{
	if (atomic_load(&worker->quit))
		return false;
	return !worker->switching ||
	       (worker->next &&
		job_request_same_model(&worker->job->request, &worker->next->request));
}

/*
 * Notes how far loading is. It goes on for a next job that wants the same model, since a source
 * whose time jumps again and again must not keep its model from being loaded.
 */
static bool report_progress(void *opaque, uint64_t done, uint64_t total, const char *what)
{
	struct worker *worker = opaque;
	bool wanted;

	(void)what;
	pthread_mutex_lock(&worker->lock);
	worker->status.loaded_percent = total ? (int)((double)done * 100.0 / (double)total) : 0;
	wanted = model_wanted(worker);
	pthread_mutex_unlock(&worker->lock);
	return wanted;
}

/* Sets which stream others may interrupt: one that is being closed is not. */
static void set_interruptible(struct worker *worker, fvsr_stream *stream)
{
	pthread_mutex_lock(&worker->lock);
	worker->interruptible = stream;
	pthread_mutex_unlock(&worker->lock);
}

static void close_stream(struct worker *worker)
{
	set_interruptible(worker, NULL);
	fvsr_stream_close(worker->stream);
	worker->stream = NULL;
}

static void close_model(struct worker *worker)
{
	close_stream(worker);
	pthread_mutex_lock(&worker->lock);
	worker->status.host_bytes = worker->status.device_bytes = 0;
	pthread_mutex_unlock(&worker->lock);
	model_pool_close(worker->pool, worker->model);
	worker->model = NULL;
}

/* Returns false when less memory is free than the model's file has; loading takes at least that. */
static bool model_fits(struct worker *worker, const char *path)
{
	const uint64_t bytes = system_file_bytes(path), available = system_available_memory();
	char reason[256];

	if (!available || bytes < available)
		return true;
	snprintf(reason, sizeof(reason),
		 "the model needs %.2f GiB of memory and only %.2f GiB is free",
		 (double)bytes / (1 << 30), (double)available / (1 << 30));
	fail(worker, FVSR_ERR_MEMORY, reason);
	return false;
}

static bool open_model(struct worker *worker, const struct job_request *request)
{
	struct fvsr_model_options options;
	struct fvsr_model_info info;
	struct fvsr_error err;
	int code;

	set_state(worker, WORKER_LOADING);
	if (!model_fits(worker, request->model))
		return false;
	fvsr_model_options_default(&options);
	options.backend = request->backend;
	options.card = request->card;
	options.background = true;
	options.log = worker->log;
	options.progress = (struct fvsr_progress){report_progress, worker};
	code = model_pool_open(worker->pool, &worker->model, request->model, &options, &err);
	if (code == FVSR_ERR_CANCELLED)
		return false;
	if (code < 0) {
		fail(worker, code, err.text);
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

/* Refuses a stream that does not fit: it would push everything else, OBS first, out of memory. */
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
	fail(worker, FVSR_ERR_MEMORY, reason);
	return false;
}

static bool open_stream(struct worker *worker, const struct job_request *request)
{
	struct fvsr_stream_cost cost;
	struct fvsr_error err;
	int code;

	set_state(worker, WORKER_OPENING);
	code = fvsr_stream_cost(worker->model, &request->settings, &cost, &err);
	if (code >= 0 && !fits(worker, &cost))
		return false;
	if (code >= 0)
		code = fvsr_stream_open(&worker->stream, worker->model, &request->settings, &err);
	if (code < 0) {
		fail(worker, code, err.text);
		return false;
	}
	set_interruptible(worker, worker->stream);
	worker->sparse_thousandths = worker->kv_ratio = 0;
	return true;
}

/* Opens what worker->job needs, and keeps of the job before what serves this one, too. */
static void start_job(struct worker *worker)
{
	const struct job_request *request = &worker->job->request;

	worker->output_due = false;
	worker->parts = 0;
	worker->parts_ms = 0.0;
	if (worker->model && !job_request_same_model(&worker->opened, request))
		close_model(worker);
	if (worker->stream && !job_request_same(&worker->opened, request))
		close_stream(worker);
	if (worker->stream)
		fvsr_stream_reset(worker->stream);
	worker->opened = *request;
	if (!worker->model && !open_model(worker, request))
		return;
	if (atomic_load(&worker->interrupt)) /* the next job's stream may be another */
		return;
	if (!worker->stream && !open_stream(worker, request))
		return;
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

/* Tells whether the stream gives frames one by one, of which as many are noted as of a chunk. */
static bool frame_by_frame(const struct worker *worker)
{
	return worker->status.cost.chunk < FVSR_CHUNK_FRAMES;
}

/* Returns how many calls compute what is noted next. */
static int parts_due(const struct worker *worker)
{
	if (frame_by_frame(worker))
		return FVSR_CHUNK_FRAMES;
	return worker->status.chunks ? 1 : FVSR_FIRST_CHUNK_PARTS;
}

static int frames_noted(const struct worker *worker)
{
	return worker->status.chunks || frame_by_frame(worker) ? FVSR_CHUNK_FRAMES
							       : FVSR_FIRST_CHUNK_FRAMES;
}

static void note_timing(struct worker *worker)
{
	struct fvsr_timing timing;

	fvsr_stream_timing(worker->stream, &timing, true);
	worker->parts_ms += timing.total_ms;
	if (++worker->parts < parts_due(worker))
		return;
	pthread_mutex_lock(&worker->lock);
	worker->status.chunk_ms = worker->parts_ms;
	worker->status.chunk_frames = frames_noted(worker);
	worker->status.chunks++;
	worker->parts = 0;
	worker->parts_ms = 0.0;
	pthread_mutex_unlock(&worker->lock);
}

/*
 * Closes a stream that has failed; nothing more is sent until a new job comes. A device that failed
 * takes its model with it, also for other filters.
 */
static void fail_stream(struct worker *worker, int code)
{
	char reason[512];

	snprintf(reason, sizeof(reason), "%s", fvsr_stream_error(worker->stream));
	close_stream(worker);
	if (code == FVSR_ERR_BACKEND) {
		model_pool_forget(worker->pool, worker->model);
		close_model(worker);
	}
	fail(worker, code, reason);
}

static void follow_effort(struct worker *worker)
{
	const int sparse_thousandths = atomic_load(&worker->job->sparse_thousandths);
	const int kv_ratio = atomic_load(&worker->job->kv_ratio);

	if (sparse_thousandths == worker->sparse_thousandths && kv_ratio == worker->kv_ratio)
		return;
	fvsr_stream_set_effort(worker->stream, sparse_thousandths / 1000.0, kv_ratio);
	worker->sparse_thousandths = sparse_thousandths;
	worker->kv_ratio = kv_ratio;
}

static void note_began(struct worker *worker, double ms)
{
	pthread_mutex_lock(&worker->lock);
	worker->began_ms = ms;
	pthread_mutex_unlock(&worker->lock);
}

static bool unwanted(void *opaque)
{
	struct worker *worker = opaque;

	return atomic_load(&worker->interrupt);
}

/* Waits for the card, because the render thread reads the frame without asking for that. */
static int receive_complete(struct worker *worker, fvsr_frame *frame)
{
	const int code = fvsr_stream_receive(worker->stream, frame);

	return code == FVSR_OK ? fvsr_stream_wait_received(worker->stream) : code;
}

/* Waits for the card, because the render thread writes to the frame as soon as it has it back. */
static int send_complete(struct worker *worker, const fvsr_frame *frame)
{
	const int code = fvsr_stream_send(worker->stream, frame);

	return code == FVSR_OK ? fvsr_stream_wait_sent(worker->stream) : code;
}

/* Receives a frame, computing in this worker's turn only. FVSR_ERR_CANCELLED: the job is over. */
static int receive(struct worker *worker, fvsr_frame *frame)
{
	const char *device = worker->status.backend; /* changed by this thread only */
	double asked_ms;
	int code;

	if (fvsr_stream_next(worker->stream) != FVSR_NEXT_COMPUTE)
		return receive_complete(worker, frame);
	asked_ms = now_ms();
	if (!model_pool_begin_turn(worker->pool, &worker->turn, device, unwanted, worker))
		return FVSR_ERR_CANCELLED;
	/* What others take of the device makes a chunk late as its own work does. */
	worker->parts_ms += now_ms() - asked_ms;
	follow_effort(worker);
	/* Whoever spreads work over the time that others need too makes them late. */
	fvsr_stream_set_budget(worker->stream, (double)worker->job->budget_ns / 1e6 /
						       model_pool_users(worker->pool));
	note_began(worker, now_ms());
	code = receive_complete(worker, frame);
	note_timing(worker);
	note_began(worker, 0.0);
	model_pool_end_turn(worker->pool, &worker->turn);
	return code;
}

/* Moves one frame out of the stream or one frame in. */
static void work(struct worker *worker)
{
	struct frame_queue *in = worker->job->in, *out = worker->job->out;
	int code;

	if (worker->output_due) {
		code = receive(worker, frame_queue_write_begin(out));
		if (code == FVSR_OK)
			frame_queue_write_end(out);
		worker->output_due = code == FVSR_OK;
	} else {
		code = send_complete(worker, frame_queue_peek(in, 0));
		worker->output_due = true;
		if (code != FVSR_ERR_AGAIN && code != FVSR_ERR_CANCELLED)
			frame_queue_pop(in);
	}
	if (code < 0 && code != FVSR_ERR_AGAIN && code != FVSR_ERR_CANCELLED)
		fail_stream(worker, code);
}

/* ---- the thread ---------------------------------------------------------------------------- */

/* Makes the next job the one at hand. Called and left with the lock held. */
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
	worker->free_ms = worker->job ? 0.0 : now_ms() + worker->keep_s * 1e3;
	pthread_mutex_unlock(&worker->lock);

	job_unref(old);
	if (worker->job)
		start_job(worker);
	else
		set_state(worker, WORKER_IDLE);
	pthread_mutex_lock(&worker->lock);
}

/* Waits, and without a job frees memory after a while. Called and left with the lock held. */
static void wait_for_work(struct worker *worker)
{
	const double left_ms = worker->free_ms - now_ms();
	struct timespec until;

	if (worker->free_ms <= 0.0 || !worker->model) {
		pthread_cond_wait(&worker->wake, &worker->lock);
	} else if (left_ms > 0.0) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += (time_t)(left_ms / 1e3) + 1;
		pthread_cond_timedwait(&worker->wake, &worker->lock, &until);
	} else {
		worker->free_ms = 0.0;
		pthread_mutex_unlock(&worker->lock);
		close_model(worker);
		say(worker, FVSR_LOG_INFO, "no work for a while: memory freed");
		pthread_mutex_lock(&worker->lock);
	}
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
			wait_for_work(worker);
		}
	}
	pthread_mutex_unlock(&worker->lock);
	close_model(worker);
	return NULL;
}

struct worker *worker_create(const struct fvsr_log *log, struct model_pool *pool)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	if (log)
		worker->log = *log;
	worker->pool = model_pool_ref(pool);
	worker->status.state = WORKER_IDLE;
	atomic_init(&worker->interrupt, false);
	atomic_init(&worker->quit, false);
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->wake, NULL);
	if (pthread_create(&worker->thread, NULL, run, worker) != 0) {
		pthread_cond_destroy(&worker->wake);
		pthread_mutex_destroy(&worker->lock);
		model_pool_unref(pool);
		free(worker);
		return NULL;
	}
	return worker;
}

/* Stops whatever the thread is doing. Lock held. */
static void stop_work(struct worker *worker)
{
	atomic_store(&worker->interrupt, true);
	fvsr_stream_interrupt(worker->interruptible);
	pthread_cond_signal(&worker->wake);
}

void worker_destroy(struct worker *worker)
{
	if (!worker)
		return;
	pthread_mutex_lock(&worker->lock);
	atomic_store(&worker->quit, true);
	stop_work(worker);
	pthread_mutex_unlock(&worker->lock);
	model_pool_wake(worker->pool);
	pthread_join(worker->thread, NULL);

	job_unref(worker->next);
	job_unref(worker->job);
	pthread_cond_destroy(&worker->wake);
	pthread_mutex_destroy(&worker->lock);
	model_pool_unref(worker->pool);
	free(worker);
}

void worker_set_job(struct worker *worker, struct job *job)
{
	struct job *replaced;

	pthread_mutex_lock(&worker->lock);
	replaced = worker->next;
	worker->next = job ? job_ref(job) : NULL;
	worker->switching = true;
	stop_work(worker);
	pthread_mutex_unlock(&worker->lock);
	model_pool_wake(worker->pool);
	job_unref(replaced);
}

void worker_set_keep(struct worker *worker, int seconds)
{
	pthread_mutex_lock(&worker->lock);
	worker->keep_s = seconds;
	pthread_mutex_unlock(&worker->lock);
}

void worker_wake(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
}
