/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The histogram behind "what the filter costs OBS" against sorting the same numbers.
 */
#include "filter/render-cost.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 3000

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The smallest bucket's end that all but one in a hundred of the last pictures stay below. */
static int64_t expected(const int64_t *all, int count)
{
	int last = count < RENDER_COST_PICTURES ? count : RENDER_COST_PICTURES;
	int64_t sorted[RENDER_COST_PICTURES], ns;

	for (int i = 0; i < last; i++)
		sorted[i] = all[count - last + i];
	qsort(sorted, (size_t)last, sizeof(*sorted), ascending);
	ns = sorted[last - 1 - last / 100];
	if (ns >= RENDER_COST_BUCKETS * (int64_t)RENDER_COST_STEP_NS)
		ns = RENDER_COST_BUCKETS * (int64_t)RENDER_COST_STEP_NS - 1;
	return (ns / RENDER_COST_STEP_NS + 1) * RENDER_COST_STEP_NS;
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
		/* Mostly short, now and then long, once in a while longer than the histogram. */
		all[i] = rand() % 300000 + (rand() % 50 == 0 ? rand() % 20000000 : 0);
		render_cost_add(&cost, all[i]);
		wrong += render_cost_p99(&cost) != expected(all, i + 1);
	}
	render_cost_add(&cost, -1); /* a clock that went back */
	printf("%d wrong of %d\n", wrong, ROUNDS);
	return wrong != 0;
}
