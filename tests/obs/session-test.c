/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session, event by event, with a worker and a host that do as they are told: which events begin
 * a job, replace it and end it, which phase that leads to, and how frames travel. replay-test plays
 * the same session against the real worker.
 */
#include "check.h"
#include "session/state.h"
#include "units.h"

#include <stdio.h>
#include <string.h>

#define TICK_NS (NS_PER_S / 60)

/* ---- a worker that does as it is told ------------------------------------------------------- */

static struct stand_in {
	struct job *job;
	struct worker_status status;
	unsigned set; /* calls of worker_set_job() */
} worker;

struct worker *worker_create(const struct fvsr_log *log, struct model_pool *pool)
{
	(void)log;
	(void)pool;
	worker = (struct stand_in){.status = {.state = WORKER_IDLE}};
	return (struct worker *)&worker;
}

void worker_destroy(struct worker *self)
{
	(void)self;
	job_unref(worker.job);
	worker.job = NULL;
}

/* Begins to load at once, so the status is always the job's. */
void worker_set_job(struct worker *self, struct job *job)
{
	(void)self;
	if (job)
		job_ref(job);
	job_unref(worker.job);
	worker.job = job;
	worker.status = (struct worker_status){
		.serial = job ? job->serial : 0,
		.state = job ? WORKER_LOADING : WORKER_IDLE,
		.card = -1,
		.cost = {.first_latency = 25, .latency = 12, .chunk = 8},
	};
	worker.set++;
}

void worker_wake(struct worker *self)
{
	(void)self;
}

void worker_set_keep(struct worker *self, int seconds)
{
	(void)self;
	(void)seconds;
}

void worker_get_status(struct worker *self, struct worker_status *status)
{
	(void)self;
	*status = worker.status;
}

/* ---- the filter ----------------------------------------------------------------------------- */

struct filter {
	struct session *session;
	struct session_settings settings;
	struct session_event picture; /* the next SESSION_PICTURE */
	struct session_answer
		answer;           /* to the last SESSION_CARRIED, or without one SESSION_PICTURE */
	bool forget;              /* was answered to the last SESSION_TICK */
	enum transport_kind kind; /* of the last transport that was asked for */
	bool refuse[3];           /* transports of these kinds cannot be had */
};

static int make_frame(void *opaque, fvsr_frame **out, enum frame_direction direction, int width,
		      int height)
{
	(void)opaque;
	(void)direction;
	return fvsr_frame_create(out, FVSR_FORMAT_RGBA8, width, height);
}

static bool provide(void *opaque, const struct transport_request *wanted, struct frame_maker *maker,
		    char *reason, size_t reason_size)
{
	struct filter *filter = opaque;

	filter->kind = wanted->kind;
	*maker = (struct frame_maker){make_frame, NULL};
	if (filter->refuse[wanted->kind])
		snprintf(reason, reason_size, "it is not there");
	return !filter->refuse[wanted->kind];
}

static void change_settings(struct filter *filter)
{
	const struct session_event event = {.kind = SESSION_SETTINGS,
					    .settings = &filter->settings};
	struct session_answer answer;

	session_handle(filter->session, &event, &answer);
}

static void start(struct filter *filter)
{
	const struct session_setup setup = {
		.host = {provide, filter}, .card = 0, .tick_ns = TICK_NS};

	*filter = (struct filter){.settings = {.target = {.scale = 2}, .min_fps = 12}};
	fvsr_settings_default(&filter->settings.request.settings);
	snprintf(filter->settings.request.model, sizeof(filter->settings.request.model), "large");
	snprintf(filter->settings.request.backend, sizeof(filter->settings.request.backend),
		 "auto");
	snprintf(filter->settings.small_model, sizeof(filter->settings.small_model), "small");
	filter->picture = (struct session_event){.kind = SESSION_PICTURE,
						 .now = 100 * NS_PER_S,
						 .sizes = {64, 32, 128, 64},
						 .tick_ns = TICK_NS};
	filter->session = session_create(&setup);
	change_settings(filter);
}

static void tick(struct filter *filter)
{
	struct session_event event = {.kind = SESSION_TICK};
	struct session_answer answer;

	event.now = filter->picture.now += TICK_NS;
	session_handle(filter->session, &event, &answer);
	filter->forget = answer.forget;
}

/* Draws a picture, and returns the phase that the session is in afterwards. */
static enum session_phase draw(struct filter *filter)
{
	struct session_event carried = {.kind = SESSION_CARRIED, .ready = true};

	tick(filter);
	carried.now = filter->picture.now;
	session_handle(filter->session, &filter->picture, &filter->answer);
	carried.shown = filter->answer.due != NULL;
	if (filter->answer.view == SESSION_VIEW_NETWORK)
		session_handle(filter->session, &carried, &filter->answer);
	filter->picture.jumped = false;
	filter->picture.trouble = NULL;
	return session_get_phase(filter->session);
}

/* Draws a picture that has to begin a new job, and the phase has to be PHASE_STARTING. */
static void expect_job(struct filter *filter, const char *when)
{
	const unsigned set = worker.set;
	const uint64_t serial = worker.status.serial;

	CHECK(draw(filter) == PHASE_STARTING, "%s", when);
	CHECK(worker.set == set + 1, "%s: %u jobs", when, worker.set - set);
	CHECK(worker.job && worker.status.serial > serial, "%s", when);
}

/* Draws a picture that has to leave the job alone. */
static void expect_none(struct filter *filter, enum session_phase phase, const char *when)
{
	const unsigned set = worker.set;
	const enum session_phase found = draw(filter);

	CHECK(found == phase, "%s: phase %d", when, (int)found);
	CHECK(worker.set == set, "%s: the job was touched", when);
}

/* Draws a picture that has to end the job. */
static void expect_end(struct filter *filter, enum session_phase phase, const char *when)
{
	const enum session_phase found = draw(filter);

	CHECK(found == phase, "%s: phase %d", when, (int)found);
	CHECK(!worker.job, "%s: there is a job", when);
}

static void run_on(int card)
{
	worker.status.state = WORKER_RUNNING;
	worker.status.card = card;
}

static void fail_worker(bool no_memory)
{
	worker.status.state = WORKER_FAILED;
	worker.status.no_memory = no_memory;
	worker.status.device_failed = !no_memory;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void test_changes(void)
{
	struct filter filter;

	start(&filter);
	expect_job(&filter, "the first picture");
	CHECK(worker.job->request.card == 0 && worker.job->request.settings.out_width == 128,
	      "card %d, width %d", worker.job->request.card,
	      worker.job->request.settings.out_width);
	expect_none(&filter, PHASE_STARTING, "while it loads");
	run_on(-1);
	expect_none(&filter, PHASE_STARTING, "when it runs on the processor");
	CHECK(filter.answer.take && filter.answer.bicubic, "nothing is taken");
	filter.picture.jumped = true;
	expect_job(&filter, "a seek");
	expect_none(&filter, PHASE_STARTING, "after a seek");
	filter.picture.sizes = (struct sizes){32, 32, 64, 64};
	expect_job(&filter, "another size");
	change_settings(&filter);
	expect_none(&filter, PHASE_STARTING, "settings that were read again");
	filter.settings.request.settings.kv_ratio = 1;
	change_settings(&filter);
	expect_job(&filter, "another setting");
	filter.settings.pinned = LADDER_BICUBIC;
	change_settings(&filter);
	expect_end(&filter, PHASE_PINNED, "no network is wanted");
	CHECK(filter.answer.delay_ns == 0, "a delay for nothing");
	session_destroy(filter.session);
}

/* States in which there is nothing to compute, and the way back from each. */
static void test_rests(void)
{
	static const struct {
		struct sizes sizes;
		bool hdr;
		uint32_t scale; /* 0: to the canvas */
		enum session_phase phase;
		enum session_view view;
	} cases[] = {
		{{0, 0, 0, 0}, false, 2, PHASE_NO_PICTURE, SESSION_VIEW_SOURCE},
		{{8, 8, 8, 8}, false, 2, PHASE_UNFIT, SESSION_VIEW_SOURCE},
		{{64, 64, 64, 64}, false, 0, PHASE_REACHED, SESSION_VIEW_SOURCE},
		{{64, 32, 128, 64}, true, 2, PHASE_HDR, SESSION_VIEW_HDR},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct filter filter;

		start(&filter);
		filter.settings.target.scale = cases[i].scale;
		change_settings(&filter);
		expect_job(&filter, "at first");
		filter.picture.sizes = cases[i].sizes;
		filter.picture.hdr = cases[i].hdr;
		expect_end(&filter, cases[i].phase, "a picture without the network");
		CHECK(filter.answer.view == cases[i].view, "case %zu: view %d", i,
		      (int)filter.answer.view);
		CHECK(filter.answer.sound_delay_ns == 0, "case %zu: the sound is delayed", i);
		filter.picture.sizes = (struct sizes){64, 32, 128, 64};
		filter.picture.hdr = false;
		expect_job(&filter, "a picture for the network");
		session_destroy(filter.session);
	}
}

static void test_hidden(void)
{
	struct filter filter;
	unsigned forgotten = 0;

	start(&filter);
	expect_job(&filter, "at first");
	for (int i = 0; i < 29; i++)
		tick(&filter);
	CHECK(worker.job && !filter.forget, "hidden too soon");
	for (int i = 0; i < 29; i++) {
		tick(&filter);
		forgotten += filter.forget;
	}
	CHECK(session_get_phase(filter.session) == PHASE_HIDDEN && !worker.job, "not hidden");
	CHECK(forgotten == 1, "past pictures are forgotten %u times", forgotten);
	expect_job(&filter, "shown again");
	session_destroy(filter.session);
}

/* OBS may be slow: what is drawn in every picture is not hidden, however long a picture takes. */
static void test_lags(void)
{
	struct filter filter;

	start(&filter);
	CHECK(session_get_phase(filter.session) == PHASE_NO_PICTURE, "hidden before all");
	filter.picture.now += 100 * NS_PER_S; /* OBS has run for a while when a filter is added */
	tick(&filter);
	CHECK(session_get_phase(filter.session) == PHASE_NO_PICTURE, "hidden at once");
	expect_job(&filter, "at first");
	for (int i = 0; i < 5; i++) {
		filter.picture.now += NS_PER_S;
		expect_none(&filter, PHASE_STARTING, "after a lag of OBS");
	}
	session_destroy(filter.session);
}

static void test_transports(void)
{
	struct session_report report;
	struct filter filter;

	start(&filter);
	expect_job(&filter, "at first");
	CHECK(filter.kind == TRANSPORT_READBACK, "shared with an engine that is not known");
	run_on(0);
	expect_job(&filter, "the engine runs on the card");
	CHECK(filter.kind == TRANSPORT_INTEROP && worker.job->budget_ns > 0, "not shared");
	run_on(0);
	filter.picture.trouble = "a cable fell out";
	expect_job(&filter, "trouble");
	CHECK(filter.kind == TRANSPORT_READBACK, "still shared");
	run_on(0);
	expect_none(&filter, PHASE_STARTING, "refused once");
	session_get_report(filter.session, filter.picture.now, &report);
	CHECK(strcmp(report.transport_reason, "a cable fell out") == 0, "%s",
	      report.transport_reason);

	filter.settings.request.settings.kv_ratio = 1;
	change_settings(&filter);
	expect_job(&filter, "other settings");
	run_on(0);
	filter.refuse[TRANSPORT_INTEROP] = true;
	expect_job(&filter, "sharing is tried again");
	CHECK(filter.kind == TRANSPORT_READBACK, "shared all the same");
	filter.refuse[TRANSPORT_READBACK] = true;
	filter.picture.jumped = true;
	expect_end(&filter, PHASE_UNFIT, "no transport at all");
	expect_end(&filter, PHASE_UNFIT, "nor later");
	session_destroy(filter.session);
}

static void test_failures(void)
{
	struct filter filter;

	start(&filter);
	expect_job(&filter, "at first");
	fail_worker(true);
	expect_job(&filter, "no memory: fewer slices");
	CHECK(worker.job->request.settings.kv_ratio == LADDER_KV_RATIO, "%d slices",
	      worker.job->request.settings.kv_ratio);
	fail_worker(true);
	expect_job(&filter, "no memory: the small model");
	CHECK(strcmp(worker.job->request.model, "small") == 0, "%s", worker.job->request.model);
	fail_worker(false);
	for (int i = 0; i < 61; i++) /* a tick is a little less than a sixtieth */
		expect_none(&filter, PHASE_FAILED, "the card failed");
	expect_job(&filter, "a second later");
	for (int i = 0; i < 3; i++) {
		fail_worker(false);
		while (draw(&filter) == PHASE_FAILED)
			;
	}
	CHECK(strcmp(worker.job->request.backend, "auto") == 0, "the card is given up too soon");
	fail_worker(false);
	while (draw(&filter) == PHASE_FAILED)
		;
	CHECK(strcmp(worker.job->request.backend, "cpu") == 0, "the card is not given up");
	session_destroy(filter.session);
}

static void compute_chunk(int64_t frame_ns)
{
	worker.status.chunks++;
	worker.status.chunk_frames = 8;
	worker.status.chunk_ms = (double)(8 * frame_ns) / 1e6;
}

/* A first chunk that leaves no hope leads down the ladder, to another model at last. */
static void test_too_slow(void)
{
	struct session_event afresh;
	struct session_report report;
	struct filter filter;

	start(&filter);
	expect_job(&filter, "at first");
	run_on(-1);
	for (int i = 0; i < 20 && strcmp(worker.job->request.model, "small") != 0; i++) {
		compute_chunk(2 * TICK_NS);
		draw(&filter);
	}
	CHECK(strcmp(worker.job->request.model, "small") == 0, "%s", worker.job->request.model);
	for (int i = 0; i < 20 && worker.job; i++) {
		run_on(-1);
		compute_chunk(20 * TICK_NS);
		draw(&filter);
	}
	CHECK(session_get_phase(filter.session) == PHASE_TOO_SLOW && !worker.job, "phase %d",
	      (int)session_get_phase(filter.session));
	session_get_report(filter.session, filter.picture.now, &report);
	CHECK(report.possible_fps > 2.0 && report.possible_fps < 3.0, "%.1f frames/s",
	      report.possible_fps);
	CHECK(report.allow_fps == 2, "%d frames/s", report.allow_fps);
	expect_end(&filter, PHASE_TOO_SLOW, "still");
	afresh = (struct session_event){
		.kind = SESSION_SETTINGS, .settings = &filter.settings, .afresh = true};
	session_handle(filter.session, &afresh, &filter.answer);
	expect_job(&filter, "the user wants it tried again, with the same settings");
	CHECK(strcmp(worker.job->request.model, "large") == 0, "%s", worker.job->request.model);
	run_on(-1);
	for (int i = 0; i < 60 && worker.job; i++) {
		compute_chunk(40 * TICK_NS);
		draw(&filter);
		run_on(-1);
	}
	expect_end(&filter, PHASE_TOO_SLOW, "in vain");
	filter.picture.now += 3600 * NS_PER_S; /* the filter is hidden meanwhile */
	expect_job(&filter, "much later");
	session_destroy(filter.session);
}

/* A frame is shown once it is due, and the delay is a whole number of pictures. */
static void test_showing(void)
{
	struct filter filter;
	fvsr_frame *frame;
	int64_t taken_ns;
	int late = 0;

	start(&filter);
	expect_job(&filter, "at first");
	run_on(-1);
	draw(&filter);
	taken_ns = filter.picture.now;
	CHECK(filter.answer.take, "it is not taken");
	frame = frame_queue_write_begin(worker.job->out);
	fvsr_frame_set_tag(frame, taken_ns);
	frame_queue_write_end(worker.job->out);
	compute_chunk(TICK_NS / 4);
	while (late < 100 && draw(&filter) != PHASE_UPSCALING)
		late++;
	CHECK(filter.answer.delay_ns >= 14 * TICK_NS && filter.answer.delay_ns % TICK_NS == 0,
	      "a delay of %lld ns", (long long)filter.answer.delay_ns);
	CHECK(filter.answer.delay_ns == filter.picture.now - taken_ns, "shown at another time");
	CHECK(!filter.answer.bicubic && filter.answer.keep, "it is not shown");
	CHECK(frame_queue_count(worker.job->out) == 0, "the frame is not given back");
	for (int i = 0; i < 10; i++)
		draw(&filter);
	CHECK(session_get_phase(filter.session) == PHASE_BEHIND && filter.answer.bicubic,
	      "phase %d", (int)session_get_phase(filter.session));
	CHECK(filter.answer.delay_ns != 0, "the delay does not stay");
	session_destroy(filter.session);
}

static void deliver(const struct filter *filter)
{
	fvsr_frame *frame = frame_queue_write_begin(worker.job->out);

	fvsr_frame_set_tag(frame, filter->picture.now);
	frame_queue_write_end(worker.job->out);
}

/* Until the upscaled picture is shown. */
static void draw_upscaled(struct filter *filter)
{
	for (int i = 0; i < 200 && draw(filter) != PHASE_UPSCALING; i++)
		;
	CHECK(session_get_phase(filter->session) == PHASE_UPSCALING, "phase %d",
	      (int)session_get_phase(filter->session));
}

/* A machine that becomes too slow, or fails, shows bicubic at the delay that was promised. */
static void test_promise(void)
{
	struct session_report report;
	struct filter filter;
	int64_t delay_ns;

	start(&filter);
	filter.settings.pinned = LADDER_FULL;
	change_settings(&filter);
	expect_job(&filter, "at first");
	run_on(-1);
	draw(&filter);
	deliver(&filter);
	compute_chunk(TICK_NS / 4);
	draw_upscaled(&filter);
	delay_ns = filter.answer.delay_ns;
	fail_worker(false);
	draw(&filter);
	CHECK(session_get_phase(filter.session) == PHASE_FAILED, "it does not fail");
	CHECK(filter.answer.delay_ns == delay_ns && filter.answer.keep, "failed, and not late");
	filter.picture.now += NS_PER_S;
	expect_job(&filter, "a second later");
	run_on(-1);
	for (int i = 0; i < 20 && worker.job; i++) {
		compute_chunk(40 * TICK_NS);
		draw(&filter);
	}
	CHECK(session_get_phase(filter.session) == PHASE_TOO_SLOW, "it is not too slow");
	CHECK(filter.answer.delay_ns == delay_ns && filter.answer.bicubic && filter.answer.keep,
	      "too slow, and not late");
	session_get_report(filter.session, filter.picture.now, &report);
	CHECK(report.delay_was_s == 0.0, "another delay, of %.2f s", report.delay_was_s);

	filter.settings.request.settings.kv_ratio = 1;
	change_settings(&filter);
	expect_job(&filter, "other settings");
	run_on(-1);
	draw(&filter);
	deliver(&filter);
	compute_chunk(TICK_NS * 3 / 4);
	draw_upscaled(&filter);
	CHECK(filter.answer.delay_ns > delay_ns, "no room for fewer frames");
	session_get_report(filter.session, filter.picture.now, &report);
	CHECK((int64_t)(report.delay_was_s * 1e9 + 0.5) == delay_ns, "it does not say so: %.2f s",
	      report.delay_was_s);
	session_get_report(filter.session, filter.picture.now + 3600 * NS_PER_S, &report);
	CHECK(report.delay_was_s == 0.0, "it says so for ever");
	session_destroy(filter.session);
}

/* Whatever of the settings changes, the stream cannot go on with it. */
static void test_settings(void)
{
	struct job_request a = {.model = "large", .backend = "auto"}, b;

	fvsr_settings_default(&a.settings);
	b = a;
	CHECK(job_request_same(&a, &b), "they are the same");
	for (size_t i = 0; i < sizeof(a.settings); i++) {
		((unsigned char *)&b.settings)[i] ^= 1;
		CHECK(!job_request_same(&a, &b), "byte %zu is not compared", i);
		((unsigned char *)&b.settings)[i] ^= 1;
	}
	b.model[0] = 'b';
	CHECK(!job_request_same(&a, &b) && !job_request_same_model(&a, &b), "another model");
}

int main(void)
{
	test_changes();
	test_rests();
	test_hidden();
	test_lags();
	test_transports();
	test_failures();
	test_too_slow();
	test_showing();
	test_promise();
	test_settings();
	return check_result();
}
