/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping the histogram: see render-cost.h.
 */
#include "filter/render-cost.h"

#include <string.h>

void render_cost_clear(struct render_cost *cost)
{
	memset(cost, 0, sizeof(*cost));
}

void render_cost_add(struct render_cost *cost, int64_t ns)
{
	int64_t bucket = ns > 0 ? ns / RENDER_COST_STEP_NS : 0;

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
	return (bucket + 1) * (int64_t)RENDER_COST_STEP_NS;
}
