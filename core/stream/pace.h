/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spreading a chunk's work: short pauses between its pieces, so that others on the same machine
 * get their turn between them instead of waiting for a burst. The pauses stretch the chunk to what
 * it may take, judged by the work of the chunk before; where that leaves nothing to spare, or a
 * chunk turns out to be more work than the one before, there are none.
 *
 * Arithmetic only: times are milliseconds of the caller's clock.
 */
#ifndef FVSR_STREAM_PACE_H
#define FVSR_STREAM_PACE_H

#include <stdbool.h>

struct fvsr_pace {
	double budget_ms;          /* that a chunk may take; 0: no pauses */
	double predicted_ms;       /* work of the chunk before; 0: not known */
	bool spreading;            /* this chunk has pauses */
	double work_ms, paused_ms; /* of this chunk */
	double since_ms;           /* what has been worked from here on is not in work_ms yet */
};

/* A chunk begins, or with 'steady' false one that is no measure for others. */
void fvsr_pace_begin(struct fvsr_pace *pace, bool steady);
/* Work on it begins or goes on at 'now'; a piece of it is done at 'now'. */
void fvsr_pace_work(struct fvsr_pace *pace, double now);
void fvsr_pace_done(struct fvsr_pace *pace, double now);
/* After a piece: how long to pause. */
double fvsr_pace_pause(const struct fvsr_pace *pace);
/* The pause is over at 'now', and work goes on. */
void fvsr_pace_paused(struct fvsr_pace *pace, double now);
/* What was measured is worth nothing any more: a new video. */
void fvsr_pace_reset(struct fvsr_pace *pace);

#endif
