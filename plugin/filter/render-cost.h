/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the filter costs OBS: how long it keeps the graphics thread for each picture, not counting
 * the time that drawing the source takes anyway. The costs of the last pictures are kept in a
 * histogram, so that adding one and asking for the result take next to no time. For one thread.
 */
#ifndef FLASHVSR_RENDER_COST_H
#define FLASHVSR_RENDER_COST_H

#include <stdint.h>

#define RENDER_COST_PICTURES 600 /* ten seconds at 60 a second */
#define RENDER_COST_BUCKETS  512 /* enough for 20 s; the last one holds all longer times */
#define RENDER_COST_STEP_NS                                                                        \
	20000 /* width of the first 64 buckets; later ones grow with the time                      \
	       */

struct render_cost {
	uint16_t bucket_of[RENDER_COST_PICTURES], count_in[RENDER_COST_BUCKETS];
	unsigned next, pictures;
};

void render_cost_clear(struct render_cost *cost);
void render_cost_add(struct render_cost *cost, int64_t ns);
/*
 * Returns the nanoseconds that 99 of 100 pictures took at most, rounded up to the end of a bucket,
 * which is by 20 us or a thirtieth; 0: there were no pictures.
 */
int64_t render_cost_p99(const struct render_cost *cost);

#endif
