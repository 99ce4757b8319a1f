/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the pauses are: see pace.h.
 */
#include "stream/pace.h"

#define SLACK    0.85 /* of the budget: more work than that is not interrupted */
#define SHORT_MS 0.5  /* pauses are put together until they are worth it */

void fvsr_pace_begin(struct fvsr_pace *pace, bool steady)
{
	if (steady && pace->work_ms > 0)
		pace->predicted_ms = pace->work_ms;
	pace->spreading = pace->predicted_ms > 0 && pace->predicted_ms < SLACK * pace->budget_ms;
	pace->work_ms = pace->paused_ms = 0;
}

void fvsr_pace_work(struct fvsr_pace *pace, double now)
{
	pace->since_ms = now;
}

void fvsr_pace_done(struct fvsr_pace *pace, double now)
{
	pace->work_ms += now - pace->since_ms;
	pace->since_ms = now;
}

double fvsr_pace_pause(const struct fvsr_pace *pace)
{
	double elapsed = pace->work_ms + pace->paused_ms;
	double due = pace->work_ms / pace->predicted_ms * pace->budget_ms - elapsed;
	double left = pace->predicted_ms > pace->work_ms ? pace->predicted_ms - pace->work_ms : 0;
	double most = pace->budget_ms - elapsed - left, pause = due < most ? due : most;

	return pace->spreading && pause > SHORT_MS ? pause : 0;
}

void fvsr_pace_paused(struct fvsr_pace *pace, double now)
{
	pace->paused_ms += now - pace->since_ms;
	pace->since_ms = now;
}

void fvsr_pace_reset(struct fvsr_pace *pace)
{
	*pace = (struct fvsr_pace){.budget_ms = pace->budget_ms};
}
