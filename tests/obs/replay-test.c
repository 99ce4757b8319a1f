/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session with its worker, for ThreadSanitizer: what OBS's graphics thread does in the life of a
 * stream, played back thousands of times at random speeds against the real session, the real worker
 * and a real (synthetic) model.
 *
 *	replay-test TEST_FOLDER [SEQUENCES]
 *
 * The sequences below are the events that the filter reports, in its order, in the situations named
 * beside them; a random part of each is played, so that every event meets the worker in every
 * state. Most are played faster than the worker can compute; as many as time allows are played
 * patiently, so that frames come back. These must belong to the job at hand, in order, and be due;
 * and each event must make of the job what it asks for.
 */
#include "check.h"
#include "session/state.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICK_NS         16666667LL
#define SIDE            32
#define HIDE_TICKS      40        /* more than half a second */
#define NS_PER_SEQUENCE 3500000LL /* patience for 10,000 in well below a minute */

/*
 * t a picture of OBS in which the source is drawn, g one in which it is not (a lag), j one after a
 * seek, s one after another setting, m one after another model was chosen, h so many without the
 * source that it is hidden, p a look at the status (the dialog), r waits until the worker runs, w
 * some time for it, d the filter is removed and made again.
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
static const char removal[] = "trttttttttttttttttttttttttttttwtttttttttttd"; /* whatever it does */

/* Stands for the filter. */
struct replay {
	struct model_pool *pool;
	struct session *session;
	struct session_settings settings;
	char models[2][1024];
	int model;
	uint64_t random;
	int64_t now, last_tag, job_began;
	uint64_t serial;   /* of the job that was there last */
	bool staged;       /* a picture is on its way to the engine, ... */
	int64_t staged_ns; /* ... taken then */
	bool patient;      /* in this sequence */
	uint64_t taken, shown, jobs;
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

static int make_frame(void *opaque, fvsr_frame **out, enum frame_direction direction, int width,
		      int height)
{
	(void)opaque;
	(void)direction;
	return fvsr_frame_create(out, FVSR_FORMAT_RGBA8, width, height);
}

/* ---- what the filter does ------------------------------------------------------------------ */

static bool provide(void *opaque, const struct transport_request *wanted, struct frame_maker *maker,
		    char *reason, size_t reason_size)
{
	struct replay *replay = opaque;

	(void)reason;
	(void)reason_size;
	CHECK(wanted->kind == TRANSPORT_READBACK, "textures shared with a processor");
	replay->staged = false;
	*maker = (struct frame_maker){make_frame, NULL};
	return true;
}

static void settings_changed(struct replay *replay)
{
	const struct session_event event = {.kind = SESSION_SETTINGS,
					    .settings = &replay->settings};
	struct session_answer answer;

	session_handle(replay->session, &event, &answer);
}

static void make_session(struct replay *replay)
{
	const struct session_setup setup = {
		.pool = replay->pool,
		.host = {provide, replay},
		.card = -1,
		.tick_ns = TICK_NS,
	};

	replay->session = session_create(&setup);
	if (!replay->session)
		abort();
	replay->serial = 0;
	settings_changed(replay);
}

static void begin_tick(struct replay *replay)
{
	struct session_event event = {.kind = SESSION_TICK};
	struct session_answer answer;

	replay->now += TICK_NS;
	event.now = replay->now;
	session_handle(replay->session, &event, &answer);
	CHECK(!answer.forget || !replay->session->at.job, "a hidden source has a job");
	if (answer.forget)
		replay->serial = 0;
}

static void send_staged(struct replay *replay)
{
	const struct fvsr_picture *picture;
	fvsr_frame *frame = session_begin_input(replay->session);

	replay->staged = false;
	if (!frame)
		return;
	picture = fvsr_frame_picture(frame);
	memset(picture->data, (int)(replay->taken++ % 256),
	       picture->stride * (size_t)picture->height);
	fvsr_frame_set_tag(frame, replay->staged_ns);
	session_end_input(replay->session);
}

static void take(struct replay *replay)
{
	if (replay->staged)
		session_miss(replay->session);
	replay->staged = true;
	replay->staged_ns = replay->now;
}

static void show(struct replay *replay, const struct session_answer *answer)
{
	CHECK(fvsr_frame_tag(answer->due) == answer->due_ns, "another time");
	CHECK(answer->due_ns > replay->last_tag, "time goes back");
	CHECK(answer->due_ns >= replay->job_began, "a frame of another job");
	CHECK(answer->due_ns + replay->session->schedule.delay_ns <= replay->now + TICK_NS / 2,
	      "not due");
	replay->last_tag = answer->due_ns;
	replay->shown++;
}

/* Until the worker has taken what there is, but for one frame. */
static void wait_taken(struct replay *replay)
{
	const struct job *job = replay->session->at.job;

	for (int i = 0;
	     job && i < 10000 && frame_queue_count(job->in) > 1 && !frame_queue_full(job->out); i++)
		pause_us(100);
}

/* What the answer to SESSION_PICTURE must be, and what it must have made of the job. */
static void check_picture(struct replay *replay, const struct session_answer *answer, bool anew)
{
	const struct schedule *schedule = &replay->session->schedule;
	const struct job *job = replay->session->at.job;
	const uint64_t serial = job ? job->serial : 0;

	CHECK(answer->view == SESSION_VIEW_NETWORK, "view %d", (int)answer->view);
	CHECK(!answer->carry || job, "frames are carried without a job");
	CHECK(!answer->due || answer->carry, "a frame is due that nobody carries");
	CHECK(!anew || !job || serial != replay->serial, "the job goes on");
	if (serial == replay->serial)
		return;
	CHECK(serial > replay->serial || !serial, "job %llu after job %llu",
	      (unsigned long long)serial, (unsigned long long)replay->serial);
	CHECK(!replay->staged, "a picture from before goes to the new job");
	CHECK(!job || !schedule->any_taken, "pictures of another job count for the new one");
	replay->serial = serial;
	replay->last_tag = 0;
	replay->job_began = replay->now;
	replay->jobs += serial != 0;
}

/* One in which the source is drawn. 'jumped': after a seek. 'anew': a new job has to begin. */
static void picture(struct replay *replay, bool jumped, bool anew)
{
	struct session_event event = {.kind = SESSION_PICTURE,
				      .sizes = {SIDE, SIDE, 2 * SIDE, 2 * SIDE},
				      .tick_ns = TICK_NS,
				      .jumped = jumped};
	struct session_answer answer;

	begin_tick(replay);
	event.now = replay->now;
	session_handle(replay->session, &event, &answer);
	check_picture(replay, &answer, anew);
	if (answer.due)
		show(replay, &answer);
	if (answer.carry && replay->staged)
		send_staged(replay);
	event.kind = SESSION_CARRIED;
	event.shown = answer.due != NULL;
	event.ready = true;
	session_handle(replay->session, &event, &answer);
	CHECK(answer.delay_ns % TICK_NS == 0, "a delay of %lld ns", (long long)answer.delay_ns);
	CHECK(!event.shown || !answer.bicubic, "an upscaled picture is replaced");
	if (answer.take)
		take(replay);
	if (replay->patient)
		wait_taken(replay);
}

static void other_setting(struct replay *replay)
{
	struct fvsr_settings *engine = &replay->settings.request.settings;

	engine->kv_ratio = 1 + (engine->kv_ratio & 1);
	settings_changed(replay);
}

static void other_model(struct replay *replay)
{
	replay->model ^= 1;
	snprintf(replay->settings.request.model, sizeof(replay->settings.request.model), "%s",
		 replay->models[replay->model]);
	settings_changed(replay);
}

static void wait_idle(struct replay *replay)
{
	struct worker_status status;

	for (int i = 0; i < 100000; i++) {
		session_get_worker(replay->session, &status);
		if (status.state == WORKER_IDLE)
			return;
		pause_us(100);
	}
	CHECK(false, "the worker goes on without a job");
}

static void hide(struct replay *replay)
{
	for (int i = 0; i < HIDE_TICKS; i++)
		begin_tick(replay);
	CHECK(!replay->session->at.job, "a source that is not drawn has a job");
	if (replay->patient || !pick(replay, 8))
		wait_idle(replay);
}

static void remake(struct replay *replay)
{
	session_destroy(replay->session);
	make_session(replay);
}

static void look(struct replay *replay)
{
	struct worker_status status;

	session_get_worker(replay->session, &status);
	CHECK(status.state != WORKER_FAILED, "%s", status.reason);
}

static void wait_running(struct replay *replay)
{
	const struct job *job = replay->session->at.job;
	struct worker_status status;

	for (int i = 0; replay->patient && job && i < 100000; i++) {
		session_get_worker(replay->session, &status);
		if (status.serial == job->serial && status.state == WORKER_RUNNING)
			return;
		pause_us(100);
	}
	CHECK(!replay->patient || !job, "the worker does not start");
}

static void play(struct replay *replay, char event)
{
	const bool at_work = replay->session->at.job != NULL;

	switch (event) {
	case 's':
		other_setting(replay);
		picture(replay, false, true);
		break;
	case 'm':
		other_model(replay);
		picture(replay, false, true);
		break;
	case 'j':
		picture(replay, true, at_work);
		break;
	case 'g':
		begin_tick(replay);
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
		picture(replay, false, false);
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

static void read_settings(struct replay *replay, const char *folder)
{
	struct session_settings *settings = &replay->settings;
	struct job_request *request = &settings->request;

	for (int i = 0; i < 2; i++)
		snprintf(replay->models[i], sizeof(replay->models[i]), "synth:%s/micro.json:%d",
			 folder, 7 + i);
	fvsr_settings_default(&request->settings);
	request->settings.kv_ratio = 1;
	snprintf(request->backend, sizeof(request->backend), "auto");
	snprintf(request->model, sizeof(request->model), "%s", replay->models[0]);
	settings->target.scale = 2;
	settings->min_fps = 1;
}

int main(int argc, char **argv)
{
	struct replay replay = {.random = 1, .now = TICK_NS};
	const int count = argc > 2 ? atoi(argv[2]) : 10000;
	const int64_t start_ns = clock_ns();
	unsigned patient = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: replay-test TEST_FOLDER [SEQUENCES]\n");
		return 2;
	}
	read_settings(&replay, argv[1]);
	replay.pool = model_pool_create();
	make_session(&replay);
	for (int i = 0; i < count && check_failures() < 20; i++) {
		replay.patient = i % 200 == 0 || clock_ns() - start_ns < i * NS_PER_SEQUENCE;
		patient += replay.patient;
		if (i % 200 == 0)
			play_from(&replay, sequences[1]);
		else
			play_any(&replay);
	}
	session_destroy(replay.session);
	model_pool_unref(replay.pool);
	printf("%d sequences, %u patient, in %.1f s: %llu jobs, %llu frames sent, %llu frames "
	       "shown\n",
	       count, patient, (double)(clock_ns() - start_ns) / 1e9,
	       (unsigned long long)replay.jobs, (unsigned long long)replay.taken,
	       (unsigned long long)replay.shown);
	CHECK(replay.shown > 0, "no frame came back");
	return check_result();
}
