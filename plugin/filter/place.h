/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps a source where it is on the canvas. A source that is twice as large takes up twice the
 * width in each scene, so when the size of a source changes because of this filter, the scale of
 * all scene items that show it is divided by as much, and their crop multiplied. Each change goes
 * both ways: another factor, the eye, or the filter's removal change the items back. So OBS's own
 * undo of such a step undoes the items with it, and needs no second step.
 *
 * By which factor the items are divided at present is kept with the source, in its private
 * settings: there it is saved and loaded together with the items, duplicated with the source, and
 * not pasted with the filter to another source. The factor is that of all filters of this kind on
 * the source.
 *
 * Items are changed by the graphics thread between two pictures, and by the thread that removes the
 * filter or clicks the eye. A lock of the module keeps these apart; the graphics thread does not
 * wait for it.
 */
#ifndef FLASHVSR_PLACE_H
#define FLASHVSR_PLACE_H

#include <obs-module.h>

struct flashvsr_filter;
struct shared;

struct place_factor {
	double x, y;
};

void place_init(struct flashvsr_filter *filter);
/* Makes the output as large as the input, until place_tick() finds a source and its items. */
void place_reset(struct flashvsr_filter *filter);
/*
 * Lets the output have the size that the settings ask for, and brings scene items up to date. To be
 * called on the graphics thread, before OBS draws.
 */
void place_tick(struct flashvsr_filter *filter);
/*
 * Brings scene items up to date at once, from any other thread; inside the graphics context a
 * moment later. 'source' may be NULL.
 */
void place_now(struct shared *shared, obs_source_t *source);

#endif
