/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pauses keep the work in step with the time: after half of the work half of the budget has
 * gone by. What is left of the predicted work always fits into what is left of the budget.
 */
#include "stream/spread.h"

#define SLACK    0.85 /* of the budget: a chunk of more work than that has no pauses */
#define SHORT_MS 0.5  /* pauses are put together until they are worth it */

void fvsr_spread_begin(struct fvsr_spread *spread, bool steady)
{
	if (steady && spread->work_ms > 0)
		spread->predicted_ms = spread->work_ms;
	spread->pausing =
		spread->predicted_ms > 0 && spread->predicted_ms < SLACK * spread->budget_ms;
	spread->work_ms = spread->paused_ms = 0;
}

void fvsr_spread_work(struct fvsr_spread *spread, double now)
{
	spread->since_ms = now;
}

void fvsr_spread_done(struct fvsr_spread *spread, double now)
{
	spread->work_ms += now - spread->since_ms;
	spread->since_ms = now;
}

double fvsr_spread_pause(const struct fvsr_spread *spread)
{
	double elapsed = spread->work_ms + spread->paused_ms;
	double due = spread->work_ms / spread->predicted_ms * spread->budget_ms - elapsed;
	double left =
		spread->predicted_ms > spread->work_ms ? spread->predicted_ms - spread->work_ms : 0;
	double most = spread->budget_ms - elapsed - left, pause = due < most ? due : most;

	return spread->pausing && pause > SHORT_MS ? pause : 0;
}

void fvsr_spread_paused(struct fvsr_spread *spread, double now)
{
	spread->paused_ms += now - spread->since_ms;
	spread->since_ms = now;
}

void fvsr_spread_reset(struct fvsr_spread *spread)
{
	*spread = (struct fvsr_spread){.budget_ms = spread->budget_ms};
}
