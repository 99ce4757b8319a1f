/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ladder's steps in the engine's terms: what a job asks for and what its chunks may cost.
 */
#ifndef FLASHVSR_EFFORT_H
#define FLASHVSR_EFFORT_H

#include "session/settings.h"

/* What the settings leave to be given up, at this distance of OBS's pictures. */
void effort_plan(struct ladder_plan *plan, const struct session_settings *settings,
		 int64_t tick_ns);
/* Model and, where memory is short, number of slices of the job to start. Keeps the sizes. */
void effort_request(struct job_request *request, const struct ladder *ladder,
		    const struct session_settings *settings);
/* What the chunks of a job may cost from now on. */
void effort_apply(struct job *job, const struct ladder *ladder);

#endif
