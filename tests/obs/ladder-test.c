/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ladder on a machine made of arithmetic. What a frame costs on each step is given, time goes
 * by in chunks, and the test watches which step the ladder is on.
 */
#include "check.h"
#include "policy/ladder.h"
#include "units.h"

#include <stdio.h>

#define CHUNK 8

struct machine {
	struct ladder ladder;
	int64_t now;
	double cost_ms[LADDER_BICUBIC + 1]; /* of a frame, by step */
	double load;                        /* what else runs: times as slow */
	unsigned changes, restarts;
	enum ladder_step highest, lowest; /* seen */
};

static const struct ladder_plan all_steps = {
	.tick_ns = NS_PER_S / 30,
	.slowest_ns = NS_PER_S / 12,
	.sparse = true,
	.slices = true,
	.small = true,
};

static void start(struct machine *m, const struct ladder_plan *plan, const double cost_ms[6])
{
	*m = (struct machine){.now = 1234567890LL, .load = 1.0};
	for (int i = 1; i < 6; i++)
		m->cost_ms[i] = cost_ms[i - 1];
	ladder_init(&m->ladder, plan);
	m->highest = m->lowest = m->ladder.step;
}

static bool has_step(const struct ladder_plan *plan, int step)
{
	return step == LADDER_SPARSE   ? plan->sparse
	       : step == LADDER_SLICES ? plan->slices
	       : step == LADDER_SMALL  ? plan->small
				       : true;
}

static void note(struct machine *m, enum ladder_change change, enum ladder_step before)
{
	if (change == LADDER_SAME) {
		CHECK(m->ladder.step == before, "a silent change to %d", m->ladder.step);
		return;
	}
	for (int i = (int)before + 1; i < (int)m->ladder.step && i < LADDER_RATE; i++)
		CHECK(!has_step(&m->ladder.plan, i), "from %d to %d at once", before,
		      m->ladder.step);
	m->changes++;
	m->restarts += change == LADDER_OTHER;
	if (m->ladder.step < m->highest)
		m->highest = m->ladder.step;
	if (m->ladder.step > m->lowest)
		m->lowest = m->ladder.step;
}

static void one_chunk(struct machine *m)
{
	const enum ladder_step step = m->ladder.step;
	const int64_t lasts_ns = CHUNK * m->ladder.divisor * m->ladder.plan.tick_ns;
	int64_t chunk_ns = (int64_t)(m->cost_ms[step] * m->load * CHUNK * 1e6);

	if (step == LADDER_BICUBIC) {
		m->now += NS_PER_S / 30;
		if (ladder_retry(&m->ladder, m->now))
			note(m, LADDER_OTHER, step);
		return;
	}
	m->now += chunk_ns > lasts_ns ? chunk_ns : lasts_ns;
	note(m, ladder_measured(&m->ladder, chunk_ns, CHUNK, m->now), step);
}

static void run_s(struct machine *m, double seconds)
{
	const int64_t end = m->now + (int64_t)(seconds * (double)NS_PER_S);

	while (m->now < end)
		one_chunk(m);
}

static void watch_again(struct machine *m)
{
	m->changes = m->restarts = 0;
	m->highest = m->lowest = m->ladder.step;
}

static void expect(struct machine *m, const char *what, enum ladder_step step, int divisor)
{
	printf("%-34s step %d, every %d. picture, %u changes\n", what, m->ladder.step,
	       m->ladder.divisor, m->changes);
	CHECK(m->ladder.step == step, "%s: step %d instead of %d", what, m->ladder.step, step);
	CHECK(!divisor || m->ladder.divisor == divisor, "%s: every %d. picture", what,
	      m->ladder.divisor);
}

/* Checks on which step machines of different speeds end. */
static void test_descent(void)
{
	static const struct {
		const char *what;
		double cost_ms[6];
		enum ladder_step step;
		int divisor;
	} cases[] = {
		{"fast enough", {25, 20, 15, 5, 5}, LADDER_FULL, 1},
		{"a little slow", {35, 25, 22, 5, 5}, LADDER_SPARSE, 1},
		{"slower", {50, 40, 25, 5, 5}, LADDER_SLICES, 1},
		{"hopeless for the large model", {900, 700, 600, 20, 20}, LADDER_SMALL, 1},
		{"a slow processor", {900, 700, 600, 40, 40}, LADDER_RATE, 2},
		{"much too slow", {9000, 7000, 6000, 100, 100}, LADDER_BICUBIC, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct machine m;

		start(&m, &all_steps, cases[i].cost_ms);
		run_s(&m, 25.0 + cases[i].cost_ms[0] * 0.05);
		expect(&m, cases[i].what, cases[i].step, cases[i].divisor);
	}
}

/* Steps that change nothing are passed over. */
static void test_skipped(void)
{
	static const double slow[6] = {40, 40, 40, 40, 40, 0};
	struct ladder_plan plan = all_steps;
	struct machine m;

	plan.sparse = plan.small = false;
	start(&m, &plan, slow);
	run_s(&m, 5.0);
	expect(&m, "two of three steps missing", LADDER_RATE, 2);
	CHECK(m.changes == 2 && m.restarts == 0, "%u changes, %u restarts", m.changes, m.restarts);
	plan.slices = false;
	start(&m, &plan, slow);
	run_s(&m, 5.0);
	expect(&m, "no step of quality", LADDER_RATE, 2);
	CHECK(m.changes == 1, "%u changes", m.changes);
}

/* When a game starts the ladder goes down, and when it ends all the way up again. */
static void test_load(void)
{
	static const double cost[6] = {20, 18, 16, 4, 4, 0};
	struct machine m;

	start(&m, &all_steps, cost);
	run_s(&m, 60.0);
	expect(&m, "before a game", LADDER_FULL, 1);
	CHECK(m.changes == 0, "%u changes", m.changes);
	m.load = 6.0;
	run_s(&m, 20.0);
	expect(&m, "during the game", LADDER_SMALL, 1);
	CHECK(m.restarts == 1, "%u restarts", m.restarts);
	m.load = 1.0;
	watch_again(&m);
	run_s(&m, 60.0);
	expect(&m, "after it", LADDER_FULL, 1);
	CHECK(m.restarts == 1 && m.changes == 3, "%u restarts, %u changes", m.restarts, m.changes);
}

/* On a machine right between two steps, the ladder must not swing for hours. */
static void test_swing(void)
{
	static const double cost[6] = {60, 50, 40, 4, 4, 0};
	struct machine m;

	start(&m, &all_steps, cost);
	run_s(&m, 8 * 3600.0);
	CHECK(m.ladder.step == LADDER_SMALL || m.ladder.step == LADDER_SLICES, "step %d",
	      m.ladder.step);
	printf("%-34s %u changes, %u restarts in eight hours\n", "between two steps", m.changes,
	       m.restarts);
	CHECK(m.restarts < 60, "%u restarts", m.restarts);
	CHECK(m.lowest == LADDER_SMALL, "lowest %d", m.lowest);
}

/* One or two slow chunks are a hiccup. */
static void test_hiccups(void)
{
	static const double cost[6] = {20, 18, 16, 4, 4, 0};
	struct machine m;

	start(&m, &all_steps, cost);
	for (int i = 0; i < 500; i++) {
		m.load = i % 10 == 5 || i % 10 == 6 ? 8.0 : 1.0;
		one_chunk(&m);
	}
	CHECK(m.changes == 0, "%u changes because of hiccups", m.changes);
}

/* The user's choice is kept; only frames are left out. */
static void test_pinned(void)
{
	static const double cost[6] = {50, 48, 46, 4, 40, 0};
	struct ladder_plan plan = all_steps;
	struct machine m;

	plan.pinned = LADDER_FULL;
	start(&m, &plan, cost);
	run_s(&m, 60.0);
	expect(&m, "pinned at full quality", LADDER_FULL, 2);
	plan.pinned = LADDER_SMALL;
	start(&m, &plan, cost);
	run_s(&m, 60.0);
	expect(&m, "pinned at the small model", LADDER_SMALL, 1);
	plan.pinned = LADDER_RATE;
	start(&m, &plan, cost);
	m.load = 0.1;
	run_s(&m, 60.0);
	expect(&m, "pinned at half the rate", LADDER_RATE, 2);
	plan.pinned = LADDER_BICUBIC;
	start(&m, &plan, cost);
	run_s(&m, 3600.0);
	expect(&m, "pinned at bicubic", LADDER_BICUBIC, 0);
	CHECK(m.changes == 0, "%u changes", m.changes);
}

/* Bicubic is left again, less and less often while that fails. */
static void test_retry(void)
{
	static const double cost[6] = {9000, 7000, 6000, 200, 200, 0};
	struct machine m;
	int retries;

	start(&m, &all_steps, cost);
	run_s(&m, 600.0);
	watch_again(&m);
	run_s(&m, 2 * 3600.0);
	retries = (int)m.changes / 2;
	printf("%-34s %d in two hours\n", "tries to leave bicubic", retries);
	CHECK(retries >= 2 && retries <= 20, "%d retries", retries);
	m.load = 0.02;
	run_s(&m, 2 * 3600.0);
	CHECK(m.ladder.step == LADDER_SMALL && m.ladder.divisor == 1, "step %d", m.ladder.step);
}

/* Without memory it takes fewer slices, then the small model, and never goes up again. */
static void test_memory(void)
{
	static const double cost[6] = {10, 10, 10, 1, 1, 0};
	struct machine m;

	start(&m, &all_steps, cost);
	CHECK(ladder_no_memory(&m.ladder) == LADDER_OTHER && m.ladder.step == LADDER_SLICES,
	      "step %d", m.ladder.step);
	run_s(&m, 3600.0);
	expect(&m, "memory for fewer slices", LADDER_SLICES, 1);
	CHECK(ladder_no_memory(&m.ladder) == LADDER_OTHER && m.ladder.step == LADDER_SMALL,
	      "step %d", m.ladder.step);
	CHECK(ladder_no_memory(&m.ladder) == LADDER_SAME, "memory for less than the small model");
	run_s(&m, 3600.0);
	expect(&m, "memory for the small model", LADDER_SMALL, 1);
}

/* A chunk that takes for ever is judged before it ends. */
static void test_overdue(void)
{
	const int64_t chunk_ns = 21 * all_steps.tick_ns;
	struct ladder ladder;

	ladder_init(&ladder, &all_steps);
	CHECK(!ladder_overdue(&ladder, chunk_ns, 21), "a chunk in time");
	CHECK(ladder_overdue(&ladder, 4 * chunk_ns, 21), "a chunk that is not");
	CHECK(ladder_measured(&ladder, 4 * chunk_ns, 21, 1) == LADDER_LIGHTER, "first");
	CHECK(ladder_measured(&ladder, 4 * chunk_ns, 21, 2) == LADDER_LIGHTER, "second");
	CHECK(ladder_measured(&ladder, 4 * chunk_ns, 21, 3) == LADDER_OTHER, "third");
	CHECK(ladder.step == LADDER_SMALL, "step %d", ladder.step);
}

/* What the delay should have room for, and what becomes of a rate that it has no room for. */
static void test_delay(void)
{
	static const double cost[6] = {20, 20, 20, 20, 20, 0};
	struct ladder_plan plan = all_steps;
	struct machine m;

	start(&m, &plan, cost);
	CHECK(!ladder_settled(&m.ladder), "settled before anything is measured");
	CHECK(!ladder_allow_fps(&m.ladder), "a rate before anything is measured");
	run_s(&m, 5.0);
	CHECK(ladder_settled(&m.ladder) && ladder_room(&m.ladder) == plan.tick_ns,
	      "frames are given up before quality");
	plan.sparse = plan.slices = plan.small = false;
	start(&m, &plan, cost);
	run_s(&m, 5.0);
	CHECK(ladder_room(&m.ladder) == 2 * plan.tick_ns, "no room for fewer frames");
	CHECK(ladder_allow_fps(&m.ladder) == 15, "%d frames/s", ladder_allow_fps(&m.ladder));
	m.ladder.longest_ns = ladder_room(&m.ladder);
	m.load = 2.0;
	run_s(&m, 5.0);
	expect(&m, "a rate that there is room for", LADDER_RATE, 2);
	m.load = 4.0;
	run_s(&m, 5.0);
	expect(&m, "one that there is none for", LADDER_BICUBIC, 0);
	m.load = 1.0;
	run_s(&m, 60.0);
	expect(&m, "a machine that is free again", LADDER_FULL, 1);

	start(&m, &plan, cost);
	run_s(&m, 1.0);
	m.ladder.longest_ns = plan.tick_ns;
	m.load = 4.0;
	run_s(&m, 5.0);
	expect(&m, "no room for any other rate", LADDER_BICUBIC, 0);
	m.load = 1.0;
	run_s(&m, 60.0);
	expect(&m, "nor when it is tried again", LADDER_FULL, 1);
	m.cost_ms[LADDER_FULL] = 5;
	start(&m, &plan, m.cost_ms + 1);
	run_s(&m, 5.0);
	CHECK(ladder_room(&m.ladder) == plan.tick_ns, "room for what will not be needed");
}

int main(void)
{
	test_descent();
	test_skipped();
	test_load();
	test_swing();
	test_hiccups();
	test_pinned();
	test_retry();
	test_memory();
	test_overdue();
	test_delay();
	return check_result();
}
