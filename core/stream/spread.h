/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A chunk's work can be spread over the time that the chunk may take: short pauses between its
 * pieces give others on the same machine their turn, where they would wait for a burst otherwise.
 * The work of the chunk before says how long the pauses can be. There are none where it leaves
 * nothing to spare, and they end when a chunk turns out to be more work than the one before.
 *
 * This is arithmetic only: times are milliseconds of the caller's clock.
 */
#ifndef FVSR_STREAM_SPREAD_H
#define FVSR_STREAM_SPREAD_H

#include <stdbool.h>

struct fvsr_spread {
	double budget_ms;          /* that a chunk may take; 0: no pauses */
	double predicted_ms;       /* work of the chunk before; 0: not known */
	bool pausing;              /* this chunk has pauses */
	double work_ms, paused_ms; /* of this chunk */
	double since_ms;           /* work from here on is not in work_ms yet */
};

/* Begins a chunk. 'steady': the chunk that ends here was like those to come. */
void fvsr_spread_begin(struct fvsr_spread *spread, bool steady);
/* Says that work on the chunk begins or goes on at 'now'. */
void fvsr_spread_work(struct fvsr_spread *spread, double now);
/* Says that a piece of the work is done at 'now'. */
void fvsr_spread_done(struct fvsr_spread *spread, double now);
/* Returns how long to pause after the piece that is done, in milliseconds; 0: not at all. */
double fvsr_spread_pause(const struct fvsr_spread *spread);
/* Says that the pause is over at 'now', and work goes on. */
void fvsr_spread_paused(struct fvsr_spread *spread, double now);
/* Forgets what was measured, for a new video; the budget stays. */
void fvsr_spread_reset(struct fvsr_spread *spread);

#endif
