/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Worker, queues and pacing together, for ThreadSanitizer: what the filter's render thread does in
 * the life of a stream, played back thousands of times at random speeds against the real worker and
 * a real (synthetic) model.
 *
 *	replay-test TEST_FOLDER [SEQUENCES]
 *
 * The sequences below are the calls that the filter makes, in its order, in the situations named
 * beside them; a random part of each is played, so that every call meets the worker in every state.
 * Most are played faster than the worker can compute; as many as time allows are played patiently,
 * so that frames come back. These must belong to the job at hand, in order, and be due.
 */
#include "check.h"
#include "policy/pacing.h"
#include "session/worker.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICK_NS         16666667LL
#define SIDE            32
#define NS_PER_SEQUENCE 3500000LL /* patience for 10,000 in well below a minute */

/*
 * j a job with the request before (start, seek, shown again), s one with other settings, m one with
 * another model, h none (hidden), t a tick of the render thread, g a tick that takes but shows
 * nothing (the source is not drawn), p a look at the status (the dialog), r waits until the worker
 * runs, w some time for it, d the filter is removed and made again.
 */
static const char *const sequences[] = {
	"jrtttttttttttttttttttttttttttttttttttttttttttwttttttttttttttttt", /* a start */
	"jrttttttttttwttttttttttttwttttttttttttwttttttttttttwtttttttt",    /* one with room */
	"jttrttttttttttttttttttttttwttttttttjttttttttttttttttttttttwttt",  /* a seek */
	"jrttttttttwtttttttttttttttthwpjrtttttttttttttttttttwtttttttttt",  /* hidden and shown */
	"jttttttpttttttpsttttttpttttttptttsttsssrttttttttttttwttttptttt",  /* in the dialog */
	"jjjjttjthtjthtjsjhjrtttttttttttttttttttttttttwtttttttttttttt",    /* an impatient user */
	"jrttttttttttwttttttttttttgggggggggggggggggwtttttttttttttttttt",   /* a lag of OBS */
	"jtttttttttttttttmttttrtpttttttttttttttttttttttwttttttttttttttt",  /* another model */
	"jrtttttttttttttttttttttttttttttjtjtjtjttttttttttttttttttttwttt",  /* seeks in a row */
};
static const char removal[] = "jrttttttttttttttttttttttttttttwtttttttttttd"; /* whatever it does */

struct replay {
	struct model_pool *pool;
	struct worker *worker;
	struct job *job;
	struct pacing pacing;
	char models[2][1024];
	int model, kv_ratio;
	uint64_t serial, random, chunks_seen;
	int64_t now, last_tag, job_began;
	bool patient; /* in this sequence */
	uint64_t taken, shown, jobs, measured;
};

static unsigned pick(struct replay *replay, unsigned count)
{
	replay->random = replay->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(replay->random >> 33) % count;
}

static void pause_us(unsigned us)
{
	struct timespec time = {.tv_nsec = (long)us * 1000};

	nanosleep(&time, NULL);
}

/* Mostly none at all: a test of races must be dense. */
static void random_pause(struct replay *replay)
{
	const unsigned kind = pick(replay, 32);

	if (kind == 0)
		pause_us(pick(replay, 300));
	else if (kind < 6)
		sched_yield();
}

static int64_t clock_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int make_frame(void *opaque, fvsr_frame **out, int width, int height)
{
	(void)opaque;
	return fvsr_frame_create(out, FVSR_FORMAT_RGBA8, width, height);
}

/* ---- what the filter does ------------------------------------------------------------------ */

static void set_job(struct replay *replay)
{
	struct frame_maker maker = {make_frame, NULL};
	struct job_request request = {.backend = "auto"};
	struct job *job;

	snprintf(request.model, sizeof(request.model), "%s", replay->models[replay->model]);
	fvsr_settings_default(&request.settings);
	request.settings.in_width = request.settings.in_height = SIDE;
	request.settings.out_width = request.settings.out_height = 2 * SIDE;
	request.settings.kv_ratio = replay->kv_ratio;
	job = job_create(&request, ++replay->serial, &maker);
	if (!job)
		abort();
	job_unref(replay->job);
	replay->job = job;
	replay->chunks_seen = 0;
	replay->last_tag = 0;
	replay->job_began = replay->now;
	replay->jobs++;
	pacing_restart(&replay->pacing);
	worker_set_job(replay->worker, job);
}

static void hide(struct replay *replay)
{
	if (replay->job)
		worker_set_job(replay->worker, NULL);
	job_unref(replay->job);
	replay->job = NULL;
}

/* As follow_worker(): true when frames can be moved. */
static bool follow(struct replay *replay)
{
	struct worker_status status;

	worker_get_status(replay->worker, &status);
	if (!replay->job || status.serial != replay->job->serial || status.state != WORKER_RUNNING)
		return false;
	if (status.chunks != replay->chunks_seen) {
		replay->measured++;
		pacing_measured(&replay->pacing, (int64_t)(status.chunk_ms * 1e6),
				status.chunk_frames, status.cost.latency,
				status.cost.first_latency);
	}
	replay->chunks_seen = status.chunks;
	if (!replay->pacing.stalled)
		return true;
	set_job(replay);
	return false;
}

static void take(struct replay *replay)
{
	const struct fvsr_picture *picture;
	fvsr_frame *frame;

	if (!pacing_take(&replay->pacing, replay->now))
		return;
	frame = frame_queue_write_begin(replay->job->in);
	if (!frame)
		return;
	picture = fvsr_frame_picture(frame);
	memset(picture->data, (int)(replay->taken++ % 256),
	       picture->stride * (size_t)picture->height);
	fvsr_frame_set_tag(frame, replay->now);
	frame_queue_write_end(replay->job->in);
	worker_wake(replay->worker);
}

static void show(struct replay *replay)
{
	bool freed;
	const fvsr_frame *frame =
		pacing_due(&replay->pacing, replay->job->out, replay->now, &freed);

	if (frame) {
		const int64_t tag = fvsr_frame_tag(frame);

		CHECK(tag > replay->last_tag, "time goes back");
		CHECK(tag > replay->job_began, "a frame of another job");
		CHECK(tag + replay->pacing.delay_ns <= replay->now + TICK_NS / 2, "not due");
		replay->last_tag = tag;
		replay->shown++;
		pacing_shown(&replay->pacing, replay->job->out);
	}
	if (frame || freed)
		worker_wake(replay->worker);
}

/* Until the worker has taken what there is, but for one frame. */
static void wait_taken(struct replay *replay)
{
	for (int i = 0; i < 10000 && frame_queue_count(replay->job->in) > 1 &&
			!frame_queue_full(replay->job->out);
	     i++)
		pause_us(100);
}

static void tick(struct replay *replay, bool drawn)
{
	replay->now += TICK_NS;
	if (!follow(replay))
		return;
	if (drawn && replay->pacing.delay_ns)
		show(replay);
	take(replay);
	if (replay->patient)
		wait_taken(replay);
}

static void remake(struct replay *replay)
{
	worker_destroy(replay->worker);
	job_unref(replay->job);
	replay->job = NULL;
	replay->worker = worker_create(NULL, replay->pool);
	if (!replay->worker)
		abort();
}

static void look(struct replay *replay)
{
	struct worker_status status;

	worker_get_status(replay->worker, &status);
	CHECK(status.state != WORKER_FAILED, "%s", status.reason);
}

static void wait_running(struct replay *replay)
{
	struct worker_status status;

	for (int i = 0; replay->patient && replay->job && i < 100000; i++) {
		worker_get_status(replay->worker, &status);
		if (status.serial == replay->job->serial && status.state == WORKER_RUNNING)
			return;
		pause_us(100);
	}
	CHECK(!replay->patient || !replay->job, "the worker does not start");
}

static void play(struct replay *replay, char event)
{
	switch (event) {
	case 's':
		replay->kv_ratio = 1 + (replay->kv_ratio & 1);
		pacing_init(&replay->pacing, TICK_NS);
		set_job(replay);
		break;
	case 'm':
		replay->model ^= 1;
		pacing_init(&replay->pacing, TICK_NS);
		set_job(replay);
		break;
	case 'j':
		set_job(replay);
		break;
	case 'h':
		hide(replay);
		break;
	case 'p':
		look(replay);
		break;
	case 'r':
		wait_running(replay);
		break;
	case 'w':
		pause_us(replay->patient ? 1000 : pick(replay, 100));
		break;
	case 'd':
		remake(replay);
		break;
	default:
		tick(replay, event == 't');
		break;
	}
}

static void play_from(struct replay *replay, const char *events)
{
	for (; *events; events++) {
		random_pause(replay);
		play(replay, *events);
	}
}

/* From a random event on, as the one before ended anywhere, or from the beginning. */
static void play_any(struct replay *replay)
{
	const unsigned kind = pick(replay, 400);
	const char *events = kind ? sequences[kind % 9] : removal;

	play_from(replay, events + (pick(replay, 2) ? pick(replay, (unsigned)strlen(events)) : 0));
}

int main(int argc, char **argv)
{
	struct replay replay = {.random = 1, .kv_ratio = 1, .now = TICK_NS};
	const int count = argc > 2 ? atoi(argv[2]) : 10000;
	const int64_t start_ns = clock_ns();
	unsigned patient = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: replay-test TEST_FOLDER [SEQUENCES]\n");
		return 2;
	}
	for (int i = 0; i < 2; i++)
		snprintf(replay.models[i], sizeof(replay.models[i]), "synth:%s/micro.json:%d",
			 argv[1], 7 + i);
	replay.pool = model_pool_create();
	replay.worker = worker_create(NULL, replay.pool);
	if (!replay.worker)
		return 1;
	pacing_init(&replay.pacing, TICK_NS);
	for (int i = 0; i < count && failures < 20; i++) {
		replay.patient = i % 200 == 0 || clock_ns() - start_ns < i * NS_PER_SEQUENCE;
		patient += replay.patient;
		if (i % 200 == 0)
			play_from(&replay, sequences[1]);
		else
			play_any(&replay);
	}
	worker_destroy(replay.worker);
	model_pool_unref(replay.pool);
	job_unref(replay.job);
	printf("%d sequences, %u patient, in %.1f s: %llu jobs, %llu frames taken, %llu chunks "
	       "measured, %llu frames shown\n",
	       count, patient, (double)(clock_ns() - start_ns) / 1e9,
	       (unsigned long long)replay.jobs, (unsigned long long)replay.taken,
	       (unsigned long long)replay.measured, (unsigned long long)replay.shown);
	CHECK(replay.shown > 0, "no frame came back");
	return check_result();
}
