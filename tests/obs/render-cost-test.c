/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The histogram behind "what the filter costs OBS" against sorting the same numbers.
 */
#include "filter/render-cost.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 3000

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Returns what all but one in a hundred of the last pictures took at most. */
static int64_t sorted_p99(const int64_t *all, int count)
{
	int last = count < RENDER_COST_PICTURES ? count : RENDER_COST_PICTURES;
	int64_t sorted[RENDER_COST_PICTURES];

	for (int i = 0; i < last; i++)
		sorted[i] = all[count - last + i];
	qsort(sorted, (size_t)last, sizeof(*sorted), ascending);
	return sorted[last - 1 - last / 100];
}

/* Compares what the histogram says with the truth, which it may round up by one part in 32. */
static bool is_near(int64_t ns, int64_t truth)
{
	return ns > truth && ns <= truth + truth / 32 + RENDER_COST_STEP_NS;
}

/* On a slow machine every picture takes long, and the figure must say how long. */
static int test_slow(int64_t each_ns)
{
	struct render_cost cost;

	render_cost_clear(&cost);
	for (int i = 0; i < 2 * RENDER_COST_PICTURES; i++)
		render_cost_add(&cost, each_ns);
	printf("%.2f ms each: %.2f ms\n", (double)each_ns / 1e6,
	       (double)render_cost_p99(&cost) / 1e6);
	return !is_near(render_cost_p99(&cost), each_ns);
}

int main(void)
{
	static int64_t all[ROUNDS];
	struct render_cost cost;
	int wrong = 0;

	srand(7);
	render_cost_clear(&cost);
	wrong += render_cost_p99(&cost) != 0;
	for (int i = 0; i < ROUNDS; i++) {
		/* Mostly short, now and then long, and at last long all the time. */
		all[i] = rand() % 300000 + (rand() % 50 == 0 ? rand() % 20000000 : 0);
		if (i > ROUNDS / 2)
			all[i] = rand() % 80000000;
		render_cost_add(&cost, all[i]);
		wrong += !is_near(render_cost_p99(&cost), sorted_p99(all, i + 1));
	}
	render_cost_add(&cost, -1); /* a clock that went back */
	for (int64_t ns = 1000; ns < 20000000000; ns = ns * 4 / 3)
		wrong += test_slow(ns);
	wrong += test_slow(21900000) + test_slow(52000000);
	render_cost_add(&cost, INT64_MAX);
	printf("%d wrong of %d\n", wrong, ROUNDS);
	return wrong != 0;
}
