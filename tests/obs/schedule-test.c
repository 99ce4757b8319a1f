/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schedule with a clock of our own: a render loop and a worker that computes in chunks, both
 * made of arithmetic, around the plugin's real schedule and queues. What is shown must be even and
 * late by a constant time, whatever the worker's speed.
 */
#include "check.h"
#include "session/job.h"
#include "policy/ladder.h"
#include "policy/schedule.h"
#include "units.h"

#include <stdio.h>
#include <stdlib.h>

#define LATENCY       12
#define FIRST_LATENCY 25
#define FIRST_CHUNK   21
#define CHUNK         8
#define CARRY_TICKS   2 /* from the texture to the worker */

struct sim {
	int64_t tick_ns, now, frame_cost_ns;
	struct schedule schedule;
	struct ladder ladder; /* for the frame rate only */
	struct frame_queue *in, *out;

	int64_t carried[CARRY_TICKS]; /* 0: nothing */

	/* The worker and its stream. */
	int64_t inside[64]; /* times of the frames in the stream, a ring */
	uint64_t sent, received, computed;
	int64_t busy_since, busy_until;
	bool busy;
	bool off;    /* the ladder has given up the network */
	bool spread; /* chunks are stretched to what they may take */
	unsigned out_frames;

	/* What was seen. */
	int64_t shown, last_shown_at;
	uint64_t shown_count, restarts, chosen;
};

static int make_frame(void *opaque, fvsr_frame **out, enum frame_direction direction, int width,
		      int height)
{
	(void)opaque;
	(void)direction;
	return fvsr_frame_create(out, FVSR_FORMAT_RGBA8, width, height);
}

static void make_queues(struct sim *sim)
{
	struct frame_maker maker = {make_frame, NULL};

	frame_queue_destroy(sim->in);
	frame_queue_destroy(sim->out);
	sim->in = frame_queue_create(JOB_INPUT_FRAMES, &maker, FRAME_TO_ENGINE, 16, 16);
	sim->out = frame_queue_create(sim->out_frames, &maker, FRAME_FROM_ENGINE, 16, 16);
	if (!sim->in || !sim->out)
		abort();
	sim->sent = sim->received = sim->computed = 0;
	sim->busy = false;
	for (int i = 0; i < CARRY_TICKS; i++)
		sim->carried[i] = 0;
}

static void restart(struct sim *sim)
{
	make_queues(sim);
	schedule_restart(&sim->schedule);
	schedule_spread(&sim->schedule, sim->spread);
	sim->restarts++;
}

/* Returns the time that a chunk takes; work is spread only if it takes much less than it may. */
static int64_t chunk_span(const struct sim *sim)
{
	int64_t cost = (sim->computed ? CHUNK : FIRST_CHUNK) * sim->frame_cost_ns;
	int64_t budget = sim->computed ? sim->schedule.budget_ns : 0;

	return cost * 20 < budget * 17 ? budget : cost;
}

/* Takes one step of the worker that takes no time. False when there is nothing to do. */
static bool worker_step(struct sim *sim)
{
	uint64_t need = sim->computed ? sim->computed + LATENCY : FIRST_LATENCY;
	fvsr_frame *frame;

	if (sim->received < sim->computed) {
		frame = frame_queue_write_begin(sim->out);
		if (!frame)
			return false;
		fvsr_frame_set_tag(frame, sim->inside[sim->received++ % 64]);
		frame_queue_write_end(sim->out);
		return true;
	}
	if (sim->sent >= need) {
		sim->busy = true;
		sim->busy_since = sim->now;
		sim->busy_until = sim->now + chunk_span(sim);
		return false;
	}
	frame = frame_queue_peek(sim->in, 0);
	if (!frame)
		return false;
	sim->inside[sim->sent++ % 64] = fvsr_frame_tag(frame);
	frame_queue_pop(sim->in);
	return true;
}

/* Learns from a chunk what the session does. Returns true when the job has to start over. */
static bool chunk_done(struct sim *sim)
{
	const int frames = sim->computed ? CHUNK : FIRST_CHUNK;
	enum ladder_change change;

	sim->busy = false;
	sim->computed += (uint64_t)frames;
	sim->ladder.longest_ns = sim->schedule.longest_ns;
	change = ladder_measured(&sim->ladder, sim->now - sim->busy_since, frames, sim->now);
	sim->off = change == LADDER_OTHER && sim->ladder.step == LADDER_BICUBIC;
	if (sim->off)
		return false;
	schedule_stream(&sim->schedule, LATENCY, FIRST_LATENCY);
	if (change == LADDER_OTHER_RATE &&
	    schedule_set_interval(&sim->schedule, sim->ladder.divisor * sim->tick_ns))
		return true;
	if (ladder_settled(&sim->ladder))
		sim->chosen += schedule_choose(&sim->schedule, ladder_room(&sim->ladder),
					       (int)sim->out_frames - 4);
	return false;
}

/* Returns true when the job has to start over. */
static bool run_worker(struct sim *sim)
{
	if (sim->off) {
		sim->off = !ladder_retry(&sim->ladder, sim->now);
		if (sim->off)
			return false;
		schedule_set_interval(&sim->schedule, sim->ladder.divisor * sim->tick_ns);
		return true;
	}
	if (sim->busy && sim->now >= sim->busy_until && chunk_done(sim))
		return true;
	while (!sim->off && !sim->busy && worker_step(sim))
		;
	return false;
}

static void take(struct sim *sim)
{
	int64_t arrived = sim->carried[0];
	fvsr_frame *frame = arrived ? frame_queue_write_begin(sim->in) : NULL;

	if (frame) {
		fvsr_frame_set_tag(frame, arrived);
		frame_queue_write_end(sim->in);
	}
	for (int i = 0; i + 1 < CARRY_TICKS; i++)
		sim->carried[i] = sim->carried[i + 1];
	sim->carried[CARRY_TICKS - 1] =
		!sim->off && schedule_take(&sim->schedule, sim->now) ? sim->now : 0;
}

/* Returns true when a new frame was shown. */
static bool tick(struct sim *sim)
{
	const fvsr_frame *frame;
	bool freed;

	/* Rounded, as OBS's times are. */
	sim->now += sim->tick_ns + (sim->now / sim->tick_ns) % 2;
	if (run_worker(sim) || sim->schedule.stalled)
		restart(sim);
	frame = sim->off ? NULL : schedule_due(&sim->schedule, sim->out, sim->now, &freed);
	if (frame) {
		CHECK(fvsr_frame_tag(frame) > sim->shown, "time goes back");
		sim->shown = fvsr_frame_tag(frame);
		sim->last_shown_at = sim->now;
		sim->shown_count++;
		schedule_shown(&sim->schedule, sim->out);
	}
	take(sim);
	return frame != NULL;
}

static void run_seconds(struct sim *sim, double seconds)
{
	int64_t end = sim->now + (int64_t)(seconds * (double)NS_PER_S);

	while (sim->now < end)
		tick(sim);
}

/* Checks that in a steady stretch every frame is shown, evenly and with the same delay. */
static void check_even(struct sim *sim, const char *what, double seconds)
{
	int64_t end = sim->now + (int64_t)(seconds * (double)NS_PER_S);
	int64_t delay = sim->schedule.delay_ns, interval = sim->schedule.interval_ns;
	int64_t before_shown = 0, before_at = 0;
	uint64_t count = 0;

	while (sim->now < end) {
		if (!tick(sim))
			continue;
		count++;
		CHECK(llabs(sim->now - sim->shown - delay) <= sim->tick_ns,
		      "%s: %.1f ms late instead of %.1f", what,
		      (double)(sim->now - sim->shown) / 1e6, (double)delay / 1e6);
		if (before_shown) {
			CHECK(llabs(sim->shown - before_shown - interval) < sim->tick_ns / 2,
			      "%s: a gap in what is shown", what);
			CHECK(llabs(sim->now - before_at - interval) < sim->tick_ns / 2,
			      "%s: shown unevenly", what);
		}
		before_shown = sim->shown;
		before_at = sim->now;
	}
	CHECK(sim->schedule.delay_ns == delay, "%s: the delay changed", what);
	CHECK((int64_t)count >= (int64_t)(seconds * (double)NS_PER_S) / interval - 2,
	      "%s: only %llu frames", what, (unsigned long long)count);
	printf("%-28s %5.1f frames/s, delay %7.1f ms (%.1f frames), restarts %llu\n", what,
	       (double)NS_PER_S / (double)interval, (double)delay / 1e6,
	       (double)delay / (double)interval, (unsigned long long)sim->restarts);
}

static void start(struct sim *sim, double fps, double cost_ms)
{
	*sim = (struct sim){.tick_ns = (int64_t)((double)NS_PER_S / fps),
			    .now = 12345678901LL,
			    .frame_cost_ns = (int64_t)(cost_ms * 1e6),
			    .out_frames = JOB_OUTPUT_FRAMES_MAX};
	schedule_init(&sim->schedule, sim->tick_ns);
	ladder_init(&sim->ladder,
		    &(struct ladder_plan){.tick_ns = sim->tick_ns, .slowest_ns = NS_PER_S});
	make_queues(sim);
}

static void finish(struct sim *sim)
{
	frame_queue_destroy(sim->in);
	frame_queue_destroy(sim->out);
}

static void test_speed(const char *what, double fps, double cost_ms)
{
	double interval_s = cost_ms / 1e3 > 1.0 / fps ? cost_ms / 1e3 : 1.0 / fps;
	struct sim sim;

	start(&sim, fps, cost_ms);
	run_seconds(&sim, 150.0 * interval_s);
	CHECK(sim.shown_count > 0, "%s: nothing was shown", what);
	/* No longer than it must be: two chunks, some frames, and room for one lower rate. */
	CHECK(sim.schedule.delay_ns <=
		      24 * (sim.schedule.interval_ns + sim.tick_ns) + 4 * sim.tick_ns,
	      "%s: delay of %.1f ms", what, (double)sim.schedule.delay_ns / 1e6);
	check_even(&sim, what, 200.0 * interval_s);
	finish(&sim);
}

/* The worker takes its time, but not so long that a picture is late. */
static void test_spread(const char *what, double fps, double cost_ms)
{
	struct sim sim;
	int64_t budget;

	start(&sim, fps, cost_ms);
	sim.spread = true;
	budget = schedule_spread(&sim.schedule, true);
	CHECK(budget > CHUNK * sim.tick_ns / 2 && budget < CHUNK * sim.tick_ns, "%s: %.1f ms", what,
	      (double)budget / 1e6);
	run_seconds(&sim, 150.0 / fps);
	check_even(&sim, what, 200.0 / fps);
	CHECK(sim.restarts == 0, "%s: %llu restarts", what, (unsigned long long)sim.restarts);
	CHECK(schedule_spread(&sim.schedule, false) == 0, "%s: still spread", what);
	sim.schedule.interval_ns = NS_PER_S;
	CHECK(schedule_spread(&sim.schedule, true) < NS_PER_S,
	      "too long for who waits for the worker");
	finish(&sim);
}

/* Checks for some time that nothing is shown at another time than promised. */
static void check_promise(struct sim *sim, const char *what, int64_t delay_ns, double seconds)
{
	const int64_t end = sim->now + (int64_t)(seconds * (double)NS_PER_S);
	uint64_t shown = 0;

	while (sim->now < end) {
		const bool news = tick(sim);

		shown += news;
		CHECK(sim->schedule.delay_ns == delay_ns, "%s: a delay of %.1f ms", what,
		      (double)sim->schedule.delay_ns / 1e6);
		CHECK(!news || llabs(sim->now - sim->shown - delay_ns) <=
				       sim->schedule.interval_ns + sim->tick_ns,
		      "%s: %.1f ms late", what, (double)(sim->now - sim->shown) / 1e6);
	}
	printf("%-28s delay %7.1f ms, %llu frames shown in %.0f s\n", what, (double)delay_ns / 1e6,
	       (unsigned long long)shown, seconds);
}

/* Another program takes half of the machine: fewer frames, at the same delay, and even again. */
static void test_slowdown(unsigned out_frames)
{
	int64_t delay_ns;
	struct sim sim;

	start(&sim, 30.0, 28.0);
	sim.out_frames = out_frames;
	make_queues(&sim);
	run_seconds(&sim, 10.0);
	check_even(&sim, "before a slowdown", 5.0);
	delay_ns = sim.schedule.delay_ns;
	sim.frame_cost_ns *= 2;
	check_promise(&sim, "during it", delay_ns, 180.0);
	if (out_frames == JOB_OUTPUT_FRAMES_MAX) {
		CHECK(sim.ladder.divisor == 2 && !sim.off, "step %d", (int)sim.ladder.step);
		check_even(&sim, "later", 20.0);
	}
	sim.frame_cost_ns /= 4;
	check_promise(&sim, "after it", delay_ns, 180.0);
	CHECK(sim.ladder.divisor == 1 && sim.ladder.step != LADDER_BICUBIC, "step %d",
	      (int)sim.ladder.step);
	check_even(&sim, "much later", 20.0);
	CHECK(sim.chosen == 1, "%llu delays", (unsigned long long)sim.chosen);
	finish(&sim);
}

/* Whatever the load is, from nothing to far too much, the delay is the one that was chosen. */
static void test_load(double fps, double cost_ms)
{
	const int64_t cost_ns = (int64_t)(cost_ms * 1e6);
	int64_t delay_ns;
	struct sim sim;

	start(&sim, fps, cost_ms);
	run_seconds(&sim, 20.0);
	delay_ns = sim.schedule.delay_ns;
	CHECK(delay_ns > 0, "%.1f ms a frame: no delay", cost_ms);
	srand(3);
	for (int i = 0; i < 60; i++) {
		sim.frame_cost_ns = cost_ns + cost_ns * (rand() % 300) / 100;
		check_promise(&sim, "under a load that changes", delay_ns, 3.0);
	}
	sim.frame_cost_ns = cost_ns * 20;
	check_promise(&sim, "far too much", delay_ns, 180.0);
	finish(&sim);
}

/* The machine becomes free: the rate goes up and the delay down, once. */
static void test_speedup(void)
{
	int64_t before_ns;
	struct sim sim;

	start(&sim, 30.0, 120.0);
	run_seconds(&sim, 30.0);
	check_even(&sim, "before a speedup", 20.0);
	before_ns = sim.schedule.delay_ns;
	sim.frame_cost_ns /= 12;
	run_seconds(&sim, 20.0);
	CHECK(sim.restarts == 2, "%llu restarts", (unsigned long long)sim.restarts);
	CHECK(sim.chosen == 2, "%llu delays", (unsigned long long)sim.chosen);
	CHECK(sim.schedule.delay_ns < before_ns / 2, "still late by %.1f ms",
	      (double)sim.schedule.delay_ns / 1e6);
	check_even(&sim, "after it", 20.0);
	finish(&sim);
}

/* The worker stops altogether for a while: the picture counts as behind, then recovers. */
static void test_stall(void)
{
	bool behind = false;
	int64_t delay_ns;
	struct sim sim;

	start(&sim, 30.0, 15.0);
	run_seconds(&sim, 10.0);
	delay_ns = sim.schedule.delay_ns;
	while (!sim.busy)
		tick(&sim);
	sim.busy_until += 5 * NS_PER_S;
	while (sim.busy) {
		tick(&sim);
		behind = behind || schedule_behind(&sim.schedule, sim.shown, sim.now);
	}
	CHECK(behind, "a stall of seconds goes unnoticed");
	run_seconds(&sim, 30.0);
	CHECK(!schedule_behind(&sim.schedule, sim.shown, sim.now), "no recovery");
	CHECK(sim.schedule.delay_ns == delay_ns && sim.chosen == 1, "one stall changed the delay");
	check_even(&sim, "after a stall", 10.0);
	finish(&sim);
}

/* Lags that are too short to start over leave pictures out, and that is all. */
static void test_lags(void)
{
	int64_t delay_ns;
	struct sim sim;

	start(&sim, 30.0, 15.0);
	run_seconds(&sim, 10.0);
	delay_ns = sim.schedule.delay_ns;
	for (int i = 0; i < 5; i++) {
		while (!sim.busy)
			tick(&sim);
		sim.busy_until += NS_PER_S / 4;
		check_promise(&sim, "short lags", delay_ns, 3.0);
	}
	CHECK(sim.restarts == 0, "%llu restarts", (unsigned long long)sim.restarts);
	check_even(&sim, "after short lags", 100.0);
	CHECK(sim.schedule.delay_ns == delay_ns, "%.1f ms, after %.1f",
	      (double)sim.schedule.delay_ns / 1e6, (double)delay_ns / 1e6);
	finish(&sim);
}

/* OBS itself stands still for a moment: the worker is not to blame, and goes on. */
static void test_obs_lags(void)
{
	struct sim sim;

	start(&sim, 30.0, 15.0);
	run_seconds(&sim, 10.0);
	for (int i = 0; i < 5; i++) {
		sim.now += 8 * NS_PER_S / 10;
		run_seconds(&sim, 3.0);
	}
	CHECK(sim.restarts == 0, "%llu restarts", (unsigned long long)sim.restarts);
	check_even(&sim, "after lags of OBS", 20.0);
	finish(&sim);
}

int main(void)
{
	test_speed("60 Hz, fast", 60.0, 5.0);
	test_speed("60 Hz, just fast enough", 60.0, 14.0);
	test_speed("60 Hz, not quite", 60.0, 16.5);
	test_speed("60 Hz, half", 60.0, 25.0);
	test_speed("30 Hz, fast", 30.0, 3.0);
	test_speed("30 Hz, 4 frames/s", 30.0, 240.0);
	test_speed("29.97 Hz, slow", 30.0 / 1.001, 100.0);
	test_speed("144 Hz", 144.0, 4.0);
	test_spread("60 Hz, spread", 60.0, 3.0);
	test_spread("60 Hz, spread a little", 60.0, 9.5);
	test_spread("60 Hz, nothing to spread", 60.0, 14.0);
	test_spread("30 Hz, spread", 30.0, 15.0);
	test_slowdown(JOB_OUTPUT_FRAMES_MAX);
	test_slowdown(JOB_OUTPUT_FRAMES);
	test_load(30.0, 20.0);
	test_load(60.0, 40.0);
	test_load(60.0, 2.0);
	test_speedup();
	test_stall();
	test_lags();
	test_obs_lags();
	return check_result();
}
