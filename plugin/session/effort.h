/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts the ladder's steps into the engine's terms: what a job asks for, and what its chunks may
 * cost.
 */
#ifndef FLASHVSR_EFFORT_H
#define FLASHVSR_EFFORT_H

#include "session/settings.h"

/* Finds what the settings leave to be given up, at this distance of OBS's pictures. */
void effort_plan(struct ladder_plan *plan, const struct session_settings *settings,
		 int64_t tick_ns);
/* Sets the model of the job to start and, where memory is short, its number of slices. */
void effort_request(struct job_request *request, const struct ladder *ladder,
		    const struct session_settings *settings);
/* Sets what the chunks of a job may cost from now on. */
void effort_apply(struct job *job, const struct ladder *ladder);

#endif
