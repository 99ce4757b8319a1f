/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping the histogram: see render-cost.h. The first 64 buckets are a step wide. From there on
 * each doubling of the time has 32 buckets, so that a slow machine's times have their place as
 * well.
 */
#include "filter/render-cost.h"

#include <string.h>

#define LINEAR     64
#define PER_DOUBLE 32

static int bucket_of(int64_t steps)
{
	int doublings = 0;

	while (steps >> doublings >= LINEAR)
		doublings++;
	return doublings * PER_DOUBLE + (int)(steps >> doublings);
}

/* Returns the first number of steps that belongs to a later bucket. */
static int64_t end_of(int bucket)
{
	const int doublings = bucket < LINEAR ? 0 : bucket / PER_DOUBLE - 1;

	return (int64_t)(bucket - doublings * PER_DOUBLE + 1) << doublings;
}

void render_cost_clear(struct render_cost *cost)
{
	memset(cost, 0, sizeof(*cost));
}

void render_cost_add(struct render_cost *cost, int64_t ns)
{
	int bucket = bucket_of(ns > 0 ? ns / RENDER_COST_STEP_NS : 0);

	if (bucket >= RENDER_COST_BUCKETS)
		bucket = RENDER_COST_BUCKETS - 1;
	if (cost->pictures == RENDER_COST_PICTURES)
		cost->count_in[cost->bucket_of[cost->next]]--;
	else
		cost->pictures++;
	cost->bucket_of[cost->next] = (uint16_t)bucket;
	cost->count_in[bucket]++;
	cost->next = (cost->next + 1) % RENDER_COST_PICTURES;
}

int64_t render_cost_p99(const struct render_cost *cost)
{
	const unsigned above = cost->pictures / 100; /* so many may have taken longer */
	unsigned seen = 0;
	int bucket = RENDER_COST_BUCKETS;

	if (!cost->pictures)
		return 0;
	do
		seen += cost->count_in[--bucket];
	while (seen <= above && bucket > 0);
	return end_of(bucket) * RENDER_COST_STEP_NS;
}
